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
import type { ColumnPlan } from './arrow-column.ts'
import type { ArrowData } from './arrow-data.ts'
import { fits, planDictionary, valueCount } from './arrow-dictionary.ts'
import { fieldWith, type IndexType, type Layout, leafType, nestedType } from './arrow-type.ts'

/** A type made anew, whatever is in it, and how it lies in buffers; its dictionaries are planned in the order of the columns. */
export function adopt(
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
