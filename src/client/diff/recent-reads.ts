import type { ChunkSource } from '../../content/chunk-source.ts'
import type { PackName } from '../../protocol/chunk-ref.ts'

// As much as a few pages and columns take. What two versions share is read for the one, and soon after for the other.
const keptBytes = 16 * 1024 * 1024

interface Kept {
  readonly pack: PackName
  readonly offset: number
  readonly length: number
  readonly bytes: Promise<Uint8Array>
}

/** Gives what was read a moment ago without reading it again: the pages that two versions share, and the bases of what is stored as a change. */
export class RecentReads implements ChunkSource {
  readonly #source: ChunkSource
  #kept: Kept[] = []

  constructor(source: ChunkSource) {
    this.#source = source
  }

  async read(pack: PackName, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const found = this.#kept.find(
      (kept) => kept.pack === pack && kept.offset <= offset && kept.offset + kept.length >= offset + length,
    )
    if (found) {
      const bytes = await found.bytes
      return bytes.subarray(offset - found.offset, offset - found.offset + length)
    }
    const kept = { pack, offset, length, bytes: this.#source.read(pack, offset, length, signal) }
    this.#keep(kept)
    // A failure is not kept: who asks again reads again.
    kept.bytes.catch(() => {
      this.#kept = this.#kept.filter((one) => one !== kept)
    })
    return kept.bytes
  }

  #keep(kept: Kept): void {
    this.#kept.push(kept)
    let bytes = this.#kept.reduce((sum, { length }) => sum + length, 0)
    while (bytes > keptBytes && this.#kept.length > 1) bytes -= this.#kept.shift()?.length ?? 0
  }
}
