/**
 * Content-defined cutting with a gear hash: a chunk ends where the last 32 bytes say so, so that an insertion moves cuts only near itself.
 * Sizes in bytes. The mean is about `min + target` because no cut is looked for before `min`.
 */
export interface CutSizes {
  readonly min: number
  /** A power of two. */
  readonly target: number
  readonly max: number
}

// 64 KiB is where the bytes an edit costs and the work per chunk balance (as in casync and Xet). One size for all files: a size that depended on the
// length would cut a growing file anew when it passed the threshold.
export const cutSizes: CutSizes = { min: 16 * 1024, target: 64 * 1024, max: 256 * 1024 }

// The hash shifts left once a byte, so a byte has left a 32-bit hash after 32 steps.
const window = 32

/** Finds the ends of chunks in bytes that arrive piece by piece. */
export class Cutter {
  readonly #sizes: CutSizes
  readonly #shift: number
  #length = 0
  #hash = 0

  constructor(sizes: CutSizes = cutSizes) {
    this.#sizes = sizes
    // The high bits of the hash have seen all 32 bytes of the window; compare as many as the target has.
    this.#shift = 32 - Math.log2(sizes.target)
  }

  /**
   * Looks at `bytes[from...]` as the continuation of the chunk under way. Returns the index just past the end of that chunk, or -1 when it goes on beyond
   * these bytes; after an end the next call begins a new chunk.
   */
  next(bytes: Uint8Array, from: number): number {
    const { min, max } = this.#sizes
    const shift = this.#shift
    const start = from - this.#length
    const end = Math.min(bytes.length, start + max)
    // Nothing before the window of the first possible cut can matter.
    let at = Math.min(Math.max(from, start + min - window), end)
    const free = Math.min(start + min, end)
    let hash = this.#hash
    while (at < free) hash = ((hash << 1) + gear[bytes[at++]]) | 0
    // Unrolled: measured at twice the speed of the plain loop.
    const unrolled = end - 4
    while (at <= unrolled) {
      hash = ((hash << 1) + gear[bytes[at]]) | 0
      if (hash >>> shift === 0) return this.#cut(at + 1)
      hash = ((hash << 1) + gear[bytes[at + 1]]) | 0
      if (hash >>> shift === 0) return this.#cut(at + 2)
      hash = ((hash << 1) + gear[bytes[at + 2]]) | 0
      if (hash >>> shift === 0) return this.#cut(at + 3)
      hash = ((hash << 1) + gear[bytes[at + 3]]) | 0
      if (hash >>> shift === 0) return this.#cut(at + 4)
      at += 4
    }
    while (at < end) {
      hash = ((hash << 1) + gear[bytes[at++]]) | 0
      if (hash >>> shift === 0) return this.#cut(at)
    }
    if (end === start + max) return this.#cut(end)
    this.#length = bytes.length - start
    this.#hash = hash
    return -1
  }

  /** Forgets the chunk under way: the next byte begins another. */
  reset(): void {
    this.#length = 0
    this.#hash = 0
  }

  #cut(at: number): number {
    this.#length = 0
    this.#hash = 0
    return at
  }
}

// Part of the stored form's stability, not of its meaning: other values would still read everything, but would share no chunks with what is stored.
// 256 numbers from the 32-bit mix of MurmurHash3 over 1..256.
const gear = Int32Array.from({ length: 256 }, (_, index) => {
  let mixed = (index + 1) * 0x9e3779b1
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
})
