import type { Column } from '../arrow/arrow-column.ts'
import { type ArrowData, type Range, rangesOf } from '../arrow/arrow-data.ts'
import type { HashState, KnownPieces } from '../codec.ts'

// The state of the hash of the whole is noted so often: after an edit, up to as many batches before it are hashed again.
const BATCHES_BETWEEN_STATES = 4

/**
 * What an encoding of a table found out, for the next one: where the batches begin, the digests of their pieces, and states of the hash of the whole. For tables in
 * pieces that are the same objects as long as their content is the same.
 */
export class TableRecall implements KnownPieces {
  #start = new Uint8Array(0)
  #startDigest: string | undefined
  #schema = ''
  #batches = new Map<number, KnownBatch>()
  /** Of the hash of all that is before the batch that begins at a row. */
  #states = new Map<number, HashState>()
  #cuts: KnownCuts | undefined
  #plan: Plan = { batches: [], head: undefined }
  #skips = false
  #current: Current | undefined;

  /** Where batches begin by the content of this column, made if that is not known. */
  *cuts(
    { chunks }: { readonly chunks: readonly ArrowData[] },
    target: number,
    make: () => Generator<undefined, readonly number[]>,
  ): Generator<undefined, readonly number[]> {
    const known = this.#cuts
    if (known && known.target === target && isSame(known.chunks, chunks)) return known.starts
    const starts = yield* make()
    this.#cuts = { target, chunks, starts }
    return starts
  }

  /** A table is about to be encoded. `start`: the bytes before its batches. */
  begin(columns: readonly Column[], starts: readonly number[], start: Uint8Array): void {
    const schema = columns.map(({ field }) => String(field.type)).join()
    const known = schema === this.#schema ? this.#batches : new Map<number, KnownBatch>()
    const sameStart = this.#startDigest !== undefined && isSameBytes(start, this.#start)
    const batches = starts.slice(0, -1).map((from, index) => {
      const to = starts[index + 1] ?? from
      const ranges = columns.map((column) => rangesOf(column.chunks, column.starts, from, to))
      const before = known.get(from)
      return { from, ranges, known: before && isSameBatch(before.ranges, ranges) ? before.pieces : undefined }
    })
    // The last batch shares its last piece with the end of the stream.
    const changed = batches.findIndex((batch, index) => !batch.known || index === batches.length - 1)
    const same = new Set(sameStart ? batches.slice(0, changed + 1).map(({ from }) => from) : [])
    for (const from of this.#states.keys()) if (!same.has(from)) this.#states.delete(from)
    const last = Math.max(0, ...this.#states.keys())
    const ends = last > 0 ? batches.findIndex(({ from }) => from === last) : 0
    this.#plan = { batches, head: ends > 0 ? ends : undefined }
    this.#schema = schema
    this.#batches = new Map()
    if (!sameStart) this.#startDigest = undefined
    this.#start = start.slice()
    this.#skips = false
  }

  head(): ReturnType<NonNullable<KnownPieces['head']>> {
    const { batches, head } = this.#plan
    const state = head === undefined ? undefined : this.#states.get(batches[head].from)
    if (!state || this.#startDigest === undefined) return undefined
    const start = { digest: this.#startDigest, size: this.#start.length }
    return { pieces: [start, ...batches.slice(0, head).flatMap(({ known }) => known ?? [])], state }
  }

  skip(): void {
    this.#skips = true
    const { batches, head } = this.#plan
    for (const { from, ranges, known } of batches.slice(0, head))
      if (known) this.#batches.set(from, { ranges, pieces: known })
  }

  /** How many pieces each of the batches has that are left out. */
  get skipped(): readonly number[] {
    if (!this.#skips) return []
    return this.#plan.batches.slice(0, this.#plan.head).map(({ known }) => known?.length ?? 0)
  }

  /** What comes before the batches, while it is made. */
  *opening(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
    const current: Current = { from: -1, known: undefined, found: [], at: 0, notes: false }
    yield* this.#watched(pieces, current)
    // Told from the bytes that `begin` was given, so it is one piece.
    this.#startDigest = current.found.length === 1 ? current.found[0]?.digest : undefined
  }

  /** The pieces of one batch, while they are made. */
  *batch(index: number, pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
    const { from, ranges, known } = this.#plan.batches[index]
    const current = { from, known, found: [], at: 0, notes: index > 0 && index % BATCHES_BETWEEN_STATES === 0 }
    yield* this.#watched(pieces, current)
    if (current.found.length === current.at) this.#batches.set(from, { ranges, pieces: current.found })
  }

  *#watched(pieces: Iterable<Uint8Array>, current: Current): Generator<Uint8Array> {
    this.#current = current
    for (const piece of pieces) {
      current.at += 1
      current.size = piece.length
      yield piece
    }
    this.#current = undefined
  }

  before(state: () => HashState): void {
    const current = this.#current
    if (current?.notes && current.at === 1) this.#states.set(current.from, state())
  }

  last(): string | undefined {
    return this.#current?.known?.[this.#current.at - 1]?.digest
  }

  learn(digest: string): void {
    const current = this.#current
    current?.found.push({ digest, size: current.size ?? 0 })
  }
}

interface KnownPiece {
  readonly digest: string
  readonly size: number
}

interface Plan {
  readonly batches: readonly {
    readonly from: number
    readonly ranges: KnownBatch['ranges']
    readonly known: readonly KnownPiece[] | undefined
  }[]
  /** So many batches are as they were, up to where a state of the hash was noted. */
  readonly head: number | undefined
}

/** The batch that is being made. */
interface Current {
  readonly from: number
  readonly known: readonly KnownPiece[] | undefined
  readonly found: KnownPiece[]
  readonly notes: boolean
  at: number
  size?: number
}

interface KnownCuts {
  readonly target: number
  readonly chunks: readonly ArrowData[]
  readonly starts: readonly number[]
}

interface KnownBatch {
  readonly ranges: readonly (readonly Range[])[]
  readonly pieces: readonly KnownPiece[]
}

function isSame(one: readonly ArrowData[], other: readonly ArrowData[]): boolean {
  return one.length === other.length && one.every((data, index) => data === other[index])
}

function isSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

function isSameBatch(one: KnownBatch['ranges'], other: KnownBatch['ranges']): boolean {
  return one.length === other.length && one.every((ranges, index) => isSameRanges(ranges, other[index]))
}

function isSameRanges(one: readonly Range[], other: readonly Range[]): boolean {
  return (
    one.length === other.length &&
    one.every(
      ({ data, from, to }, index) => data === other[index].data && from === other[index].from && to === other[index].to,
    )
  )
}
