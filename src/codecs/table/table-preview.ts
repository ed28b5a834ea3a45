import type { ArrowLayouts, Column } from '../arrow/arrow-column.ts'
import { lastAtOrBefore } from '../arrow/arrow-data.ts'
import type { EncodeOptions, Json, Preview } from '../codec.ts'
import type { Steps } from '../steps.ts'
import { jsonCell } from './table-json-cell.ts'
import { columnSummary } from './table-summary.ts'

const HEAD_ROWS = 5
/** More columns than this are only counted: a page shows no more, and a preview stays small. */
const SHOWN_COLUMNS = 100
/** A preview is made for a list of many assets; what goes beyond is left out, the first rows first. */
const MOST_CHARACTERS = 4096

/** Schema, row count, a summary of each column and the first rows. */
export function* previewTable(
  columns: readonly Column[],
  rows: number,
  known: NonNullable<EncodeOptions['summaries']> = new Map(),
  ofArrow?: ArrowLayouts,
): Steps<Preview> {
  const shown = columns.slice(0, SHOWN_COLUMNS)
  const base = { kind: 'table', rows, columnCount: columns.length }
  const summaries: Json[] = []
  for (const column of shown) {
    const summary = known.get(column.name) ?? (yield* columnSummary(column, rows, ofArrow))
    known.set(column.name, summary)
    summaries.push(summary)
  }
  let room = MOST_CHARACTERS - JSON.stringify(summaries).length
  const head: Json[] = []
  for (let row = 0; row < Math.min(rows, HEAD_ROWS); row += 1) {
    const cells: Json = shown.map((column) => cellAt(column, row))
    room -= JSON.stringify(cells).length + 1
    if (room < 0 && row > 0) break
    head.push(cells)
  }
  return { ...base, columns: summaries, head }
}

function cellAt(column: Column, row: number): Json {
  const chunk = lastAtOrBefore(column.starts, row)
  const data = column.chunks[chunk]
  return data === undefined ? null : jsonCell(column.field.type, column.layout, data, row - (column.starts[chunk] ?? 0))
}
