import type { ChunkSource } from '../../content/chunk-source.ts'
import { type PackName, parseRecordPackName } from '../../protocol/chunk-ref.ts'
import type { Versions } from '../artifacts/versions.ts'
import type { Services } from '../services.ts'
import { missing, type PackBytes, Packs, tooShort } from './packs.ts'

// A table after a thousand small edits is spread over the small packs of hundreds of versions, most of them a few hundred bytes: so that reading it once more takes no request for each.
const smallBytesKept = 4 * 1024 * 1024

type ChunkParts = Pick<Services, 'versions' | 'condemned' | 'records' | 'options'>

const ofServices = new WeakMap<ChunkParts, StoredChunks>()

/** Those of a backend: made when they are first read, and kept as long as it is. */
export function storedChunks(services: ChunkParts): StoredChunks {
  const chunks = ofServices.get(services) ?? new StoredChunks(services)
  ofServices.set(services, chunks)
  return chunks
}

/** Stored bytes by the name of their pack, be it an object of its own or the small pack inside a version record. */
export class StoredChunks implements ChunkSource {
  readonly #packs: Packs
  readonly #versions: Versions
  readonly #small = new Map<string, Uint8Array>()
  #smallBytes = 0

  constructor(services: ChunkParts) {
    this.#packs = new Packs(services)
    this.#versions = services.versions
  }

  async read(pack: PackName, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const { bytes } = await this.range(pack, offset, offset + length, signal)
    if (bytes.length !== length) throw tooShort(pack)
    return bytes
  }

  /** @throws NotFoundError `pack-missing` */
  async range(pack: PackName, start?: number, end?: number, signal?: AbortSignal): Promise<PackBytes> {
    const place = parseRecordPackName(pack)
    if (!place) return this.#packs.read(pack, start, end, signal)
    const small = this.#small.get(pack) ?? (await this.#readSmall(pack, place))
    return { bytes: small.slice(start, end), size: small.length }
  }

  async #readSmall(pack: PackName, place: { workspace: string; name: string; index: number }): Promise<Uint8Array> {
    const held = await this.#versions.read(place, place.index)
    if (!held || held.attachment.length === 0) throw missing(pack)
    this.#keep(pack, held.attachment)
    return held.attachment
  }

  #keep(pack: PackName, bytes: Uint8Array): void {
    // Another request may have read it at the same time.
    if (this.#small.has(pack)) return
    this.#small.set(pack, bytes)
    this.#smallBytes += bytes.length
    for (const [oldest, { length }] of this.#small) {
      if (this.#smallBytes <= smallBytesKept) return
      this.#small.delete(oldest)
      this.#smallBytes -= length
    }
  }
}
