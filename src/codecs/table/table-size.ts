import type { Column } from '../arrow/arrow-column.ts'
import type { ArrowData } from '../arrow/arrow-data.ts'

/**
 * Rows of a batch on average. Measured on 1,000,000 rows of 6 columns: at 1024 there are four times the chunks, at 16,384 one changed cell
 * costs five times the bytes.
 */
const TARGET_ROWS = 4096
const LEAST_ROWS = 16
/** Wide cells make shorter batches: a column of one batch is about so large at most, so that one changed embedding stays cheap. */
const COLUMN_BYTES = 1024 * 1024
/** And one batch, which is held in memory while it is written (four times as much at worst). */
const BATCH_BYTES = 16 * 1024 * 1024
/** The version before is followed while the figure it used is at most so many times off: other cuts would cost a whole new table. */
const TOLERANCE = 4

/** How many rows a batch should have, a power of two. */
export function targetRows(columns: readonly Column[], rows: number, previous: unknown): number {
  const sizes = columns.map(
    ({ chunks }) => chunks.reduce((sum, chunk) => sum + byteLength(chunk), 0) / Math.max(1, rows),
  )
  const widest = sizes.reduce((most, size) => Math.max(most, size), 0)
  const all = sizes.reduce((sum, size) => sum + size, 0)
  let target = TARGET_ROWS
  while (target > LEAST_ROWS && (target * widest > COLUMN_BYTES || target * all > BATCH_BYTES)) target >>= 1
  const isUsable =
    typeof previous === 'number' && Number.isInteger(previous) && previous >= LEAST_ROWS && previous <= TARGET_ROWS
  return isUsable && previous <= target * TOLERANCE && previous * TOLERANCE >= target ? previous : target
}

function byteLength(data: ArrowData): number {
  const own = (data.values?.byteLength ?? 0) + (data.valueOffsets?.byteLength ?? 0)
  const views = (data.variadicBuffers ?? []).reduce((sum, view) => sum + view.byteLength, 0)
  return data.children.reduce((sum, child) => sum + byteLength(child), own + views)
}
