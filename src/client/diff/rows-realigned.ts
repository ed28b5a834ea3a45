import { RowHashes } from '../../codecs/table/table-row-hash.ts'
import { sameCell } from '../../codecs/table/table-same.ts'
import { throwIfAborted } from '../../errors.ts'
import { breathe } from '../../platform/breathe.ts'
import { align, Kinds, type Run } from './align.ts'
import { added, type Compared, differing, type RowEvent, removed } from './row-events.ts'
import type { ColumnPair } from './table-columns.ts'
import type { RowAt, TableRows } from './table-rows.ts'

/** Rows from `[0]` to before `[1]`. */
export type Span = readonly [number, number]

// So many rows of a stretch are compared with each other at once, at about 60 bytes each; longer stretches in such parts, one after the other.
const mostRows = 4 * 1024 * 1024

// Up to so many pairs of rows, each is looked at for which belong together best.
const mostPairs = 4096

// Of the rows of a stretch in which all have changed, so many must be told by one column, for that column to say which belong together.
const tellingShare = 0.25

/** Rows that may have moved: which are new, which are gone, and which are still there, perhaps changed. */
export async function* realigned(compared: Compared, a: Span, b: Span): AsyncGenerator<RowEvent[]> {
  for (let [fromA, fromB] = [a[0], b[0]]; fromA < a[1] || fromB < b[1]; fromA += mostRows, fromB += mostRows)
    yield* realignedPart(
      compared,
      [Math.min(fromA, a[1]), Math.min(fromA + mostRows, a[1])],
      [Math.min(fromB, b[1]), Math.min(fromB + mostRows, b[1])],
    )
}

async function* realignedPart(compared: Compared, a: Span, b: Span): AsyncGenerator<RowEvent[]> {
  const { pairs } = compared.columns
  const comparable = pairs.filter((pair) => pair.comparable)
  const uncertain = comparable.length < pairs.length
  const runs = await equalRows(compared, a, b, comparable)
  yield* between(runs, a, b, {
    equal: uncertain ? (one, two) => paired(compared, one, two) : undefined,
    gap: (one, two) => gap(compared, one, two, comparable),
  })
}

/** Calls for what lies between the runs, and for the runs, in the order of the rows. */
async function* between(
  runs: readonly Run[],
  a: Span,
  b: Span,
  visit: {
    readonly equal: ((a: Span, b: Span) => AsyncGenerator<RowEvent[]>) | undefined
    readonly gap: (a: Span, b: Span) => AsyncGenerator<RowEvent[]>
  },
): AsyncGenerator<RowEvent[]> {
  let [atA, atB] = [a[0], b[0]]
  for (const run of [...runs, { a: a[1], b: b[1], count: 0 }]) {
    if (run.a > atA || run.b > atB) yield* visit.gap([atA, run.a], [atB, run.b])
    atA = run.a + run.count
    atB = run.b + run.count
    if (run.count > 0 && visit.equal) yield* visit.equal([run.a, atA], [run.b, atB])
  }
}

/** Runs of rows that are equal in these columns. */
async function equalRows(
  { before, after, signal }: Compared,
  a: Span,
  b: Span,
  columns: readonly ColumnPair[],
): Promise<Run[]> {
  if (columns.length === 0 || a[0] === a[1] || b[0] === b[1]) return []
  const one = await hashRows(
    before,
    a,
    columns.map((pair) => pair.a),
    signal,
  )
  const two = await hashRows(
    after,
    b,
    columns.map((pair) => pair.b),
    signal,
  )
  const kinds = new Kinds<number>()
  const [idsA, idsB] = [one, two].map((hashes) => Int32Array.from(hashes.low, (_, row) => kinds.of(hashes.key(row))))
  return align(idsA, idsB, kinds.count)
    .flatMap((run) => trulyEqual(run, one, two))
    .map(({ a: x, b: y, count }) => ({ a: x + a[0], b: y + b[0], count }))
}

/** The numbers that are aligned come from a part of the hash. */
function trulyEqual(run: Run, one: RowHashes, two: RowHashes): Run[] {
  const runs: Run[] = []
  let from = 0
  for (let at = 0; at <= run.count; at++) {
    if (at < run.count && one.equal(run.a + at, two, run.b + at)) continue
    if (at > from) runs.push({ a: run.a + from, b: run.b + from, count: at - from })
    from = at + 1
  }
  return runs
}

async function hashRows(
  rows: TableRows,
  [from, to]: Span,
  columns: readonly number[],
  signal: AbortSignal | undefined,
): Promise<RowHashes> {
  const hashes = new RowHashes(to - from)
  for await (const stretch of rows.stretches(from, to, columns)) {
    throwIfAborted(signal)
    for (const column of stretch.columns) hashes.add(column, stretch.from, stretch.to, stretch.at - from)
    await breathe()
  }
  return hashes
}

