import { TableReader } from '../../codecs/table/table-reader.ts'
import { InvalidInputError, throwIfAborted } from '../../errors.ts'
import { nearest } from '../../options.ts'
import type { Compared, RowEvent } from './row-events.ts'
import { changesByKey, type KeyedRows, matchKeys, RepeatedKey } from './rows-by-key.ts'
import { changesByPosition } from './rows-by-position.ts'
import { type ColumnChanges, type ColumnPair, compareColumns, nameOf } from './table-columns.ts'
import type { TablePlace } from './table-place.ts'
import { alignBatches } from './table-regions.ts'
import { TableRows } from './table-rows.ts'
import { type ComparableTable, openTables } from './table-stored.ts'

/** How rows of two tables are matched. */
export interface RowMatch {
  /**
   * The column, or columns, that tell rows apart: rows with the same key are the same row, wherever they stand. Left out, it is the key the table was registered with; without
   * one, or with null, rows are matched by position: an inserted or deleted row does not change the rows behind it.
   */
  readonly key?: string | readonly string[] | null
  readonly signal?: AbortSignal
}

export interface TableDiffOptions extends RowMatch {
  /** How many rows to list, perhaps `Infinity`; all are counted. Default 100. */
  readonly limit?: number
}

/** What became of one row. Rows are counted from 0; cells are plain JavaScript values, and columns stand by their names. */
export type RowChange =
  | { readonly change: 'added'; readonly after: number; readonly key?: Cells; readonly values: Cells }
  | { readonly change: 'removed'; readonly before: number; readonly key?: Cells; readonly values: Cells }
  | {
      readonly change: 'changed'
      readonly before: number
      readonly after: number
      readonly key?: Cells
      readonly cells: Readonly<Record<string, { readonly before: unknown; readonly after: unknown }>>
    }

export type Cells = Readonly<Record<string, unknown>>

/** How one version of a table becomes another. */
export interface TableDiff {
  /** The columns rows were matched by; null where they were matched by position. */
  readonly key: readonly string[] | null
  readonly columns: ColumnChanges
  readonly rowsBefore: number
  readonly rowsAfter: number
  /** Rows that are new, gone, and changed in some column that both versions have. */
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** Changed cells in all, and by column. */
  readonly cells: number
  readonly cellsByColumn: Readonly<Record<string, number>>
  /** The first of these rows. */
  readonly rows: readonly RowChange[]
}

const defaultLimit = 100

interface Comparison {
  readonly compared: Compared
  /** Numbers of the pairs of columns that are the key. */
  readonly key: readonly number[]
  readonly keyed: KeyedRows | undefined
}

/** Two tables that were opened together, and the key they were registered with. */
export interface OpenedTables {
  readonly before: ComparableTable
  readonly after: ComparableTable
  readonly recordedKey?: unknown
}

/** @throws CorruptionError `table-damaged`; UnsupportedError `arrow-compressed` */
export async function openBoth(before: TablePlace, after: TablePlace, signal?: AbortSignal): Promise<OpenedTables> {
  const [old, fresh] = await openTables(before, after, signal)
  return { before: old, after: fresh, recordedKey: after.entry.info?.key ?? before.entry.info?.key }
}

/** @throws InvalidInputError `key-column-missing`, `key-repeated`; CorruptionError `table-damaged` */
export async function diffTables(tables: OpenedTables, options: TableDiffOptions): Promise<TableDiff> {
  const { limit = defaultLimit } = options
  const comparison = await compare(tables, options)
  const { compared, key, keyed } = comparison
  const { pairs, changes } = compared.columns
  const counts = { added: 0, removed: 0, changed: 0 }
  const cells = pairs.map(() => 0)
  const rows: RowChange[] = []
  for await (const events of eventsOf(comparison)) {
    throwIfAborted(options.signal)
    for (const event of events) {
      counts[event.change] += 1
      if (event.change === 'changed') for (const pair of event.columns) cells[pair] += 1
      if (rows.length < limit) rows.push(await rowChange(comparison, event))
    }
  }
  return {
    key: keyed ? key.map((pair) => pairs[pair].name) : null,
    columns: changes,
    rowsBefore: compared.before.table.rows,
    rowsAfter: compared.after.table.rows,
    ...counts,
    cells: cells.reduce((sum, count) => sum + count, 0),
    cellsByColumn: Object.fromEntries(
      pairs.flatMap(({ name }, pair) => (cells[pair] > 0 ? [[name, cells[pair]] as const] : [])),
    ),
    rows,
  }
}

/** Every row that differs, one after another. @throws as `diffTables` */
export async function* diffRows(tables: OpenedTables, options: RowMatch): AsyncGenerator<RowChange> {
  const comparison = await compare(tables, options)
  for await (const events of eventsOf(comparison)) for (const event of events) yield rowChange(comparison, event)
}

