import { type DataType, Dictionary, Field, Schema, Type } from './arrow.ts'
import { type DescribedType, isIndexType, typeFrom } from './arrow-described.ts'
import type { FlatReader } from './arrow-flat.ts'
import type { ArrowHeader } from './arrow-header.ts'
import { repeatedName } from './arrow-type.ts'

const MAX_DEPTH = 128
/** What metadata leaves out as it is the default (Schema.fbs of Arrow's format). */
const MILLISECOND = 1
const TIME_BITS = 32
const DECIMAL_BITS = 128

/** @throws RangeError when the schema is not whole, or names two columns alike; UnsupportedError `arrow-type-unsupported` */
export function readSchema({ flat, header }: ArrowHeader): Schema {
  const reader = new SchemaReader(flat)
  const fields = reader.fields(flat.field(header, 1), 0)
  if (repeatedName(fields) !== undefined) throw new RangeError('Two columns have one name.')
  return new Schema(fields, reader.metadata(flat.field(header, 2)), reader.dictionaries)
}

class SchemaReader {
  /** The types of their values, by id. */
  readonly dictionaries = new Map<number, DataType>()
  readonly #flat: FlatReader

  constructor(flat: FlatReader) {
    this.#flat = flat
  }

  fields(at: number, depth: number): Field[] {
    if (depth > MAX_DEPTH) throw new RangeError('The schema is nested too deep.')
    return this.#tables(at).map((field) => this.#field(field, depth))
  }

  metadata(at: number): Map<string, string> {
    const flat = this.#flat
    return new Map(this.#tables(at).map((pair) => [flat.text(flat.field(pair, 0)), flat.text(flat.field(pair, 1))]))
  }

  #field(field: number, depth: number): Field {
    const flat = this.#flat
    const name = flat.text(flat.field(field, 0))
    const children = this.fields(flat.field(field, 5), depth + 1)
    const type = typeFrom(this.#describe(flat.byte(field, 2), flat.table(flat.required(field, 3))), children)
    const dictionary = flat.field(field, 4)
    return new Field(
      name,
      dictionary === 0 ? type : this.#dictionary(flat.table(dictionary), type),
      flat.byte(field, 1) !== 0,
      this.metadata(flat.field(field, 6)),
    )
  }

  #dictionary(table: number, given: DataType): DataType {
    const flat = this.#flat
    const id = flat.count(table, 0)
    const values = this.dictionaries.get(id) ?? given
    this.dictionaries.set(id, values)
    const index = flat.field(table, 1)
    // Without a type for its indices they are Int32.
    const indices = typeFrom(index === 0 ? { typeId: Type.Int } : this.#describe(Type.Int, flat.table(index)), [])
    if (!isIndexType(indices)) throw new RangeError('The indices of a dictionary are no integers.')
    return new Dictionary(values, indices, id, flat.byte(table, 2) !== 0)
  }

  #describe(typeId: number, table: number): DescribedType {
    const flat = this.#flat
    const int = (field: number, otherwise = 0) => {
      const at = flat.field(table, field)
      return at === 0 ? otherwise : flat.int32(at)
    }
    const unit = (otherwise = 0) => {
      const at = flat.field(table, 0)
      return at === 0 ? otherwise : flat.uint16(at)
    }
    switch (typeId) {
      case Type.Int:
        return { typeId, bitWidth: int(0), signed: flat.byte(table, 1) !== 0 }
      case Type.Float:
        return { typeId, precision: unit() }
      case Type.Decimal:
        return { typeId, precision: int(0), scale: int(1), bitWidth: int(2, DECIMAL_BITS) }
      case Type.Date:
      case Type.Duration:
        return { typeId, unit: unit(MILLISECOND) }
      case Type.Time:
        return { typeId, unit: unit(MILLISECOND), bitWidth: int(1, TIME_BITS) }
      case Type.Timestamp: {
        const zone = flat.field(table, 1)
        return { typeId, unit: unit(), timezone: zone === 0 ? null : flat.text(zone) }
      }
      case Type.Interval:
        return { typeId, unit: unit() }
      case Type.Union:
        return { typeId, mode: unit(), typeIds: this.#int32s(flat.field(table, 1)) }
      case Type.FixedSizeBinary:
      case Type.FixedSizeList:
        return { typeId, stride: int(0) }
      case Type.Map:
        return { typeId, keysSorted: flat.byte(table, 0) !== 0 }
      default:
        return { typeId }
    }
  }

  #int32s(at: number): number[] | undefined {
    if (at === 0) return undefined
    const { start, count } = this.#flat.vector(at, 4)
    return Array.from({ length: count }, (_, index) => this.#flat.int32(start + index * 4))
  }

  #tables(at: number): number[] {
    const { start, count } = this.#flat.vector(at, 4)
    return Array.from({ length: count }, (_, index) => this.#flat.table(start + index * 4))
  }
}
