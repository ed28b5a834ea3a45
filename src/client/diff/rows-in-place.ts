import type { ColumnData } from '../../codecs/table/table-exact.ts'
import { RowHashes } from '../../codecs/table/table-row-hash.ts'
import { align, Kinds } from './align.ts'
import { type Compared, cellDiffers, type RowEvent } from './row-events.ts'

/** Two batches of as many rows, row by row at the same place. */
export interface InPlace {
  readonly events: readonly RowEvent[]
  /** The rows look as if they had moved: a place says nothing here. */
  readonly shifted: boolean
}

// One changed row cannot have moved.
const leastShifted = 2

/** Compares the columns whose bytes differ, and reads no others. */
export async function compareInPlace({ before, after, columns }: Compared, a: number, b: number): Promise<InPlace> {
  const { pairs } = columns
  const [one, two] = await Promise.all([before.batch(a), after.batch(b)])
  const different = pairs.flatMap((pair, index) =>
    pair.stable && one.signature(pair.a) === two.signature(pair.b) ? [] : [index],
  )
  const [old, fresh] = await Promise.all([
    before.columns(
      a,
      different.map((index) => pairs[index].a),
    ),
    after.columns(
      b,
      different.map((index) => pairs[index].b),
    ),
  ])
  const [startA, startB] = [before.start(a), after.start(b)]
  const events: (RowEvent & { change: 'changed' })[] = []
  for (let row = 0; row < one.rows && different.length > 0; row++) {
    const found = different.filter((pair, at) =>
      cellDiffers(pairs[pair], { columns: old, row }, at, { columns: fresh, row }, at),
    )
    if (found.length > 0) events.push({ change: 'changed', before: startA + row, after: startB + row, columns: found })
  }
  const comparable = different.flatMap((pair, at) => (pairs[pair].comparable ? [at] : []))
  const shifted =
    events.length >= leastShifted &&
    comparable.length > 0 &&
    hasShifted(
      comparable.map((at) => old[at]),
      comparable.map((at) => fresh[at]),
      [events[0].before - startA, events[events.length - 1].before - startA + 1],
      events.length,
    )
  return { events, shifted }
}

/** Whether more than half of the changed rows are found unchanged beside their place. */
function hasShifted(
  old: readonly ColumnData[],
  fresh: readonly ColumnData[],
  [from, to]: readonly [number, number],
  changed: number,
): boolean {
  const kinds = new Kinds<number>()
  const [a, b] = [old, fresh].map((columns) => {
    const hashes = new RowHashes(to - from)
    for (const column of columns) hashes.add(column, from, to, 0)
    return Int32Array.from({ length: to - from }, (_, row) => kinds.of(hashes.key(row)))
  })
  const moved = align(a, b, kinds.count).reduce((sum, run) => sum + (run.a === run.b ? 0 : run.count), 0)
  return moved * 2 > changed
}
