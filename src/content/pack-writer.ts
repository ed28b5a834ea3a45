import { breathe } from '../platform/breathe.ts'
import { Spare } from '../platform/spare.ts'
import type { ChunkEncoding, ChunkRef, PackName } from '../protocol/chunk-ref.ts'
import { ownPack } from '../protocol/chunk-ref.ts'
import { largestInlinePack, largestPack } from '../protocol/shapes.ts'
import type { Digester } from './digest.ts'
import { type PackedChunk, packFooter, packHeader } from './pack.ts'

/** Takes finished packs away. The bytes are valid until the promise settles. */
export interface PackSink {
  put(id: string, bytes: Uint8Array): Promise<void>
}

// One pack is filled while these are under way; with the arenas they fill, 48 MiB in all. A table of a million records takes 350 ms with five, 375 with three.
const packsUnderWay = 5

// Between two turns of the event loop while packs are under way: the steps of writing one are begun in them.
const bytesPerBreath = 512 * 1024

const smallestArena = 64 * 1024

const spareArenas = new Spare<Uint8Array>(packsUnderWay + 1)

// Most bytes the index says about one chunk, and what follows the index.
const indexBytesPerChunk = 90
const tailBytes = 64

/** What is stored, and how. */
export interface StoredChunk {
  readonly digest: string
  readonly size: number
  readonly encoding: ChunkEncoding
  readonly base?: ChunkRef
}

/**
 * Fills packs and sends them. A reference to a chunk in a pack that is not complete names it `?0`, `?1`, ...: `resolve` gives the name it has, or `*` for the
 * pack being filled, whose name is the digest of what is yet to come.
 */
export class PackWriter {
  readonly #sink: PackSink
  readonly #digester: Digester
  readonly #ids: string[] = []
  readonly #free: Uint8Array[] = []
  readonly #underWay = new Set<Promise<void>>()
  #failure: { error: unknown } | undefined
  #arena: Uint8Array = new Uint8Array(0)
  #length = 0
  #chunks: PackedChunk[] = []
  #bytesStored = 0
  #unbreathed = 0
  /** What references to the pack being filled call it: one string for all of them. */
  #currentName = '?0'

  constructor(sink: PackSink, digester: Digester) {
    this.#sink = sink
    this.#digester = digester
  }

  /** Names of the packs that were sent. */
  get ids(): readonly string[] {
    return this.#ids
  }

  /** Number of the pack being filled. */
  get current(): number {
    return this.#ids.length
  }

  /** Bytes of the packs sent or handed over. */
  get bytesStored(): number {
    return this.#bytesStored
  }

  /** Begins another pack unless a chunk of this stored length still fits. */
  async makeRoom(length: number): Promise<void> {
    if (this.#failure) throw this.#failure.error
    this.#unbreathed += length
    if (this.#underWay.size > 0 && this.#unbreathed > bytesPerBreath) {
      this.#unbreathed = 0
      await breathe()
    }
    const needed = this.#length + length + (this.#chunks.length + 1) * indexBytesPerChunk + tailBytes
    if (needed > largestPack && this.#chunks.length > 0) await this.#send()
  }

  /** Call `makeRoom` before. The bytes are copied. */
  append(stored: Uint8Array, { digest, size, encoding, base }: StoredChunk): ChunkRef {
    if (this.#chunks.length === 0) this.#begin()
    const offset = this.#length
    this.#reserve(offset + stored.length)
    this.#arena.set(stored, offset)
    this.#length += stored.length
    const storedDigest = encoding === 'raw' ? undefined : this.#digester.hex(stored).slice(0, 32)
    this.#chunks.push({ digest, size, encoding, offset, length: stored.length, storedDigest, base: base?.digest })
    return {
      digest,
      size,
      pack: this.#currentName,
      offset,
      length: stored.length,
      encoding,
      ...(base && { base }),
    }
  }

  /** The reference as it is written into the pack being filled. */
  resolve(ref: ChunkRef): ChunkRef {
    const { digest, size, offset, length, encoding, base } = ref
    const pack = this.#name(ref.pack)
    if (base) return { digest, size, pack, offset, length, encoding, base: this.resolve(base) }
    return pack === ref.pack ? ref : { digest, size, pack, offset, length, encoding }
  }

  #name(pack: PackName): PackName {
    if (!pack.startsWith('?')) return pack
    return this.#ids[Number(pack.slice(1))] ?? ownPack
  }

  /** Sends what is left and waits for all of it. A small last pack is handed over instead, to travel inside the version record. */
  async finish(): Promise<Uint8Array | undefined> {
    let inline: Uint8Array | undefined
    if (this.#chunks.length > 0) {
      const { footer } = packFooter(this.#chunks, this.#digester)
      if (this.#length + footer.length <= largestInlinePack) {
        inline = new Uint8Array(this.#length + footer.length)
        inline.set(this.#arena.subarray(0, this.#length))
        inline.set(footer, this.#length)
        this.#bytesStored += inline.length
      } else {
        await this.#send()
      }
    }
    await this.settle()
    for (const arena of this.#free) if (arena.length >= largestPack) spareArenas.give(arena)
    this.#free.length = 0
    return inline
  }

  /** Waits for what is under way; throws what failed. */
  async settle(): Promise<void> {
    await Promise.all(this.#underWay)
    if (this.#failure) throw this.#failure.error
  }

  async #send(): Promise<void> {
    const { id, footer } = packFooter(this.#chunks, this.#digester)
    this.#reserve(this.#length + footer.length)
    const arena = this.#arena
    arena.set(footer, this.#length)
    const bytes = arena.subarray(0, this.#length + footer.length)
    this.#ids.push(id)
    this.#currentName = `?${this.#ids.length}`
    this.#bytesStored += bytes.length
    this.#chunks = []
    while (this.#underWay.size >= packsUnderWay) await Promise.race(this.#underWay)
    if (this.#failure) throw this.#failure.error
    const sent: Promise<void> = this.#sink
      .put(id, bytes)
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => {
        this.#underWay.delete(sent)
        this.#free.push(arena)
      })
    this.#underWay.add(sent)
  }

  #begin(): void {
    // After a full pack another is likely: it does not grow, and copy, its way up again.
    const likely = this.#ids.length > 0
    this.#arena =
      this.#free.pop() ??
      (likely ? spareArenas.take() : undefined) ??
      new Uint8Array(likely ? largestPack : smallestArena)
    this.#length = 0
    this.#reserve(packHeader.length)
    this.#arena.set(packHeader)
    this.#length = packHeader.length
  }

  /** Grows by doubling: a small version does not pay for a whole pack. */
  #reserve(length: number): void {
    if (length <= this.#arena.length) return
    const larger = Math.max(length, Math.min(largestPack, this.#arena.length * 4))
    const grown = (larger === largestPack ? spareArenas.take() : undefined) ?? new Uint8Array(larger)
    grown.set(this.#arena.subarray(0, this.#length))
    this.#arena = grown
  }
}
