import { throwIfAborted } from '../errors.ts'
import { paceForPage } from '../platform/pace.ts'
import type { ChunkRef } from '../protocol/chunk-ref.ts'
import { type DigestedAside, digestAside, mayGoAside } from './aside.ts'
import type { ChunkWriter, Deflate } from './chunk-writer.ts'
import { Cutter, cutSizes } from './cut.ts'
import type { Digester, Hasher } from './digest.ts'
import { Sha256 } from './sha256.ts'

/** Bytes of one asset, and who knows where to cut them. */
export interface AssetBytes {
  /** `content`: cut where the bytes say so. `given`: each piece is one chunk. */
  readonly cuts: 'content' | 'given'
  /** A piece is valid until the next is asked for. */
  readonly body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  /** What is known of given pieces, so that it need not be made again: while the body is read, of the one that came last. */
  readonly known?: {
    last(): string | undefined
    learn(digest: string): void
    before(state: () => Hasher): void
    /** Pieces that come first, and the state of the asset's hash behind them. */
    head():
      | { readonly pieces: readonly { readonly digest: string; readonly size: number }[]; readonly state: Hasher }
      | undefined
    /** Leaves them out of the body. */
    skip(): void
  }
}

export interface WrittenAsset {
  readonly size: number
  readonly digest: string
  readonly chunks: readonly ChunkRef[]
  /** For each chunk, where in the old asset the chunk it took the place of begins. */
  readonly positions: readonly number[]
}

// A given piece is one chunk up to this size; a larger one is cut like any other bytes.
const largestGivenChunk = 4 * 1024 * 1024

// After this many chunks in a row that are nothing like what they replace, the asset is taken for new, and only some are compared.
const patience = 16
const sample = 8

// A chunk of up to this many times the size may be another state of the same; it is sought among so many.
const likeSize = 1.5
const lookAhead = 4

/** Cuts one asset, digests it and stores what is new of it. */
export class AssetWriter {
  readonly #chunks: ChunkWriter
  readonly #digester: Digester
  readonly #deflate: Deflate
  readonly #old: OldChunks
  readonly #refs: ChunkRef[] = []
  readonly #positions: number[] = []
  #hasher: Hasher | undefined
  #size = 0
  #carry = new Uint8Array(0)
  #carried = 0
  #unlike = 0

  constructor(options: { chunks: ChunkWriter; digester: Digester; deflate: Deflate; old?: readonly ChunkRef[] }) {
    this.#chunks = options.chunks
    this.#digester = options.digester
    this.#deflate = options.deflate
    this.#old = new OldChunks(options.old ?? [])
  }

  async write(
    { cuts, body, known }: AssetBytes,
    signal?: AbortSignal,
    onBytes?: (bytes: number) => void,
  ): Promise<WrittenAsset> {
    const cutter = new Cutter()
    if (known) onBytes?.(this.#head(known))
    const pace = paceForPage()
    for await (const piece of body) {
      throwIfAborted(signal)
      if (cuts === 'given' && piece.length <= largestGivenChunk) await this.#chunk(piece, known)
      else await this.#cut(piece, cutter)
      if (cuts === 'given') await this.#flush(cutter)
      onBytes?.(piece.length)
      if (pace?.due) await pace.rest()
    }
    return this.#end(cutter)
  }

  /** Takes over what is as it was in the old asset, and how many bytes that is. */
  #head(known: NonNullable<AssetBytes['known']>): number {
    const head = known.head()
    const refs = head && this.#old.first(head.pieces)
    if (!head || !refs) return 0
    known.skip()
    for (const ref of refs) {
      this.#positions.push(this.#size)
      this.#refs.push(ref)
      this.#size += ref.size
    }
    this.#hasher = head.state.copy()
    return this.#size
  }

