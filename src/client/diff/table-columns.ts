import { DataType, type Field } from '../../codecs/arrow/arrow.ts'
import type { ArrowData } from '../../codecs/arrow/arrow-data.ts'
import { dictionaryIds } from '../../codecs/arrow/arrow-read.ts'
import type { Layout } from '../../codecs/arrow/arrow-type.ts'
import type { ColumnData } from '../../codecs/table/table-exact.ts'
import type { TableReader } from '../../codecs/table/table-reader.ts'
import { sameCell } from '../../codecs/table/table-same.ts'
import type { Region } from './table-regions.ts'

/** A column, as the schema of a table names it. */
export interface TableColumn {
  readonly name: string
  /** As Arrow writes it: `Float64`, `Utf8`, `Timestamp<MILLISECOND, UTC>`. */
  readonly type: string
}

/** How the columns of one table become those of another. */
export interface ColumnChanges {
  readonly added: readonly TableColumn[]
  readonly removed: readonly TableColumn[]
  /** Another name, and nearly the same cells. */
  readonly renamed: readonly { readonly from: string; readonly to: string; readonly type: string }[]
  readonly retyped: readonly { readonly name: string; readonly before: string; readonly after: string }[]
  /** The columns that both have stand in another order. */
  readonly reordered: boolean
}

/** A column that both tables have. */
export interface ColumnPair {
  readonly from: string
  readonly name: string
  readonly a: number
  readonly b: number
  /** Cells are of one type and can be compared as they are. */
  readonly comparable: boolean
  /** Equal bytes mean equal cells: not so for indices into different dictionaries, nor for bytes of different types. */
  readonly stable: boolean
}

export interface Columns {
  readonly changes: ColumnChanges
  readonly pairs: readonly ColumnPair[]
  /** Equal batches hold equal rows, whichever columns are looked at. */
  readonly batchesTell: boolean
}

// A column that was renamed and edited is still recognised, two columns of few values are not taken for each other.
const renamedShare = 0.9

/** Pairs the columns of two tables. Reads one batch of each when some are gone and others, of their type, are new: they may have been renamed. */
export async function compareColumns(
  before: TableReader,
  after: TableReader,
  regions: readonly Region[],
): Promise<Columns> {
  const matched = new Map<number, number>()
  const places = new Map(before.fields.map((field, index) => [nameOf(field), index]))
  for (const [b, field] of after.fields.entries()) {
    const a = places.get(nameOf(field))
    if (a !== undefined) matched.set(b, a)
  }
  await matchRenamed(before, after, regions, matched)
  const taken = new Set(matched.values())
  const pairs: ColumnPair[] = []
  for (const [b, a] of [...matched].sort((one, two) => one[0] - two[0])) {
    const [from, to] = [before.fields[a], after.fields[b]]
    const comparable = valuesOf(from) === valuesOf(to)
    const stable = typeOf(from) === typeOf(to) && sameDictionaries(before, after, a, b)
    pairs.push({ from: nameOf(from), name: nameOf(to), a, b, comparable, stable })
  }
  const order = pairs.map(({ a }) => a)
  return {
    changes: {
      added: after.fields.filter((_, index) => !matched.has(index)).map(describe),
      removed: before.fields.filter((_, index) => !taken.has(index)).map(describe),
      renamed: pairs
        .filter(({ from, name }) => from !== name)
        .map(({ from, name, b }) => ({ from, to: name, type: typeOf(after.fields[b]) })),
      retyped: pairs
        .filter(({ a, b }) => typeOf(before.fields[a]) !== typeOf(after.fields[b]))
        .map(({ name, a, b }) => ({ name, before: typeOf(before.fields[a]), after: typeOf(after.fields[b]) })),
      reordered: order.some((a, index) => index > 0 && a < order[index - 1]),
    },
    pairs,
    batchesTell:
      before.fields.length === after.fields.length &&
      pairs.length === after.fields.length &&
      pairs.every(({ a, b, stable }) => a === b && stable),
  }
}

export function nameOf({ name }: Field): string {
  // apache-arrow reads a column without a name as one named null.
  return name ?? ''
}

