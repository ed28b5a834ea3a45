import { lastAtOrBefore } from '../../codecs/arrow/arrow-data.ts'
import { exactCell } from '../../codecs/table/table-exact.ts'
import { RowHashes } from '../../codecs/table/table-row-hash.ts'
import { meaningOf } from '../../codecs/table/table-same.ts'
import { throwIfAborted } from '../../errors.ts'
import { breathe } from '../../platform/breathe.ts'
import { ahead, lookAhead } from '../ahead.ts'
import { type Compared, differing, type RowEvent } from './row-events.ts'
import { compareInPlace } from './rows-in-place.ts'
import { unitsOf } from './table-regions.ts'
import type { RowAt, TableRows } from './table-rows.ts'

/** A key that stands in two rows of one table. */
export class RepeatedKey {
  readonly side: 'before' | 'after'
  readonly rows: readonly [number, number]

  constructor(side: 'before' | 'after', rows: readonly [number, number]) {
    this.side = side
    this.rows = rows
  }
}

/** The batches to look at, and how rows of those that do not match in place match by key. */
export interface KeyedRows {
  readonly steps: readonly Step[]
  readonly old: KeyedSide
  readonly fresh: KeyedSide
  /** For each row of `fresh`, the row of `old` with its key, or -1. */
  readonly matches: Int32Array
  /** The rows of `old` whose key `fresh` has. */
  readonly found: Uint8Array
}

/** Two batches whose keys are the same, row by row; or batches whose keys were read. */
type Step =
  | { readonly kind: 'in-place'; readonly a: number; readonly b: number }
  | { readonly kind: 'keyed'; readonly a: readonly [number, number]; readonly b: readonly [number, number] }

type Key = string | number

/**
 * Reads the keys of the rows that may differ, and their hashes: about 100 bytes for each are held. Batches that both tables have are not read, so a
 * key that is repeated in one of those is not noticed.
 */
export async function matchKeys(compared: Compared, key: readonly number[]): Promise<KeyedRows | RepeatedKey> {
  const { before, after, signal } = compared
  const { pairs } = compared.columns
  const steps = await stepsOf(compared, key)
  const compare = pairs.flatMap((pair, index) => (pair.comparable ? [index] : []))
  const old = new KeyedSide(
    before,
    steps.flatMap((step) => (step.kind === 'keyed' ? [step.a] : [])),
  )
  const fresh = new KeyedSide(
    after,
    steps.flatMap((step) => (step.kind === 'keyed' ? [step.b] : [])),
  )
  const places = new Map<Key, number>()
  const columnsOf = (side: 'a' | 'b') => [key, compare].map((list) => list.map((index) => pairs[index][side]))
  const [oldKey, oldColumns] = columnsOf('a')
  for await (const { keys, first } of old.read(oldKey, oldColumns, signal)) {
    for (const [index, one] of keys.entries()) {
      const known = places.get(one)
      if (known !== undefined) return new RepeatedKey('before', [old.number(known), old.number(first + index)])
      places.set(one, first + index)
    }
  }
  const matches = new Int32Array(fresh.rows).fill(-1)
  const found = new Uint8Array(old.rows)
  const seen = new Map<Key, number>()
  const [newKey, newColumns] = columnsOf('b')
  for await (const { keys, first } of fresh.read(newKey, newColumns, signal)) {
    for (const [index, one] of keys.entries()) {
      const known = seen.get(one)
      if (known !== undefined) return new RepeatedKey('after', [fresh.number(known), fresh.number(first + index)])
      seen.set(one, first + index)
      const match = places.get(one)
      if (match === undefined) continue
      matches[first + index] = match
      found[match] = 1
    }
  }
  return { steps, old, fresh, matches, found }
}

/** Rows matched by their key, wherever they stand. Of each stretch the rows that are gone come first. */
export async function* changesByKey(compared: Compared, keyed: KeyedRows): AsyncGenerator<RowEvent[]> {
  for (const step of keyed.steps) {
    throwIfAborted(compared.signal)
    if (step.kind === 'in-place') {
      yield [...(await compareInPlace(compared, step.a, step.b)).events]
      continue
    }
    yield keyed.old
      .rowsOf(step.a)
      .filter((row) => keyed.found[row] === 0)
      .map((row) => ({ change: 'removed', before: keyed.old.number(row) }))
    for (let batch = step.b[0]; batch < step.b[1]; batch++) yield await changesOfBatch(compared, keyed, batch)
  }
}

