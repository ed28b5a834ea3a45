/** Which versions of an artifact were deleted: half-open ranges of indexes, sorted, apart from each other. */
export type GoneVersions = readonly (readonly [start: number, end: number])[]

/** With one more; the same list when it is in it. */
export function withGone(gone: GoneVersions, index: number): GoneVersions {
  if (gone.some(([start, end]) => start <= index && index < end)) return gone
  const before = gone.filter(([, end]) => end < index)
  const after = gone.filter(([start]) => start > index + 1)
  const touching = gone.filter(([start, end]) => end >= index && start <= index + 1)
  const start = Math.min(index, ...touching.map(([from]) => from))
  const end = Math.max(index + 1, ...touching.map(([, to]) => to))
  return [...before, [start, end], ...after]
}

/** How many of the versions from `first` to `next` are not among them. */
export function countLeft(gone: GoneVersions, first: number, next: number): number {
  const missing = gone.map(([start, end]) => Math.max(0, Math.min(end, next) - Math.max(start, first)))
  return missing.reduce((left, one) => left - one, next - first)
}
