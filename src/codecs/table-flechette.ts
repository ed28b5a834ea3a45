import {
  Binary,
  BinaryView,
  Bool,
  DataType,
  Date_,
  Decimal,
  Dictionary,
  Duration,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float,
  Int,
  Interval,
  LargeBinary,
  LargeList,
  LargeUtf8,
  List,
  Map_,
  Null,
  Struct,
  Time,
  Timestamp,
  Type,
  Union,
  Utf8,
  Utf8View,
} from 'apache-arrow'
import { UnsupportedError } from '../errors.ts'
import { type Column, type ColumnPlan, planColumn } from './arrow-column.ts'
import type { ArrowData } from './arrow-data.ts'
import type { TableColumns } from './table-source.ts'

/** What we read of flechette's types, fields, batches and tables (2.x): plain objects with the numbers of Arrow's own schema. */
interface FlechetteType {
  readonly typeId: number
  readonly bitWidth?: 8 | 16 | 32 | 64
  readonly signed?: boolean
  readonly precision?: number
  readonly scale?: number
  readonly unit?: number
  readonly timezone?: string | null
  readonly stride?: number
  readonly mode?: number
  readonly typeIds?: readonly number[]
  readonly keysSorted?: boolean
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

export function columnsFromFlechette(table: FlechetteTable, plan: ColumnPlan): TableColumns {
  const dictionaries = new Map<FlechetteColumn, { readonly data: readonly ArrowData[] }>()
  const columns: Column[] = table.schema.fields.map((field, index) => {
    const batches = table.children[index]?.data ?? []
    return planColumn(
      fieldOf(field),
      batches.map((batch) => dataOf(batch, dictionaries)),
      plan,
    )
  })
  return { columns, rows: table.numRows, metadata: new Map(table.schema.metadata ?? []) }
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
  const { typeId, bitWidth = 32, signed = true, precision = 0, scale = 0, unit = 0, stride = 0 } = type
  const children = (type.children ?? []).map(fieldOf)
  const [child] = children
  if (typeId === Type.Dictionary && type.dictionary && type.indices) {
    const indices = typeOf(type.indices)
    if (isIndex(indices)) return new Dictionary(typeOf(type.dictionary), indices, null, type.ordered)
  }
  if (child !== undefined) {
    if (typeId === Type.List) return new List(child)
    if (typeId === Type.LargeList) return new LargeList(child)
    if (typeId === Type.FixedSizeList) return new FixedSizeList(stride, child)
    if (typeId === Type.Map) return new Map_(child, type.keysSorted)
  }
  switch (typeId) {
    case Type.Null:
      return new Null()
    case Type.Int:
      return new Int(signed, bitWidth)
    case Type.Float:
      return new Float(precision)
    case Type.Binary:
      return new Binary()
    case Type.Utf8:
      return new Utf8()
    case Type.Bool:
      return new Bool()
    case Type.Decimal:
      return new Decimal(scale, precision, type.bitWidth)
    case Type.Date:
      return new Date_(unit)
    case Type.Time:
      return new Time(unit, bitWidth === 64 ? 64 : 32)
    case Type.Timestamp:
      return new Timestamp(unit, type.timezone)
    case Type.Interval:
      return new Interval(unit)
    case Type.Struct:
      return new Struct(children)
    case Type.Union:
      return new Union(type.mode ?? 0, [...(type.typeIds ?? [])], children)
    case Type.FixedSizeBinary:
      return new FixedSizeBinary(stride)
    case Type.Duration:
      return new Duration(unit)
    case Type.LargeBinary:
      return new LargeBinary()
    case Type.LargeUtf8:
      return new LargeUtf8()
    case Type.BinaryView:
      return new BinaryView()
    case Type.Utf8View:
      return new Utf8View()
    default:
      throw new UnsupportedError(`Arrow type ${typeId} cannot be stored. Cast the column to another type first.`, {
        code: 'arrow-type-unsupported',
        fields: { type: typeId },
      })
  }
}

function isIndex(type: DataType): type is Dictionary['indices'] {
  return DataType.isInt(type)
}
