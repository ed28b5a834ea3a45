/** Equality of bytes without a look at each of them by the test runner, which takes seconds a megabyte. */
export function sameBytes(one: unknown, other: Uint8Array): boolean {
  if (!(one instanceof Uint8Array) || one.length !== other.length) return false
  for (let at = 0; at < other.length; at++) if (one[at] !== other[at]) return false
  return true
}
