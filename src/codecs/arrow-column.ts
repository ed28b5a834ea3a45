import {
  type DataType,
  DataType as DataTypes,
  Dictionary,
  type Field,
  Int8,
  Int16,
  Int32,
  Uint8,
  Uint16,
  Uint32,
} from './arrow.ts'
import { type ArrowData, startsOf } from './arrow-data.ts'
import { fits, planDictionary, valueCount } from './arrow-dictionary.ts'
import { type DictionaryPlan, fieldWith, type IndexType, type Layout, leafType, nestedType } from './arrow-type.ts'

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

/** A column of an Arrow table, its type made anew and its dictionaries planned. */
export function planColumn(field: Field, chunks: readonly ArrowData[], plan: ColumnPlan): Column {
  const { type, layout } = adopt(field.type, chunks, plan, field.name ?? '')
  return { name: field.name ?? '', field: fieldWith(field, type), layout, chunks, starts: startsOf(chunks) }
}

/** Columns with a dictionary that is written as plain values. */
export function isDecoded(layout: Layout): boolean {
  if (layout.kind === 'dictionary') return !layout.plan.kept || isDecoded(layout.values)
  if (layout.kind === 'list' || layout.kind === 'fixed-list') return isDecoded(layout.child)
  return (layout.kind === 'struct' || layout.kind === 'union') && layout.children.some(isDecoded)
}

function adopt(
  type: DataType,
  chunks: readonly ArrowData[],
  plan: ColumnPlan,
  name: string,
): { type: DataType; layout: Layout } {
  const leaf = leafType(type)
  if (leaf !== undefined) return leaf
  if (DataTypes.isDictionary(type)) return adoptDictionary(type, chunks, plan, name)
  const fields: Field[] = []
  const layouts: Layout[] = []
  type.children.forEach((field, index) => {
    const inner = chunks.flatMap(({ children }) => children[index] ?? [])
    const child = adopt(field.type, inner, plan, name)
    fields.push(fieldWith(field, child.type))
    layouts.push(child.layout)
  })
  return nestedType(type, fields, layouts)
}

function adoptDictionary(
  type: Dictionary,
  chunks: readonly ArrowData[],
  plan: ColumnPlan,
  name: string,
): { type: DataType; layout: Layout } {
  const dictionaries = new Set(chunks.flatMap(({ dictionary }) => (dictionary ? [dictionary] : [])))
  const pieces = [...dictionaries].flatMap(({ data }) => data)
  // Ids are given in the order of the columns: apache-arrow counts them up for as long as a process lives.
  const values = adopt(type.dictionary, pieces, plan, name)
  const id = plan.dictionaries.length
  const planned = planDictionary(chunks, values.layout, { id, plain: plan.plain.has(name) })
  const index = indexFor(type, valueCount(planned))
  const layout: Layout = { kind: 'dictionary', index, values: values.layout, plan: planned }
  if (!planned.kept) return { type: values.type, layout }
  plan.dictionaries.push({ plan: planned, values: values.layout })
  return { type: new Dictionary(values.type, indexTypeOf(index), id, type.isOrdered), layout }
}

/** The index type the table came with, or a wider one where joined dictionaries outgrew it. 64 bits become 32: apache-arrow reads no wider ones. */
function indexFor(type: Dictionary, count: number): IndexType {
  const { bitWidth, isSigned } = type.indices
  const index: IndexType = { width: bitWidth === 8 ? 1 : bitWidth === 16 ? 2 : 4, signed: isSigned }
  return fits(count, index) ? index : { width: 4, signed: true }
}

function indexTypeOf({ width, signed }: IndexType): Dictionary['indices'] {
  if (width === 1) return signed ? new Int8() : new Uint8()
  if (width === 2) return signed ? new Int16() : new Uint16()
  return signed ? new Int32() : new Uint32()
}
