import type { Field } from '../arrow/arrow.ts'
import type { ColumnBounds } from '../arrow/arrow-bounds.ts'
import { type Dictionaries, readColumn } from '../arrow/arrow-read.ts'
import type { Layout } from '../arrow/arrow-type.ts'
import { reading } from './table-damaged.ts'
import type { ColumnData } from './table-exact.ts'

/** Some bytes of a batch. Equal tokens mean equal bytes. */
export interface BatchPiece {
  readonly token: string
  readonly size: number
}

/** One batch as it is stored: pieces that follow one another, its message first. More bytes may follow its own. */
export interface StoredBatch {
  readonly rows: number
  pieces(): Promise<readonly BatchPiece[]>
  read(pieces: readonly number[]): Promise<readonly Uint8Array[]>
}

export interface BatchReaderOptions {
  readonly what: string
  readonly stored: StoredBatch
  readonly pieces: readonly BatchPiece[]
  /** Where the body begins in the bytes of the pieces. */
  readonly bodyAt: number
  readonly fields: readonly Field[]
  readonly layouts: readonly Layout[]
  readonly columns: readonly ColumnBounds[]
  readonly dictionaries: Dictionaries
}

/** One batch whose message was read: which bytes hold which column, and the columns that were asked for. */
export class BatchReader {
  readonly rows: number
  readonly #options: BatchReaderOptions
  /** Where each piece begins, and the end of the last. */
  readonly #starts: readonly number[]
  readonly #loaded = new Map<number, ColumnData>()

  constructor(options: BatchReaderOptions) {
    this.#options = options
    this.rows = options.stored.rows
    const starts = [0]
    for (const { size } of options.pieces) starts.push(starts[starts.length - 1] + size)
    this.#starts = starts
    const end = options.columns.reduce((most, column) => Math.max(most, column.end), 0)
    if (options.bodyAt + end > starts[starts.length - 1]) throw new RangeError('A batch is cut off.')
  }

  /** What it may come to when all of it is read. */
  get bytes(): number {
    return this.#starts[this.#starts.length - 1]
  }

  /** The same for columns that hold the same bytes, as far as can be told without reading them. */
  signature(column: number): string {
    const { nodes, buffers, variadic, start, end } = this.#options.columns[column]
    const parts = this.#within(column).map((piece) => {
      const from = this.#options.bodyAt + start - this.#starts[piece]
      return `${this.#options.pieces[piece].token} ${Math.max(0, from)} ${from + end - start}`
    })
    return [nodes.join(), buffers.join(), variadic.join(), ...parts].join('|')
  }

  /** Reads these columns, those that were not read before. @throws CorruptionError `table-damaged` */
  async load(columns: readonly number[]): Promise<void> {
    const missing = columns.filter((column) => !this.#loaded.has(column))
    const pieces = [...new Set(missing.flatMap((column) => this.#within(column)))].sort((a, b) => a - b)
    const contents = pieces.length === 0 ? [] : await this.#options.stored.read(pieces)
    const bytes = new Map(pieces.map((piece, index) => [piece, contents[index]]))
    for (const column of missing) this.#loaded.set(column, this.#column(column, bytes))
  }

  /** A column that was loaded. */
  column(index: number): ColumnData {
    const column = this.#loaded.get(index)
    if (column === undefined) throw new TypeError(`Column ${index} was not loaded.`)
    return column
  }

  #column(index: number, pieces: ReadonlyMap<number, Uint8Array>): ColumnData {
    const { what, columns, layouts, fields, bodyAt, dictionaries } = this.#options
    const bounds = columns[index]
    const bytes = new Uint8Array(bounds.end - bounds.start)
    const from = bodyAt + bounds.start
    for (const piece of this.#within(index)) {
      const content = pieces.get(piece)
      if (content === undefined) throw new TypeError(`Piece ${piece} was not read.`)
      const start = this.#starts[piece]
      const part = content.subarray(Math.max(0, from - start), Math.max(0, from + bytes.byteLength - start))
      bytes.set(part, Math.max(0, start - from))
    }
    const data = reading(what, () => readColumn(layouts[index], bounds, bytes, dictionaries))
    return { type: fields[index].type, layout: layouts[index], data }
  }

  /** The pieces that hold bytes of a column. */
  #within(column: number): number[] {
    const { columns, pieces, bodyAt } = this.#options
    const { start, end } = columns[column]
    if (start === end) return []
    const within: number[] = []
    for (let piece = 0; piece < pieces.length; piece += 1)
      if (this.#starts[piece] < bodyAt + end && this.#starts[piece + 1] > bodyAt + start) within.push(piece)
    return within
  }
}
