import { lastAtOrBefore } from '../../codecs/arrow/arrow-data.ts'
import type { BatchReader } from '../../codecs/table/table-batch.ts'
import { type ColumnData, exactCell } from '../../codecs/table/table-exact.ts'
import type { TableReader } from '../../codecs/table/table-reader.ts'

// What is held on each side, as stored: the batches that are compared, and those that rows came from a moment ago.
const heldBytes = 32 * 1024 * 1024
const heldAtLeast = 4

/** A row where it lies: its number in a batch, and columns of that batch. */
export interface RowAt {
  readonly columns: readonly ColumnData[]
  readonly row: number
}

/** Rows of a stored table by their number, over batches that are read when needed and held for a while. */
export class TableRows {
  readonly table: TableReader
  readonly #starts: readonly number[]
  readonly #held = new Map<number, { readonly opening: Promise<BatchReader>; ready?: BatchReader }>()
  #bytes = 0

  constructor(table: TableReader) {
    this.table = table
    let rows = 0
    this.#starts = table.batches.map((batch) => {
      const start = rows
      rows += batch.rows
      return start
    })
  }

  /** The first row of a batch; behind the last batch, the number of rows. */
  start(batch: number): number {
    return this.#starts[batch] ?? this.table.rows
  }

  async batch(index: number): Promise<BatchReader> {
    const held = this.#held.get(index)
    if (held?.ready) {
      // Used last, let go last.
      this.#held.delete(index)
      this.#held.set(index, held)
      return held.ready
    }
    const opened = held ?? { opening: this.table.open(index) }
    this.#held.set(index, opened)
    try {
      const batch = await opened.opening
      if (opened.ready === undefined) this.#bytes += batch.bytes
      opened.ready = batch
      this.#letGo()
      return batch
    } catch (error) {
      this.#held.delete(index)
      throw error
    }
  }

  /** Columns of a batch, read unless they were. */
  async columns(index: number, columns: readonly number[]): Promise<readonly ColumnData[]> {
    const batch = await this.batch(index)
    await batch.load(columns)
    return columns.map((column) => batch.column(column))
  }

  /** Rows `from` to before `to`, batch by batch: columns of the batch, and which of its rows. */
  async *stretches(
    from: number,
    to: number,
    columns: readonly number[],
  ): AsyncGenerator<{ columns: readonly ColumnData[]; from: number; to: number; at: number }> {
    for (let row = from; row < to; ) {
      const index = this.#batchOf(row)
      const start = this.start(index)
      const end = Math.min(to, this.start(index + 1))
      yield { columns: await this.columns(index, columns), from: row - start, to: end - start, at: row }
      row = end
    }
  }

  async at(row: number, columns: readonly number[]): Promise<RowAt> {
    const index = this.#batchOf(row)
    return { columns: await this.columns(index, columns), row: row - this.start(index) }
  }

  /** Some cells of a row in full. */
  async cells(row: number, columns: readonly number[]): Promise<unknown[]> {
    const at = await this.at(row, columns)
    return at.columns.map((column) => exactCell(column, at.row))
  }

  #batchOf(row: number): number {
    return lastAtOrBefore(this.#starts, row)
  }

  #letGo(): void {
    for (const [index, { ready }] of this.#held) {
      if (this.#bytes <= heldBytes || this.#held.size <= heldAtLeast) return
      if (ready === undefined) continue
      this.#bytes -= ready.bytes
      this.#held.delete(index)
    }
  }
}
