import { type DataType, Dictionary, Field, Type } from '../arrow/arrow.ts'
import type { GivenColumn } from '../arrow/arrow-column.ts'
import type { ArrowData } from '../arrow/arrow-data.ts'
import { type DescribedType, isIndexType, typeFrom } from '../arrow/arrow-described.ts'

/** What we read of flechette's types, fields, batches and tables (2.x): plain objects with the numbers of Arrow's own schema. */
interface FlechetteType extends DescribedType {
  readonly ordered?: boolean
  readonly children?: readonly FlechetteField[]
  readonly dictionary?: FlechetteType
  readonly indices?: FlechetteType
}

interface FlechetteField {
  readonly name: string
  readonly type: FlechetteType
  readonly nullable?: boolean
  readonly metadata?: ReadonlyMap<string, string> | null
}

interface FlechetteBatch {
  readonly type: FlechetteType
  readonly length: number
  readonly nullCount: number
  readonly validity?: Uint8Array
  readonly values?: ArrayBufferView
  readonly offsets?: Int32Array | BigInt64Array
  readonly typeIds?: Int8Array
  readonly children?: readonly FlechetteBatch[]
  readonly dictionary?: FlechetteColumn
  readonly data?: readonly Uint8Array[]
}

interface FlechetteColumn {
  readonly data: readonly FlechetteBatch[]
}

interface FlechetteTable {
  readonly schema: {
    readonly fields: readonly FlechetteField[]
    readonly metadata?: ReadonlyMap<string, string> | null
  }
  readonly children: readonly FlechetteColumn[]
  readonly numRows: number
}

/** A flechette table: a schema of plain types over columns of batches. */
export function isFlechetteTable(value: unknown): value is FlechetteTable {
  if (typeof value !== 'object' || value === null || !('schema' in value) || !('children' in value)) return false
  if (!('numRows' in value) || 'batches' in value || !Array.isArray(value.children)) return false
  return value.children.every(
    (child: unknown) => typeof child === 'object' && child !== null && 'data' in child && Array.isArray(child.data),
  )
}

/** Its columns in our form, over the same memory. */
export function columnsFromFlechette(table: FlechetteTable): GivenColumn[] {
  const dictionaries = new Map<FlechetteColumn, { readonly data: readonly ArrowData[] }>()
  return table.schema.fields.map((field, index) => {
    const batches = table.children[index]?.data ?? []
    return { field: fieldOf(field), chunks: batches.map((batch) => dataOf(batch, dictionaries)) }
  })
}

function fieldOf({ name, type, nullable, metadata }: FlechetteField): Field {
  return new Field(name ?? '', typeOf(type), nullable ?? true, new Map(metadata ?? []))
}

function dataOf(
  batch: FlechetteBatch,
  dictionaries: Map<FlechetteColumn, { readonly data: readonly ArrowData[] }>,
): ArrowData {
  const children = (batch.children ?? []).map((child) => dataOf(child, dictionaries))
  const { length, offsets, typeIds } = batch
  const base = {
    length,
    offset: 0,
    values: batch.values,
    valueOffsets: offsets,
    typeIds,
    children,
    variadicBuffers: batch.data,
  }
  const data = batch.nullCount > 0 ? { ...base, nullBitmap: batch.validity } : base
  if (batch.dictionary === undefined) return data
  let dictionary = dictionaries.get(batch.dictionary)
  if (dictionary === undefined) {
    dictionary = { data: batch.dictionary.data.map((piece) => dataOf(piece, dictionaries)) }
    dictionaries.set(batch.dictionary, dictionary)
  }
  return { ...data, dictionary }
}

function typeOf(type: FlechetteType): DataType {
  if (type.typeId === Type.Dictionary && type.dictionary && type.indices) {
    const indices = typeOf(type.indices)
    if (isIndexType(indices)) return new Dictionary(typeOf(type.dictionary), indices, null, type.ordered)
  }
  return typeFrom(type, (type.children ?? []).map(fieldOf))
}
