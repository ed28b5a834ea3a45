import type { ChunkSource } from '../../content/chunk-source.ts'
import { CorruptionError } from '../../errors.ts'
import type { PackName } from '../../protocol/chunk-ref.ts'
import type { Api } from '../api.ts'
import { Slots } from '../slots.ts'
import type { readPack } from './packs.ts'

// Reads of many small assets wait for round trips: eight at once hide them, and stay below the ten a browser opens to one host.
const rangesInFlight = 8

/** Ranges down. The small packs that came along with version records are read from memory. */
export class ApiChunkSource implements ChunkSource {
  readonly #slots = new Slots(rangesInFlight)
  readonly #api: Api
  readonly #inline: ReadonlyMap<PackName, Uint8Array>
  readonly #what: string
  #readPack: typeof readPack | undefined

  /** @param what names the versions that are read, for messages */
  constructor(api: Api, inline: ReadonlyMap<PackName, Uint8Array>, what: string) {
    this.#api = api
    this.#inline = inline
    this.#what = what
  }

  async read(pack: PackName, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const inline = this.#inline.get(pack)
    if (!inline) {
      // Loaded with the first that does not fit into its record, and kept: this is asked for each chunk.
      this.#readPack ??= (await import('./packs.ts')).readPack
      const readPack = this.#readPack
      return this.#slots.run(() => readPack(this.#api, pack, { offset, length, what: this.#what }, signal))
    }
    if (offset + length <= inline.length) return inline.subarray(offset, offset + length)
    throw new CorruptionError(
      `The small pack of ${pack.slice(1)} ends before byte ${offset + length}. Restore its record from a copy of the store.`,
      {
        code: 'pack-damaged',
        fields: { pack },
      },
    )
  }
}
