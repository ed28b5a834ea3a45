import { sameCell, sameMeaning } from '../../codecs/table/table-same.ts'
import type { ColumnPair, Columns } from './table-columns.ts'
import type { Region } from './table-regions.ts'
import type { RowAt, TableRows } from './table-rows.ts'

/** What became of a row, by the numbers of rows and of pairs of columns: cells are read when somebody wants to see them. */
export type RowEvent =
  | { readonly change: 'added'; readonly after: number }
  | { readonly change: 'removed'; readonly before: number }
  | { readonly change: 'changed'; readonly before: number; readonly after: number; readonly columns: readonly number[] }

/** Two tables side by side, and what is known of them before their rows are read. */
export interface Compared {
  readonly before: TableRows
  readonly after: TableRows
  readonly columns: Columns
  readonly regions: readonly Region[]
  readonly signal: AbortSignal | undefined
}

/** Whether the rows differ in one pair of columns; `a` and `b` say where that pair stands in `columns` of each row. */
export function cellDiffers(pair: ColumnPair, before: RowAt, a: number, after: RowAt, b: number): boolean {
  const same = pair.comparable ? sameCell : sameMeaning
  return !same(before.columns[a], before.row, after.columns[b], after.row)
}

/** The pairs in which two rows differ, both with the columns of all pairs in their order. */
export function differing(pairs: readonly ColumnPair[], before: RowAt, after: RowAt): number[] {
  const found: number[] = []
  for (let pair = 0; pair < pairs.length; pair++)
    if (cellDiffers(pairs[pair], before, pair, after, pair)) found.push(pair)
  return found
}

export function* added(from: number, to: number): Generator<RowEvent> {
  for (let after = from; after < to; after++) yield { change: 'added', after }
}

export function* removed(from: number, to: number): Generator<RowEvent> {
  for (let before = from; before < to; before++) yield { change: 'removed', before }
}