async function changesOfBatch(compared: Compared, keyed: KeyedRows, batch: number): Promise<RowEvent[]> {
  const { before, after, columns } = compared
  const { pairs } = columns
  const all = pairs.every(({ comparable }) => comparable)
  const events: RowEvent[] = []
  for (const row of keyed.fresh.rowsOf([batch, batch + 1])) {
    const match = keyed.matches[row]
    const number = keyed.fresh.number(row)
    if (match === -1) {
      events.push({ change: 'added', after: number })
      continue
    }
    if (all && keyed.fresh.hashes.equal(row, keyed.old.hashes, match)) continue
    const one = await before.at(
      keyed.old.number(match),
      pairs.map(({ a }) => a),
    )
    const two = await after.at(
      number,
      pairs.map(({ b }) => b),
    )
    const found = differing(pairs, one, two)
    if (found.length > 0)
      events.push({ change: 'changed', before: keyed.old.number(match), after: number, columns: found })
  }
  return events
}

/** Where the keys of two batches are the same, bytes say so: their rows are compared in place. */
async function stepsOf({ before, after, columns, regions, signal }: Compared, key: readonly number[]): Promise<Step[]> {
  const keyPairs = key.map((index) => columns.pairs[index])
  const steps: Step[] = []
  const units = ahead(unitsOf(regions, columns.batchesTell), lookAhead, async ({ kind, a, b }) => {
    if (kind === 'open') return false
    const [one, two] = await Promise.all([before.batch(a[0]), after.batch(b[0])])
    return keyPairs.every((pair) => pair.stable && one.signature(pair.a) === two.signature(pair.b))
  })
  for await (const { item, result: inPlace } of units) {
    throwIfAborted(signal)
    steps.push(inPlace ? { kind: 'in-place', a: item.a[0], b: item.b[0] } : { kind: 'keyed', a: item.a, b: item.b })
  }
  return steps
}

/** The rows of one table whose keys are read, numbered one after another. */
class KeyedSide {
  readonly hashes: RowHashes
  readonly rows: number
  readonly #table: TableRows
  /** Number here, in the table, and how many. */
  readonly #stretches: readonly { readonly at: number; readonly start: number; readonly count: number }[]

  readonly #firsts: readonly number[]

  constructor(table: TableRows, batches: readonly (readonly [number, number])[]) {
    this.#table = table
    let rows = 0
    this.#stretches = batches.map(([from, to]) => {
      const start = table.start(from)
      const stretch = { at: rows, start, count: table.start(to) - start }
      rows += stretch.count
      return stretch
    })
    this.rows = rows
    this.#firsts = this.#stretches.map(({ at }) => at)
    this.hashes = new RowHashes(rows)
  }

  /** The number of a row in the table. */
  number(row: number): number {
    const stretch = this.#stretches[lastAtOrBefore(this.#firsts, row)]
    return stretch.start + row - stretch.at
  }

  /** The rows of some batches, by their numbers here. */
  rowsOf([from, to]: readonly [number, number]): number[] {
    const [first, end] = [this.#table.start(from), this.#table.start(to)]
    const stretch = this.#stretches.find(({ start, count }) => start <= first && end <= start + count && count > 0)
    return stretch === undefined
      ? []
      : Array.from({ length: end - first }, (_, index) => stretch.at + first - stretch.start + index)
  }

  /** The keys of some rows at a time, the first of them `first`; hashes their other columns on the way. */
  async *read(
    key: readonly number[],
    columns: readonly number[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ keys: readonly Key[]; first: number }> {
    for (const { at, start, count } of this.#stretches) {
      for await (const stretch of this.#table.stretches(start, start + count, [...key, ...columns])) {
        throwIfAborted(signal)
        const first = at + stretch.at - start
        const keyColumns = stretch.columns.slice(0, key.length)
        for (const column of stretch.columns.slice(key.length)) this.hashes.add(column, stretch.from, stretch.to, first)
        const length = stretch.to - stretch.from
        yield {
          keys: Array.from({ length }, (_, row) => keyOf({ columns: keyColumns, row: stretch.from + row })),
          first,
        }
        await breathe()
      }
    }
  }
}

/** The same for keys that mean the same; numbers stay numbers, which take the least room. */
function keyOf({ columns, row }: RowAt): Key {
  const [only, ...others] = columns
  const value = exactCell(only, row)
  if (others.length > 0)
    return JSON.stringify([
      meaningOf(value, only.type),
      ...others.map((column) => meaningOf(exactCell(column, row), column.type)),
    ])
  if (typeof value === 'number') return value
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value)
  return meaningOf(value, only.type)
}
