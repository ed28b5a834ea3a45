/** A run of 32-bit numbers in some bytes, `start` and `count` in numbers of four bytes. */
export interface Run {
  readonly start: number
  readonly count: number
}

// A shorter run is not worth the words.
const shortestRun = 64

// Offsets of strings grow by the length of a string; random bytes seldom grow by so little for long.
const largestStep = 1 << 20

/**
 * The longest run of numbers that never fall: the offsets of a column of strings, or sorted ids. `undefined` when there is none worth naming.
 *
 * One changed length moves all offsets behind it, so their bytes differ everywhere; the steps from one to the next differ in one place.
 */
export function longestRun(bytes: Uint8Array): Run | undefined {
  const lanes = lanesOf(bytes)
  let best: Run = { start: 0, count: 0 }
  let start = 0
  for (let at = 1; at <= lanes.length; at++) {
    const step = lanes[at] - lanes[at - 1]
    if (at < lanes.length && step >= 0 && step < largestStep) continue
    if (at - start > best.count) best = { start, count: at - start }
    start = at
  }
  return best.count >= shortestRun ? best : undefined
}

/** A copy in which the numbers of the run are replaced by the steps between them. */
export function toSteps(bytes: Uint8Array, { start, count }: Run): Uint8Array {
  const copy = bytes.slice()
  const view = new DataView(copy.buffer)
  for (let at = start + count - 1; at > start; at--) {
    view.setUint32(at * 4, view.getUint32(at * 4, true) - view.getUint32(at * 4 - 4, true), true)
  }
  return copy
}

/** Undoes `toSteps`, in place. */
export function fromSteps(bytes: Uint8Array, { start, count }: Run): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = start + 1; at < start + count; at++) {
    view.setUint32(at * 4, view.getUint32(at * 4, true) + view.getUint32(at * 4 - 4, true), true)
  }
}

export function isRunOf({ length }: Uint8Array, { start, count }: Run): boolean {
  return (start + count) * 4 <= length
}

/** The numbers in little-endian order, whatever the machine and the alignment. */
function lanesOf(bytes: Uint8Array): Uint32Array {
  const lanes = new Uint32Array(bytes.length >>> 2)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < lanes.length; at++) lanes[at] = view.getUint32(at * 4, true)
  return lanes
}