async function compare({ before, after, recordedKey }: OpenedTables, { key, signal }: RowMatch): Promise<Comparison> {
  const regions = alignBatches(before, after)
  const [oldTable, newTable] = [new TableReader(before), new TableReader(after)]
  const columns = await compareColumns(oldTable, newTable, regions)
  const compared = { before: new TableRows(oldTable), after: new TableRows(newTable), columns, regions, signal }
  const named = key === undefined ? recordedPairs(recordedKey, columns.pairs) : keyPairs(key, columns.pairs, compared)
  if (named.length === 0) return { compared, key: [], keyed: undefined }
  const keyed = await matchKeys(compared, named)
  if (!(keyed instanceof RepeatedKey)) return { compared, key: named, keyed }
  if (key !== undefined) throw await repeated(keyed, compared, named)
  return { compared, key: [], keyed: undefined }
}

function eventsOf({ compared, keyed }: Comparison): AsyncGenerator<readonly RowEvent[]> {
  return keyed ? changesByKey(compared, keyed) : changesByPosition(compared)
}

/** Where both versions have such a column. */
function recordedPairs(key: unknown, pairs: readonly ColumnPair[]): number[] {
  const index = pairs.findIndex(({ name }) => name === key)
  return index === -1 ? [] : [index]
}

function keyPairs(key: RowMatch['key'], pairs: readonly ColumnPair[], { before, after }: Compared): number[] {
  const names = typeof key === 'string' ? [key] : (key ?? [])
  return names.map((name) => {
    const index = pairs.findIndex((pair) => pair.name === name || pair.from === name)
    if (index !== -1) return index
    const known = pairs.map((pair) => pair.name)
    const [near] = nearest(name, known)
    const hint = near ? `Did you mean '${near}'?` : `Both have: ${known.join(', ')}.`
    throw new InvalidInputError(
      `Not both of ${before.table.what} and ${after.table.what} have a column '${name}' to be the key. ${known.length > 0 ? hint : 'Leave the key out.'}`,
      { code: 'key-column-missing', fields: { column: name } },
    )
  })
}

async function repeated(
  { side, rows }: RepeatedKey,
  { columns, ...tables }: Compared,
  key: readonly number[],
): Promise<InvalidInputError> {
  const names = key.map((pair) => (side === 'before' ? columns.pairs[pair].from : columns.pairs[pair].name))
  const indexes = key.map((pair) => (side === 'before' ? columns.pairs[pair].a : columns.pairs[pair].b))
  const cells = await tables[side].cells(rows[0], indexes)
  const shown = cells.map((cell) => (typeof cell === 'string' ? `'${cell.slice(0, 80)}'` : String(cell)))
  return new InvalidInputError(
    `${names.map((name) => `'${name}'`).join(', ')} is no key of ${tables[side].table.what}: ${shown.join(', ')} stands in rows ${rows[0]} and ${rows[1]}. Compare by another column, or by position with key: null.`,
    { code: 'key-repeated', fields: { columns: names } },
  )
}

async function rowChange({ compared, key, keyed }: Comparison, event: RowEvent): Promise<RowChange> {
  const { before, after, columns } = compared
  const { pairs } = columns
  const keyCells = async (rows: TableRows, row: number, side: 'a' | 'b', name: 'from' | 'name') => {
    if (keyed === undefined) return {}
    const cells = await rows.cells(
      row,
      key.map((pair) => pairs[pair][side]),
    )
    return { key: Object.fromEntries(key.map((pair, index) => [pairs[pair][name], cells[index]])) }
  }
  if (event.change === 'added') {
    const values = await wholeRow(after, event.after)
    return { change: 'added', after: event.after, ...(await keyCells(after, event.after, 'b', 'name')), values }
  }
  if (event.change === 'removed') {
    const values = await wholeRow(before, event.before)
    return { change: 'removed', before: event.before, ...(await keyCells(before, event.before, 'a', 'from')), values }
  }
  const changed = event.columns.map((pair) => pairs[pair])
  const old = await before.cells(
    event.before,
    changed.map(({ a }) => a),
  )
  const fresh = await after.cells(
    event.after,
    changed.map(({ b }) => b),
  )
  return {
    change: 'changed',
    before: event.before,
    after: event.after,
    ...(await keyCells(after, event.after, 'b', 'name')),
    cells: Object.fromEntries(changed.map(({ name }, index) => [name, { before: old[index], after: fresh[index] }])),
  }
}

async function wholeRow(rows: TableRows, row: number): Promise<Cells> {
  const { fields } = rows.table
  const cells = await rows.cells(
    row,
    fields.map((_, index) => index),
  )
  return Object.fromEntries(fields.map((field, index) => [nameOf(field), cells[index]]))
}