/** No row of one side is equal to one of the other, or not in this order. */
async function* gap(
  compared: Compared,
  a: Span,
  b: Span,
  comparable: readonly ColumnPair[],
): AsyncGenerator<RowEvent[]> {
  const [p, q] = [a[1] - a[0], b[1] - b[0]]
  if (p * q <= mostPairs) yield* likeliest(compared, a, b, comparable)
  else {
    const runs = await byOneColumn(compared, a, b, comparable)
    yield* between(runs, a, b, {
      equal: (one, two) => paired(compared, one, two),
      gap: (one, two) => likeliest(compared, one, two, comparable),
    })
  }
}

/** All rows have changed, but perhaps a column tells which is which. */
async function byOneColumn(
  compared: Compared,
  a: Span,
  b: Span,
  comparable: readonly ColumnPair[],
): Promise<readonly Run[]> {
  let best: readonly Run[] = []
  let most = tellingShare * Math.min(a[1] - a[0], b[1] - b[0])
  for (const pair of comparable) {
    const runs = await equalRows(compared, a, b, [pair])
    const count = runs.reduce((sum, run) => sum + run.count, 0)
    if (count <= most) continue
    most = count
    best = runs
  }
  return best
}

/** Rows one by one, the first of one side with the first of the other. */
async function* paired({ before, after, columns, signal }: Compared, a: Span, b: Span): AsyncGenerator<RowEvent[]> {
  const { pairs } = columns
  const olds = pairs.map((pair) => pair.a)
  const news = pairs.map((pair) => pair.b)
  for await (const old of before.stretches(a[0], a[1], olds)) {
    const offset = b[0] - a[0]
    for await (const fresh of after.stretches(old.at + offset, old.at + offset + old.to - old.from, news)) {
      throwIfAborted(signal)
      const events: RowEvent[] = []
      for (let row = 0; row < fresh.to - fresh.from; row++) {
        const [one, two] = [fresh.at - offset + row, fresh.at + row]
        const found = differing(
          pairs,
          { columns: old.columns, row: old.from + one - old.at },
          { columns: fresh.columns, row: fresh.from + row },
        )
        if (found.length > 0) events.push({ change: 'changed', before: one, after: two, columns: found })
      }
      yield events
    }
  }
}

/** The way from one side to the other that changes the fewest cells, while there are few rows; else row by row, and what is left is gone or new. */
async function* likeliest(
  compared: Compared,
  a: Span,
  b: Span,
  comparable: readonly ColumnPair[],
): AsyncGenerator<RowEvent[]> {
  const [p, q] = [a[1] - a[0], b[1] - b[0]]
  const known = p > 0 && q > 0 && p * q <= mostPairs ? await cheapest(compared, a, b, comparable) : undefined
  const runs = known ?? [{ a: a[0], b: b[0], count: Math.min(p, q) }]
  yield* between(runs, a, b, {
    equal: (one, two) => paired(compared, one, two),
    gap: async function* (one, two) {
      yield [...removed(...one), ...added(...two)]
    },
  })
}

// A row that is gone and one that is new cost as much as one that changed in all its cells, and a little more: a row in its place is the same row.
const alone = 0.505

/** Edit distance between rows, where turning one row into another costs the share of its cells that differ. */
async function cheapest(
  { before, after }: Compared,
  a: Span,
  b: Span,
  comparable: readonly ColumnPair[],
): Promise<Run[]> {
  const olds = await rowsOf(
    before,
    a,
    comparable.map((pair) => pair.a),
  )
  const news = await rowsOf(
    after,
    b,
    comparable.map((pair) => pair.b),
  )
  const width = news.length + 1
  const costs = new Float64Array((olds.length + 1) * width)
  for (let i = 0; i <= olds.length; i++) {
    for (let j = 0; j <= news.length; j++) {
      if (i === 0 || j === 0) {
        costs[i * width + j] = (i + j) * alone
        continue
      }
      const change = costs[(i - 1) * width + j - 1] + share(olds[i - 1], news[j - 1])
      const gone = costs[(i - 1) * width + j] + alone
      const fresh = costs[i * width + j - 1] + alone
      costs[i * width + j] = Math.min(change, gone, fresh)
    }
  }
  const runs: Run[] = []
  let [i, j] = [olds.length, news.length]
  while (i > 0 && j > 0) {
    const cost = costs[i * width + j]
    if (cost === costs[(i - 1) * width + j] + alone) i--
    else if (cost === costs[i * width + j - 1] + alone) j--
    else {
      i--
      j--
      runs.push({ a: a[0] + i, b: b[0] + j, count: 1 })
    }
  }
  return runs.reverse()
}

async function rowsOf(rows: TableRows, [from, to]: Span, columns: readonly number[]): Promise<RowAt[]> {
  const found: RowAt[] = []
  for await (const stretch of rows.stretches(from, to, columns))
    for (let row = stretch.from; row < stretch.to; row++) found.push({ columns: stretch.columns, row })
  return found
}

function share(one: RowAt, two: RowAt): number {
  if (one.columns.length === 0) return 1
  let differ = 0
  for (let column = 0; column < one.columns.length; column++)
    if (!sameCell(one.columns[column], one.row, two.columns[column], two.row)) differ++
  return differ / one.columns.length
}
