import type { ArrowData } from '../arrow/arrow-data.ts'
import type { Steps } from '../steps.ts'
import type { ColumnPieces } from './table-blocks.ts'
import type { KeptCells } from './table-cells.ts'
import type { ColumnMemory, PieceMemory } from './table-memory.ts'

export interface RememberedOptions {
  /** Copies are kept: a table that later changes do not reach, until the next is kept. */
  readonly keep: boolean
  readonly hash: (chunks: readonly ArrowData[]) => Steps<string>
}

/** Pieces of a column that is read again and again: what is as it was is not read or copied again. */
export class RememberedPieces implements ColumnPieces {
  readonly memory: ColumnMemory
  readonly #options: RememberedOptions
  #hashes: string[] = []
  #kept: ArrowData[] = []

  constructor(memory: ColumnMemory, options: RememberedOptions) {
    this.memory = memory
    this.#options = options
  }

  /** Of all pieces: equal as long as the column is. */
  get hash(): string {
    return this.#hashes.join('')
  }

  addSame(values: readonly unknown[], from: number, to: number): boolean {
    const piece = this.#next()
    const copy = piece.copyOf(piece.hash)
    if ((this.#options.keep && !copy) || !piece.holds(values, from, to)) return false
    this.#kept.push(...(this.#options.keep && copy ? copy : []))
    this.#hashes.push(piece.hash)
    return true
  }

  restart(): void {
    this.memory.distrust()
    this.#hashes = []
    this.#kept = []
  }

  *add(chunks: readonly ArrowData[], cells?: KeptCells): Steps<void> {
    const piece = this.#next()
    const hash = yield* this.#options.hash(chunks)
    this.#take(hash, this.#options.keep ? (piece.copyOf(hash, chunks) ?? piece.copy(chunks)) : [], cells)
    yield
  }

  /** What is hashed is what is kept. */
  *addLive(chunks: readonly ArrowData[]): Steps<void> {
    if (!this.#options.keep) return yield* this.add(chunks)
    const piece = this.#next()
    const seen = yield* this.#options.hash(chunks)
    const same = piece.copyOf(seen, chunks)
    const copy = same ?? piece.copy(chunks)
    this.#take(same ? seen : yield* this.#options.hash(copy), copy)
    yield
  }

  end(): readonly ArrowData[] {
    this.memory.pieces.length = this.#hashes.length
    return this.#kept
  }

  #next(): PieceMemory {
    return this.memory.piece(this.#hashes.length)
  }

  #take(hash: string, copy: readonly ArrowData[], cells?: KeptCells): void {
    const piece = this.#next()
    piece.remember(hash, cells)
    if (this.#options.keep) piece.keepCopy(hash, copy)
    this.#kept.push(...copy)
    this.#hashes.push(hash)
  }
}
