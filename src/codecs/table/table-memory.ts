import type { DataType } from '../arrow/arrow.ts'
import { type ArrowData, copiedData, copyInto } from '../arrow/arrow-data.ts'
import type { KeptCells } from './table-cells.ts'

/** What is remembered of a table between two readings, so that the next one reads only what changed. Columns by name. */
export class TableMemory {
  #columns = new Map<string, ColumnMemory>()

  column(name: string): ColumnMemory {
    let column = this.#columns.get(name)
    if (!column) {
      column = new ColumnMemory()
      this.#columns.set(name, column)
    }
    return column
  }

  /** Forgets all other columns. */
  keepOnly(names: Iterable<string>): void {
    const columns = new Map<string, ColumnMemory>()
    for (const name of names) columns.set(name, this.column(name))
    this.#columns = columns
  }

  /** Lets the copies go, which are as large as the table. */
  dropCopies(): void {
    for (const { pieces } of this.#columns.values()) for (const piece of pieces) piece.dropCopy()
  }
}

export class ColumnMemory {
  /** As it was when all its pieces were read and settled. */
  type: DataType | undefined
  readonly pieces: PieceMemory[] = []

  piece(index: number): PieceMemory {
    this.pieces[index] ??= new PieceMemory()
    return this.pieces[index]
  }

  /** No cells are taken for those that were there: all are read. The memory of copies serves again. */
  distrust(): void {
    this.type = undefined
    for (const piece of this.pieces) piece.remember('', undefined)
  }
}

// A copy that became longer needs other memory: some room for texts that grow.
const ROOM = 1 / 16
const ALIGNMENT = 8

/** A run of rows of one column. */
export class PieceMemory {
  /** Of what was read last; empty: unknown. */
  hash = ''
  #cells: KeptCells | undefined
  #copy: { readonly hash: string; readonly chunks: readonly ArrowData[] } | undefined
  #buffers: ArrayBuffer[] = []

  remember(hash: string, cells: KeptCells | undefined): void {
    this.hash = hash
    this.#cells = cells
  }

  holds(values: readonly unknown[], from: number, to: number): boolean {
    return this.#cells?.same(values, from, to) ?? false
  }

  /** The copy, if there is one of what has this hash, in arrays of the kind of these. */
  copyOf(hash: string, like?: readonly ArrowData[]): readonly ArrowData[] | undefined {
    const copy = this.#copy
    if (!copy || copy.hash !== hash) return undefined
    // A hash is of bytes: the same ones may be numbers of another kind now.
    const isLike = like?.every(({ values }, index) => values?.constructor === copy.chunks[index].values?.constructor)
    return isLike === false ? undefined : copy.chunks
  }

  /** A copy in the memory of the one before. Say `keepCopy` when it is known what it holds. */
  copy(chunks: readonly ArrowData[]): ArrowData[] {
    this.#copy = undefined
    const free = this.#buffers
    this.#buffers = []
    return chunks.map((data) => copiedData(data, (view) => this.#copied(view, free)))
  }

  keepCopy(hash: string, chunks: readonly ArrowData[]): void {
    this.#copy = { hash, chunks }
  }

  dropCopy(): void {
    this.#copy = undefined
    this.#buffers = []
  }

  #copied<View extends ArrayBufferView>(view: View, free: ArrayBuffer[]): View {
    const { byteLength } = view
    const most = Math.ceil((byteLength * (1 + ROOM)) / ALIGNMENT) * ALIGNMENT
    const fitting = free.findIndex((buffer) => buffer.byteLength >= byteLength && buffer.byteLength <= 2 * most)
    const buffer = fitting < 0 ? new ArrayBuffer(most) : free.splice(fitting, 1)[0]
    this.#buffers.push(buffer)
    return copyInto(view, buffer, 0)
  }
}
