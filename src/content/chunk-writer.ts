import { CorruptionError, NotFoundError } from '../errors.ts'
import { deflateRaw } from '../platform/deflate.ts'
import type { ChunkRef } from '../protocol/chunk-ref.ts'
import type { DigestedAside } from './aside.ts'
import { type ChunkSource, readChunk } from './chunk-source.ts'
import type { Digester } from './digest.ts'
import type { PackWriter } from './pack-writer.ts'
import { packDelta } from './packed-delta.ts'

// Chunks remembered to be found again: about 50 MB of memory, 20 GB of content. Beyond that the oldest are forgotten, and stored again if they return.
const chunksRemembered = 262_144

// The first delta against a full chunk may be half its size. A chunk that was a delta already is being edited again and again: its instructions
// add up, and rewriting it costs least in the long run when they reach the geometric mean of an edit and the chunk.
const firstDeltaShare = 1 / 2
const repeatedDeltaShare = 1 / 16

// Instructions this short never add up to much: what names a chunk takes about as much.
const shortDelta = 256

// Deflating must save something to be worth the inflating.
const deflateShare = 0.95
const fastestDeflate = 1
const smallestDeflate = 6

/** `fast` for bulk, `small` for pages and for edits, which are few. */
export type Deflate = false | 'fast' | 'small'

export interface WriteChunkOptions {
  /** The chunk that this one replaces. */
  readonly replaces?: ChunkRef
  /** Deflate it if that helps. */
  readonly deflate: Deflate
  readonly digest?: string
  /** Who digested it, and may deflate it too. */
  readonly aside?: DigestedAside
  /** A page: equal bytes may mean other places in another pack, so it is never taken for one stored before. */
  readonly page?: boolean
}

/** Stores chunks: each content once, as a delta where it replaces something like it. */
export class ChunkWriter {
  readonly #packs: PackWriter
  readonly #digester: Digester
  readonly #source: ChunkSource | undefined
  readonly #what: string
  readonly #known = new Map<string, ChunkRef>()

  constructor(options: { packs: PackWriter; digester: Digester; source?: ChunkSource; what: string }) {
    this.#packs = options.packs
    this.#digester = options.digester
    this.#source = options.source
    this.#what = options.what
  }

  /** Makes a stored chunk known, so that equal content is not stored again. */
  remember(ref: ChunkRef): void {
    if (this.#known.has(ref.digest)) return
    this.#known.set(ref.digest, ref)
    if (this.#known.size <= chunksRemembered) return
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest)
      return
    }
  }

  find(digest: string): ChunkRef | undefined {
    return this.#known.get(digest)
  }

  /** The bytes are copied. `fresh` is false when the content was stored already. */
  async write(bytes: Uint8Array, options: WriteChunkOptions): Promise<{ ref: ChunkRef; fresh: boolean }> {
    const digest = options.digest ?? this.#digester.hex(bytes)
    const known = options.page ? undefined : this.#known.get(digest)
    if (known) return { ref: known, fresh: false }
    const ref =
      (options.replaces && (await this.#writeDelta(bytes, digest, options.replaces))) ??
      (await this.#writeFull(bytes, digest, options))
    if (!options.page) this.remember(ref)
    return { ref, fresh: true }
  }

  async #writeDelta(bytes: Uint8Array, digest: string, replaced: ChunkRef): Promise<ChunkRef | undefined> {
    // Never a delta against a delta: reading a chunk takes at most one other.
    const base = replaced.base ?? replaced
    if (!this.#source || base.size === 0 || bytes.length === 0) return undefined
    const old = await this.#readBase(this.#source, base)
    if (!old) return undefined
    const stored = await packDelta(old, bytes)
    const size = Math.min(bytes.length, base.length)
    const grows = replaced.base && stored.length > replaced.length && stored.length > shortDelta
    if (stored.length > size * (grows ? repeatedDeltaShare : firstDeltaShare)) return undefined
    await this.#packs.makeRoom(stored.length)
    return this.#packs.append(stored, { digest, size: bytes.length, encoding: 'delta', base })
  }

  /** The content of a base, unless its storage is damaged: then the new content is stored whole, and does not depend on the damage. */
  async #readBase(source: ChunkSource, base: ChunkRef): Promise<Uint8Array | undefined> {
    try {
      return await readChunk(source, base, this.#what)
    } catch (error) {
      if (error instanceof CorruptionError || error instanceof NotFoundError) return undefined
      throw error
    }
  }

  async #writeFull(bytes: Uint8Array, digest: string, { deflate, aside }: WriteChunkOptions): Promise<ChunkRef> {
    if (deflate) {
      const level = deflate === 'small' ? smallestDeflate : fastestDeflate
      const deflated = (await aside?.deflate(level)) ?? (await deflateRaw(bytes, level))
      if (deflated.length < bytes.length * deflateShare) {
        await this.#packs.makeRoom(deflated.length)
        return this.#packs.append(deflated, { digest, size: bytes.length, encoding: 'deflate' })
      }
    }
    await this.#packs.makeRoom(bytes.length)
    return this.#packs.append(bytes, { digest, size: bytes.length, encoding: 'raw' })
  }
}
