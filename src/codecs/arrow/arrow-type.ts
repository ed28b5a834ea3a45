import { UnsupportedError } from '../../errors.ts'
import { assertWellFormed } from '../well-formed.ts'
import {
  Binary,
  BinaryView,
  Bool,
  type DataType,
  DataType as DataTypes,
  Date_,
  DateUnit,
  Decimal,
  Duration,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float,
  Int,
  Interval,
  IntervalUnit,
  LargeBinary,
  LargeList,
  LargeUtf8,
  List,
  Map_,
  Null,
  Precision,
  type Schema,
  Struct,
  Time,
  Timestamp,
  Union,
  UnionMode,
  Utf8,
  Utf8View,
} from './arrow.ts'
import type { Range } from './arrow-data.ts'

/** How a type lies in buffers: all that cutting, hashing and checking need to know of it. */
export type Layout =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'fixed'; readonly width: number }
  | { readonly kind: 'bytes'; readonly large: boolean }
  | { readonly kind: 'view' }
  | { readonly kind: 'list'; readonly large: boolean; readonly child: Layout }
  | { readonly kind: 'fixed-list'; readonly size: number; readonly child: Layout }
  | { readonly kind: 'struct'; readonly children: readonly Layout[] }
  | {
      readonly kind: 'union'
      readonly dense: boolean
      readonly typeIds: readonly number[]
      readonly children: readonly Layout[]
    }
  | { readonly kind: 'dictionary'; readonly index: IndexType; readonly values: Layout; readonly plan: DictionaryPlan }

export interface IndexType {
  readonly width: 1 | 2 | 4
  readonly signed: boolean
}

/** What becomes of a dictionary column; see `arrow-dictionary.ts`. */
export interface DictionaryPlan {
  /** Written as indices into one dictionary for the whole stream, or as the values themselves. */
  readonly kept: boolean
  readonly id: number
  /** The one dictionary, in pieces. */
  readonly chunks: readonly Range[]
  /** From an index of each incoming dictionary to an index of the one; `undefined` where they are the same. */
  readonly maps: ReadonlyMap<object, Int32Array | undefined>
}

const DAYS = 4
const MILLISECONDS = 8
const intervalWidths: Record<number, number> = {
  [IntervalUnit.YEAR_MONTH]: 4,
  [IntervalUnit.DAY_TIME]: 8,
  [IntervalUnit.MONTH_DAY_NANO]: 16,
}
const floatWidths: Record<number, number> = { [Precision.HALF]: 2, [Precision.SINGLE]: 4, [Precision.DOUBLE]: 8 }

/**
 * The type without children, made anew by our own copy of apache-arrow: a type made by another copy has the same numbers but another class.
 * With its children it is put together by `rebuildType`.
 */
export function leafType(type: DataType): { type: DataType; layout: Layout } | undefined {
  if (DataTypes.isNull(type)) return { type: new Null(), layout: { kind: 'null' } }
  if (DataTypes.isBool(type)) return { type: new Bool(), layout: { kind: 'bool' } }
  if (DataTypes.isInt(type)) return fixed(new Int(type.isSigned, type.bitWidth), type.bitWidth / 8)
  if (DataTypes.isFloat(type)) return fixed(new Float(type.precision), floatWidths[type.precision] ?? -1)
  if (DataTypes.isDecimal(type)) {
    return fixed(new Decimal(type.scale, type.precision, type.bitWidth), type.bitWidth / 8)
  }
  if (DataTypes.isDate(type)) return fixed(new Date_(type.unit), type.unit === DateUnit.DAY ? DAYS : MILLISECONDS)
  if (DataTypes.isTime(type)) return fixed(new Time(type.unit, type.bitWidth), type.bitWidth / 8)
  if (DataTypes.isTimestamp(type)) return fixed(new Timestamp(type.unit, type.timezone), 8)
  if (DataTypes.isInterval(type)) return fixed(new Interval(type.unit), intervalWidths[type.unit] ?? -1)
  if (DataTypes.isDuration(type)) return fixed(new Duration(type.unit), 8)
  if (DataTypes.isFixedSizeBinary(type)) return fixed(new FixedSizeBinary(type.byteWidth), type.byteWidth)
  if (DataTypes.isUtf8(type)) return { type: new Utf8(), layout: { kind: 'bytes', large: false } }
  if (DataTypes.isBinary(type)) return { type: new Binary(), layout: { kind: 'bytes', large: false } }
  if (DataTypes.isLargeUtf8(type)) return { type: new LargeUtf8(), layout: { kind: 'bytes', large: true } }
  if (DataTypes.isLargeBinary(type)) return { type: new LargeBinary(), layout: { kind: 'bytes', large: true } }
  if (DataTypes.isUtf8View(type)) return { type: new Utf8View(), layout: { kind: 'view' } }
  if (DataTypes.isBinaryView(type)) return { type: new BinaryView(), layout: { kind: 'view' } }
  return undefined
}

