import { throwIfAborted } from '../../errors.ts'
import { ahead, lookAhead } from '../ahead.ts'
import type { Compared, RowEvent } from './row-events.ts'
import { compareInPlace } from './rows-in-place.ts'
import { realigned } from './rows-realigned.ts'
import { type Region, unitsOf } from './table-regions.ts'

/** Rows matched by where they stand, told apart from rows that were inserted or deleted before them. In the order of the tables. */
export async function* changesByPosition(compared: Compared): AsyncGenerator<RowEvent[]> {
  const { before, after, signal } = compared
  let open: Region | undefined
  async function* close(): AsyncGenerator<RowEvent[]> {
    if (open === undefined) return
    const { a, b } = open
    open = undefined
    yield* realigned(compared, [before.start(a[0]), before.start(a[1])], [after.start(b[0]), after.start(b[1])])
  }
  const units = unitsOf(compared.regions, compared.columns.batchesTell)
  const prepared = ahead(units, lookAhead, async (unit) =>
    unit.kind === 'rows' ? compareInPlace(compared, unit.a[0], unit.b[0]) : undefined,
  )
  for await (const { item: unit, result } of prepared) {
    throwIfAborted(signal)
    const moved = result === undefined || result.shifted
    const adjacent = open !== undefined && open.a[1] === unit.a[0] && open.b[1] === unit.b[0]
    if (!(moved && adjacent)) yield* close()
    if (!moved) yield [...result.events]
    else if (open === undefined) open = { ...unit, kind: 'open' }
    else open = { kind: 'open', a: [open.a[0], unit.a[1]], b: [open.b[0], unit.b[1]] }
  }
  yield* close()
}
