/** What a built-in value is: `Date`, `Map`, `Float32Array`; `Uint8Array` for Node's Buffer. It reads through realms (a frame, a vm context, the sandbox of a test runner), where `instanceof` knows the classes of one. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1)
}