function typeOf({ type }: Field): string {
  return String(type)
}

/** Without how values are coded: a dictionary of texts holds texts. */
function valuesOf({ type }: Field): string {
  return String(DataType.isDictionary(type) ? type.dictionary : type)
}

function describe(field: Field): TableColumn {
  return { name: nameOf(field), type: typeOf(field) }
}

async function matchRenamed(
  before: TableReader,
  after: TableReader,
  regions: readonly Region[],
  matched: Map<number, number>,
): Promise<void> {
  const taken = new Set(matched.values())
  const gone = before.fields.map((_, index) => index).filter((index) => !taken.has(index))
  const fresh = after.fields.map((_, index) => index).filter((index) => !matched.has(index))
  const sample = regions.find(({ kind }) => kind !== 'open') ?? regions.find(({ a, b }) => a[0] < a[1] && b[0] < b[1])
  if (gone.length === 0 || fresh.length === 0 || sample === undefined) return
  const [one, two] = await Promise.all([before.open(sample.a[0]), after.open(sample.b[0])])
  for (const b of fresh) {
    for (const a of gone) {
      if (taken.has(a) || typeOf(before.fields[a]) !== typeOf(after.fields[b])) continue
      if (!sameDictionaries(before, after, a, b) || one.signature(a) !== two.signature(b)) {
        await Promise.all([one.load([a]), two.load([b])])
        if (equalShare(one.column(a), two.column(b), Math.min(one.rows, two.rows)) < renamedShare) continue
      }
      taken.add(a)
      matched.set(b, a)
      break
    }
  }
}

function equalShare(a: ColumnData, b: ColumnData, rows: number): number {
  let equal = 0
  for (let row = 0; row < rows; row++) if (sameCell(a, row, b, row)) equal++
  return rows === 0 ? 0 : equal / rows
}

/** Whether an index that both dictionaries have stands for the same value in both: one may go on where the other ends. */
function sameDictionaries(before: TableReader, after: TableReader, a: number, b: number): boolean {
  const [one, two] = [dictionariesOf(before, a), dictionariesOf(after, b)]
  return (
    one.length === two.length && one.every((values, index) => values !== undefined && startAlike(values, two[index]))
  )
}

function dictionariesOf(table: TableReader, column: number): (Dictionary | undefined)[] {
  const layouts = dictionaryLayouts(table.layouts[column], table.fields[column].type)
  return layouts.map(({ id, type, layout }) => {
    // One that is replaced on the way stands for something else from batch to batch.
    const data = table.hasOneDictionary(id) ? table.dictionary(id, 0) : undefined
    return data && { type, layout, data }
  })
}

interface Dictionary {
  readonly type: DataType
  readonly layout: Layout
  readonly data: readonly ArrowData[]
}

function dictionaryLayouts(layout: Layout, type: DataType): { id: number; type: DataType; layout: Layout }[] {
  if (dictionaryIds(layout).length === 0) return []
  if (layout.kind === 'dictionary') {
    const values = DataType.isDictionary(type) ? type.dictionary : type
    return [{ id: layout.plan.id, type: values, layout: layout.values }, ...dictionaryLayouts(layout.values, values)]
  }
  if (layout.kind === 'list' || layout.kind === 'fixed-list')
    return dictionaryLayouts(layout.child, type.children[0].type)
  return layout.kind === 'struct' || layout.kind === 'union'
    ? layout.children.flatMap((child, index) => dictionaryLayouts(child, type.children[index].type))
    : []
}

function startAlike(one: Dictionary, two: Dictionary | undefined): boolean {
  if (two === undefined) return false
  const [a, b] = [cellsOf(one), cellsOf(two)]
  const common = Math.min(a.length, b.length)
  for (let index = 0; index < common; index++)
    if (!sameCell(a[index].column, a[index].row, b[index].column, b[index].row)) return false
  return true
}

function cellsOf({ type, layout, data }: Dictionary): { column: ColumnData; row: number }[] {
  return data.flatMap((piece) => {
    const column = { type, layout, data: piece }
    return Array.from({ length: piece.length }, (_, row) => ({ column, row }))
  })
}