function fixed(type: DataType, width: number): { type: DataType; layout: Layout } {
  if (!Number.isInteger(width) || width < 0) throw unsupported(type)
  return { type, layout: { kind: 'fixed', width } }
}

/** A nested type around children that were made anew. */
export function nestedType(
  type: DataType,
  children: readonly Field[],
  layouts: readonly Layout[],
): { type: DataType; layout: Layout } {
  const [field] = children
  const [child] = layouts
  if (DataTypes.isStruct(type))
    return { type: new Struct([...children]), layout: { kind: 'struct', children: layouts } }
  if (DataTypes.isUnion(type)) {
    const typeIds = [...type.typeIds]
    const layout = { kind: 'union', dense: type.mode === UnionMode.Dense, typeIds, children: layouts } as const
    return { type: new Union(type.mode, typeIds, [...children]), layout }
  }
  if (field !== undefined && child !== undefined) {
    if (DataTypes.isList(type)) return { type: new List(field), layout: { kind: 'list', large: false, child } }
    if (DataTypes.isLargeList(type)) return { type: new LargeList(field), layout: { kind: 'list', large: true, child } }
    if (DataTypes.isMap(type)) {
      return { type: new Map_(field, type.keysSorted), layout: { kind: 'list', large: false, child } }
    }
    if (DataTypes.isFixedSizeList(type)) {
      return {
        type: new FixedSizeList(type.listSize, field),
        layout: { kind: 'fixed-list', size: type.listSize, child },
      }
    }
  }
  throw unsupported(type)
}

function unsupported(type: DataType): UnsupportedError {
  return new UnsupportedError(`Arrow type ${String(type)} cannot be stored. Cast the column to another type first.`, {
    code: 'arrow-type-unsupported',
    fields: { type: String(type) },
  })
}

/** The same field around another type: name, nullability and metadata stay. */
export function fieldWith(field: Field, type: DataType): Field {
  const name = field.name ?? ''
  assertWellFormed(name, () => `The name of column ${JSON.stringify(name)}`)
  return new Field(name, type, field.nullable, new Map(field.metadata ?? []))
}

/** The layout of a type as the reader sees it, dictionaries by their index. */
export function layoutOf(type: DataType): Layout {
  if (DataTypes.isDictionary(type)) {
    const { bitWidth, isSigned } = type.indices
    if (bitWidth !== 8 && bitWidth !== 16 && bitWidth !== 32)
      throw new RangeError('Dictionary indices of unknown width.')
    const plan = { kept: true, id: type.id, chunks: [], maps: new Map() }
    return {
      kind: 'dictionary',
      index: { width: bitWidth === 8 ? 1 : bitWidth === 16 ? 2 : 4, signed: isSigned },
      values: layoutOf(type.dictionary),
      plan,
    }
  }
  const leaf = leafType(type)
  if (leaf !== undefined) return leaf.layout
  const children = type.children.map((field) => layoutOf(field.type))
  return nestedType(type, type.children, children).layout
}

/** How columns lie in buffers, and the values of dictionaries by their ids. */
export function layoutsOf({ fields, dictionaries }: Schema): {
  readonly columns: readonly Layout[]
  readonly dictionaries: ReadonlyMap<number, Layout>
} {
  return {
    columns: fields.map(({ type }) => layoutOf(type)),
    dictionaries: new Map(Array.from(dictionaries, ([id, type]) => [id, layoutOf(type)])),
  }
}

/** A name that stands twice among columns, or among the fields of one struct at any depth: rows read as objects would lose one. */
export function repeatedName(fields: readonly Field[], isStruct = true): string | undefined {
  const names = new Set<string>()
  for (const { name, type } of fields) {
    if (isStruct && names.has(name ?? '')) return name ?? ''
    names.add(name ?? '')
    const values = DataTypes.isDictionary(type) ? type.dictionary : type
    const inner = repeatedName(values.children ?? [], DataTypes.isStruct(values))
    if (inner !== undefined) return inner
  }
  return undefined
}
