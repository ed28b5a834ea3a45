import { UnsupportedError } from '../../errors.ts'
import {
  Binary,
  BinaryView,
  Bool,
  DataType,
  Date_,
  Decimal,
  type Dictionary,
  Duration,
  type Field,
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
} from './arrow.ts'

/** A type, with the numbers of Arrow's own schema (Schema.fbs of its format). */
export interface DescribedType {
  readonly typeId: number
  readonly bitWidth?: number
  readonly signed?: boolean
  readonly precision?: number
  readonly scale?: number
  readonly unit?: number
  readonly timezone?: string | null
  /** Bytes of a value of fixed size, or items of a list. */
  readonly stride?: number
  readonly mode?: number
  readonly typeIds?: readonly number[]
  readonly keysSorted?: boolean
}

/** @throws UnsupportedError `arrow-type-unsupported` */
export function typeFrom(described: DescribedType, children: Field[]): DataType {
  const { typeId, bitWidth = 32, signed = true, precision = 0, scale = 0, unit = 0, stride = 0 } = described
  const [child] = children
  if (child !== undefined) {
    if (typeId === Type.List) return new List(child)
    if (typeId === Type.LargeList) return new LargeList(child)
    if (typeId === Type.FixedSizeList) return new FixedSizeList(stride, child)
    if (typeId === Type.Map) return new Map_(child, described.keysSorted)
  }
  switch (typeId) {
    case Type.Null:
      return new Null()
    case Type.Int:
      if (bitWidth === 8 || bitWidth === 16 || bitWidth === 32 || bitWidth === 64) return new Int(signed, bitWidth)
      break
    case Type.Float:
      return new Float(precision)
    case Type.Binary:
      return new Binary()
    case Type.Utf8:
      return new Utf8()
    case Type.Bool:
      return new Bool()
    case Type.Decimal:
      return new Decimal(scale, precision, described.bitWidth)
    case Type.Date:
      return new Date_(unit)
    case Type.Time:
      return new Time(unit, bitWidth === 64 ? 64 : 32)
    case Type.Timestamp:
      return new Timestamp(unit, described.timezone)
    case Type.Interval:
      return new Interval(unit)
    case Type.Struct:
      return new Struct(children)
    case Type.Union:
      return new Union(described.mode ?? 0, [...(described.typeIds ?? children.keys())], children)
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
  }
  throw new UnsupportedError(
    `Arrow type ${Type[typeId] ?? typeId} cannot be stored. Cast the column to another type first.`,
    { code: 'arrow-type-unsupported', fields: { type: typeId } },
  )
}

export function isIndexType(type: DataType): type is Dictionary['indices'] {
  return DataType.isInt(type)
}
