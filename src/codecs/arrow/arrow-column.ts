import type { Field } from './arrow.ts'
import { type ArrowData, startsOf } from './arrow-data.ts'
import { type DictionaryPlan, fieldWith, type Layout, leafType } from './arrow-type.ts'

/** One column as it will be stored: its field, how it lies in buffers, and its rows in one or more pieces. */
export interface Column {
  readonly name: string
  readonly field: Field
  readonly layout: Layout
  readonly chunks: readonly ArrowData[]
  readonly starts: readonly number[]
}

/** What is decided while the columns of one table are planned. */
export interface ColumnPlan {
  /** Columns whose dictionaries were written as plain values before, and stay so. */
  readonly plain: ReadonlySet<string>
  /** Dictionaries written at the start of the stream, in the order of their ids. */
  readonly dictionaries: { readonly plan: DictionaryPlan; readonly values: Layout }[]
}

/** What it takes to store layouts that only tables of Arrow have. */
export type ArrowLayouts = typeof import('../table/table-arrow-layouts.ts')

/** A column as it was given. */
export interface GivenColumn {
  readonly field: Field
  readonly chunks: readonly ArrowData[]
}

/** Columns with their types made anew and their dictionaries planned. Those with children or dictionaries are planned by a module of their own. */
export async function planColumns(given: readonly GivenColumn[], plan: ColumnPlan): Promise<Column[]> {
  const columns: Column[] = []
  // One after the other: dictionaries are numbered in the order of the columns.
  for (const { field, chunks } of given) {
    const name = field.name ?? ''
    const { type, layout } =
      leafType(field.type) ?? (await import('./arrow-nested-column.ts')).adopt(field.type, chunks, plan, name)
    columns.push({ name, field: fieldWith(field, type), layout, chunks, starts: startsOf(chunks) })
  }
  return columns
}

/** Columns with a dictionary that is written as plain values. */
export function isDecoded(layout: Layout): boolean {
  if (layout.kind === 'dictionary') return !layout.plan.kept || isDecoded(layout.values)
  if (layout.kind === 'list' || layout.kind === 'fixed-list') return isDecoded(layout.child)
  return (layout.kind === 'struct' || layout.kind === 'union') && layout.children.some(isDecoded)
}

/** Loaded for the first table that needs it: records and columns of plain values never do. */
export async function arrowLayouts(columns: readonly Column[]): Promise<ArrowLayouts | undefined> {
  return columns.some(({ layout }) => isOfArrow(layout)) ? import('../table/table-arrow-layouts.ts') : undefined
}

function isOfArrow(layout: Layout): boolean {
  if (layout.kind === 'list' || layout.kind === 'fixed-list') return isOfArrow(layout.child)
  if (layout.kind === 'struct') return layout.children.some(isOfArrow)
  return layout.kind === 'dictionary' || layout.kind === 'union' || layout.kind === 'view'
}
