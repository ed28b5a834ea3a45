import { firstCut, rolled } from './gear.ts'

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
  readonly #mask: number
  #length = 0
  #hash = 0

  constructor(sizes: CutSizes = cutSizes) {
    this.#sizes = sizes
    // The high bits of the hash have seen all 32 bytes of the window; compare as many as the target has.
    this.#mask = ~(2 ** 32 / sizes.target - 1)
  }

  /**
   * Looks at `bytes[from...]` as the continuation of the chunk under way. Returns the index just past the end of that chunk, or -1 when it goes on beyond
   * these bytes; after an end the next call begins a new chunk.
   */
  next(bytes: Uint8Array, from: number): number {
    const { min, max } = this.#sizes
    const start = from - this.#length
    const end = Math.min(bytes.length, start + max)
    const free = Math.min(start + min, end)
    // Nothing before the window of the first possible cut can matter.
    const begin = Math.min(Math.max(from, start + min - window), end)
    const hash = rolled(bytes, begin, free, this.#hash)
    const cut = firstCut(bytes, Math.max(begin, free), end, hash, this.#mask)
    if (cut >= 0) return this.#cut(cut)
    if (end === start + max) return this.#cut(end)
    this.#length = bytes.length - start
    // What is older than the window has left the hash: it is that of the last bytes alone, or of these few on top of the hash before.
    const recent = Math.max(begin, end - window)
    this.#hash = rolled(bytes, recent, end, recent === begin ? this.#hash : 0)
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