  async #cut(piece: Uint8Array, cutter: Cutter): Promise<void> {
    let from = 0
    while (from < piece.length) {
      const end = cutter.next(piece, from)
      if (end < 0) {
        this.#keep(piece.subarray(from))
        return
      }
      if (this.#carried === 0) {
        await this.#chunk(piece.subarray(from, end))
      } else {
        this.#keep(piece.subarray(from, end))
        await this.#chunkCarried()
      }
      from = end
    }
  }

  async #flush(cutter: Cutter): Promise<void> {
    if (this.#carried === 0) return
    await this.#chunkCarried()
    cutter.reset()
  }

  async #end(cutter: Cutter): Promise<WrittenAsset> {
    const whole = this.#hasher === undefined && this.#refs.length === 0
    if (whole && this.#carried > 0) {
      // One chunk in all: its digest is the asset's, and is taken once.
      const bytes = this.#carry.subarray(0, this.#carried)
      const digest = this.#digester.hex(bytes)
      await this.#store(bytes, digest)
      return { size: bytes.length, digest, chunks: this.#chunkList(), positions: this.#positions }
    }
    await this.#flush(cutter)
    const hasher = this.#hasher ?? this.#digester.create()
    return { size: this.#size, digest: hasher.hex(), chunks: this.#chunkList(), positions: this.#positions }
  }

  /** A copy: an array that was pushed to keeps room for 17, and these are held until the version is written. */
  #chunkList(): ChunkRef[] {
    return this.#refs.slice()
  }

  async #chunkCarried(): Promise<void> {
    const bytes = this.#carry.subarray(0, this.#carried)
    this.#carried = 0
    await this.#chunk(bytes)
  }

  async #chunk(bytes: Uint8Array, known?: AssetBytes['known']): Promise<void> {
    if (bytes.length === 0) return
    const hasher = this.#hasher ?? (mayGoAside() ? new Sha256() : this.#digester.create())
    known?.before(() => hasher.copy())
    const aside = hasher instanceof Sha256 ? await digestAside(bytes, hasher) : undefined
    if (!aside) hasher.update(bytes)
    this.#hasher = aside?.hasher ?? hasher
    const digest = known?.last() ?? aside?.digest ?? this.#digester.hex(bytes)
    known?.learn(digest)
    await this.#store(bytes, digest, aside)
  }

  async #store(bytes: Uint8Array, digest: string, aside?: DigestedAside): Promise<void> {
    this.#size += bytes.length
    const same = this.#old.find(digest)
    this.#positions.push(this.#old.position)
    if (same) {
      this.#unlike = 0
      this.#refs.push(same)
      return
    }
    const compare = this.#unlike < patience || this.#unlike % sample === 0
    const ahead = this.#old.likely(bytes.length)
    const replaces = compare ? this.#old.at(ahead) : undefined
    const { ref } = await this.#chunks.write(bytes, { digest, replaces, deflate: this.#deflate, aside })
    this.#unlike = ref.encoding === 'delta' ? 0 : this.#unlike + 1
    // One that is like a later one stands in its place, what is between was taken out; one that is not was put in between.
    if (ref.encoding === 'delta' || ahead === 0) this.#old.advance(ahead + 1)
    this.#refs.push(ref)
  }

  #keep(bytes: Uint8Array): void {
    if (this.#carried + bytes.length > this.#carry.length) {
      const grown = new Uint8Array(
        Math.max(
          bytes.length,
          Math.min(cutSizes.max, Math.max(4096, this.#carry.length * 4)),
          this.#carried + bytes.length,
        ),
      )
      grown.set(this.#carry.subarray(0, this.#carried))
      this.#carry = grown
    }
    this.#carry.set(bytes, this.#carried)
    this.#carried += bytes.length
  }
}

/** The chunks of the asset's version before, walked along in step: what is at the current place is what a new chunk there replaces. */
class OldChunks {
  readonly #refs: readonly ChunkRef[]
  readonly #starts: number[] = []
  #places: Map<string, number[]> | undefined
  #at = 0

  constructor(refs: readonly ChunkRef[]) {
    this.#refs = refs
    let start = 0
    for (const ref of refs) {
      this.#starts.push(start)
      start += ref.size
    }
  }

  at(ahead: number): ChunkRef | undefined {
    return this.#refs[this.#at + ahead]
  }

  /** How far ahead the chunk is that one of this size most likely takes the place of: where a table's column was taken out or put in, that is not the next. */
  likely(size: number): number {
    for (let ahead = 0; ahead < lookAhead; ahead++) {
      const old = this.at(ahead)
      if (old && Math.max(old.size, size) <= Math.min(old.size, size) * likeSize) return ahead
    }
    return 0
  }

  /** Where the current chunk begins in the old asset. */
  get position(): number {
    return this.#starts[this.#at] ?? 0
  }

  advance(by: number): void {
    this.#at += by
  }

  /** The chunks it begins with, if they are these; walks on to behind them. */
  first(pieces: readonly { readonly digest: string }[]): readonly ChunkRef[] | undefined {
    if (pieces.some(({ digest }, index) => this.#refs[index]?.digest !== digest)) return undefined
    this.#at = pieces.length
    return this.#refs.slice(0, pieces.length)
  }

  /** Equal content in the old asset; walks on to just behind it. */
  find(digest: string): ChunkRef | undefined {
    if (this.#refs.length === 0) return undefined
    if (this.#refs[this.#at]?.digest === digest) return this.#refs[this.#at++]
    this.#places ??= this.#index()
    const places = this.#places.get(digest)
    if (!places) return undefined
    // Of equal chunks the next one ahead, else the first: content may have moved.
    const place = places.find((one) => one >= this.#at) ?? places[0]
    this.#at = place + 1
    return this.#refs[place]
  }

  #index(): Map<string, number[]> {
    const places = new Map<string, number[]>()
    for (const [place, { digest }] of this.#refs.entries()) {
      const list = places.get(digest)
      if (list) list.push(place)
      else places.set(digest, [place])
    }
    return places
  }
}
