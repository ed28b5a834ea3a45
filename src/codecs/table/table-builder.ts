import { InvalidInputError } from '../../errors.ts'
import { type DataType, Field, List, Null, Struct } from '../arrow/arrow.ts'
import type { ArrowData } from '../arrow/arrow-data.ts'
import { isPlainObject } from '../capabilities.ts'
import { isDate } from '../realms.ts'
import { assertTree, cellKind, describeCell, type Kind } from './table-cell.ts'
import {
  BigIntBuilder,
  BinaryBuilder,
  BooleanBuilder,
  type Builder,
  type Built,
  DateBuilder,
  flat,
  type Locate,
  NumberBuilder,
  TextBuilder,
} from './table-flat-builders.ts'
import { NullMask } from './table-nulls.ts'
import { typedArrayType } from './table-typed.ts'

/**
 * A column of plain JavaScript values. Its type is that of the first value that is not null; every later one must be of the same kind.
 * Numbers become Float64 whatever they are today, so that a column never changes its type because one value did (a typed array says more:
 * it keeps its own type). An invalid Date is null, as Arrow and pandas have it.
 */
export class ColumnBuilder {
  readonly #name: string
  readonly #rows: number
  readonly #top: boolean
  #builder: Builder | undefined
  #kind: Kind | undefined
  #count = 0

  /** `rows`: how many are expected. `top`: a column of the table, not the elements of a list. */
  constructor(name: string, rows: number, top = true) {
    this.#name = name
    this.#rows = rows
    this.#top = top
  }

  /** Its cells are lists or objects; typed arrays are neither. */
  get isNested(): boolean {
    return this.#builder instanceof ListBuilder || this.#builder instanceof StructBuilder
  }

  append(values: ArrayLike<unknown>, from: number, to: number, locate: Locate): void {
    let at = from
    if (this.#builder === undefined) {
      while (at < to && (values[at] === null || values[at] === undefined)) at += 1
      if (at < to) this.#begin(values[at], locate(at), this.#count + at - from)
      else this.#count += to - from
    }
    if (this.#builder === undefined) return
    const bad = this.#firstOfAnotherKind(values, at, to)
    if (bad < to) throw this.#wrong(values[bad], locate(bad))
    if (this.#top && (this.#kind === 'list' || this.#kind === 'object')) {
      for (let index = at; index < to; index += 1) assertTree(values[index], () => locate(index))
    }
    this.#builder.append(values, at, to, locate)
  }

  nulls(count: number): void {
    if (this.#builder === undefined) this.#count += count
    else this.#builder.nulls(count)
  }

  /** `undefined`: not yet, what was appended comes with a later piece. See `Builder`. */
  take(): Built | undefined {
    return this.#builder?.take?.()
  }

  finish(): Built {
    if (this.#builder !== undefined) return this.#builder.finish()
    return { type: new Null(), chunks: [{ length: this.#count, offset: 0, children: [] }] }
  }

  #begin(value: unknown, place: string, nulls: number): void {
    const kind = cellKind(value)
    if (kind === undefined) throw this.#wrong(value, place)
    this.#kind = kind
    this.#builder = this.#builderOf(kind, value)
    if (nulls > 0) this.#builder.nulls(nulls)
  }

  #builderOf(kind: Kind, value: unknown): Builder {
    if (kind === 'number') return new NumberBuilder(this.#rows)
    if (kind === 'boolean') return new BooleanBuilder(this.#rows)
    if (kind === 'bigint') return new BigIntBuilder(this.#rows)
    if (kind === 'Date') return new DateBuilder(this.#rows)
    if (kind === 'string') return new TextBuilder(this.#rows, this.#top)
    if (kind === 'bytes') return new BinaryBuilder(this.#rows, this.#top)
    if (kind === 'object') return new StructBuilder(this.#name)
    return ArrayBuffer.isView(value) ? new VectorBuilder(value) : new ListBuilder(this.#name)
  }

  #firstOfAnotherKind(values: ArrayLike<unknown>, from: number, to: number): number {
    const kind = this.#kind
    if (kind === undefined) return from
    const only = plainKinds[kind]
    if (only) return only(values, from, to)
    for (let index = from; index < to; index += 1) {
      const value = values[index]
      if (value !== null && value !== undefined && cellKind(value) !== kind) return index
    }
    return to
  }

  #wrong(value: unknown, place: string): InvalidInputError {
    const kind = cellKind(value)
    if (kind === undefined) {
      return new InvalidInputError(
        `${place} is ${describeCell(value)}, which a table cannot hold. Turn it into a number, a string, a Date, bytes, a list or a plain object, or leave it out.`,
        { code: 'unsupported-value', fields: { column: this.#name, path: place } },
      )
    }
    return new InvalidInputError(
      `Column '${this.#name}' holds values of two types: ${place} is ${describeCell(value)}, the values before it are of type ${this.#kind}. Give the whole column one type, or store the value with json(...).`,
      { code: 'mixed-column', fields: { column: this.#name, path: place } },
    )
  }
}

type FirstOther = (values: ArrayLike<unknown>, from: number, to: number) => number

/** Where the first value is that is not of the kind, nor null. A loop for each: with the kind in a variable it takes three times as long. */
const plainKinds: Partial<Record<Kind, FirstOther>> = {
  number: (values, from, to) => {
    for (let index = from; index < to; index += 1) {
      const value = values[index]
      if (typeof value !== 'number' && value !== null && value !== undefined) return index
    }
    return to
  },
  string: (values, from, to) => {
    for (let index = from; index < to; index += 1) {
      const value = values[index]
      if (typeof value !== 'string' && value !== null && value !== undefined) return index
    }
    return to
  },
  boolean: (values, from, to) => {
    for (let index = from; index < to; index += 1) {
      const value = values[index]
      if (typeof value !== 'boolean' && value !== null && value !== undefined) return index
    }
    return to
  },
  bigint: (values, from, to) => {
    for (let index = from; index < to; index += 1) {
      const value = values[index]
      if (typeof value !== 'bigint' && value !== null && value !== undefined) return index
    }
    return to
  },
  Date: (values, from, to) => {
    for (let index = from; index < to; index += 1) {
      const value = values[index]
      if (value !== null && value !== undefined && !isDate(value)) return index
    }
    return to
  },
}

/** Offsets of a list column, one more than rows. */
class Offsets {
  #ends = new Int32Array(64)
  rows = 0

  add(length: number): void {
    if (this.rows + 1 >= this.#ends.length) {
      const grown = new Int32Array(this.#ends.length * 2)
      grown.set(this.#ends)
      this.#ends = grown
    }
    this.#ends[this.rows + 1] = (this.#ends[this.rows] ?? 0) + length
    this.rows += 1
  }

  finish(): Int32Array {
    return this.#ends.subarray(0, this.rows + 1)
  }
}

class ListBuilder implements Builder {
  readonly #child: ColumnBuilder
  readonly #offsets = new Offsets()
  readonly #mask = new NullMask()

  constructor(name: string) {
    this.#child = new ColumnBuilder(name, 0, false)
  }

  append(values: ArrayLike<unknown>, from: number, to: number, locate: Locate): void {
    for (let index = from; index < to; index += 1) {
      const value = values[index]
      if (!Array.isArray(value)) {
        this.nulls(1)
        continue
      }
      this.#child.append(value, 0, value.length, (at) => `${locate(index)}[${at}]`)
      this.#offsets.add(value.length)
    }
  }

  nulls(count: number): void {
    for (let index = 0; index < count; index += 1) {
      this.#mask.add(this.#offsets.rows)
      this.#offsets.add(0)
    }
  }

  finish(): Built {
    return list(this.#child.finish(), this.#offsets, this.#mask)
  }
}

/** Typed arrays as cells: an embedding in each row. */
class VectorBuilder implements Builder {
  readonly #type: DataType
  readonly #width: number
  #bytes = new Uint8Array(1024)
  #at = 0
  readonly #offsets = new Offsets()
  readonly #mask = new NullMask()

  constructor(sample: ArrayBufferView) {
    const { type, width } = typedArrayType(sample)
    this.#type = type
    this.#width = width
  }

  append(values: ArrayLike<unknown>, from: number, to: number): void {
    for (let index = from; index < to; index += 1) {
      const value = values[index]
      if (!ArrayBuffer.isView(value)) {
        this.nulls(1)
        continue
      }
      const needed = this.#at + value.byteLength
      if (needed > this.#bytes.byteLength) {
        const grown = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2))
        grown.set(this.#bytes.subarray(0, this.#at))
        this.#bytes = grown
      }
      this.#bytes.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), this.#at)
      this.#at = needed
      this.#offsets.add(value.byteLength / this.#width)
    }
  }

  nulls(count: number): void {
    for (let index = 0; index < count; index += 1) {
      this.#mask.add(this.#offsets.rows)
      this.#offsets.add(0)
    }
  }

  finish(): Built {
    const values = this.#bytes.subarray(0, this.#at)
    const child = flat(this.#at / this.#width, new NullMask(), values)
    return list({ type: this.#type, chunks: [child] }, this.#offsets, this.#mask)
  }
}

function list(child: Built, offsets: Offsets, mask: NullMask): Built {
  const data: ArrowData = {
    length: offsets.rows,
    offset: 0,
    nullBitmap: mask.bitmap(offsets.rows),
    valueOffsets: offsets.finish(),
    children: child.chunks,
  }
  return { type: new List(new Field('item', child.type, true)), chunks: [data] }
}

class StructBuilder implements Builder {
  readonly #name: string
  readonly #fields = new Map<string, ColumnBuilder>()
  readonly #mask = new NullMask()
  #rows = 0

  constructor(name: string) {
    this.#name = name
  }

  append(values: ArrayLike<unknown>, from: number, to: number, locate: Locate): void {
    for (let index = from; index < to; index += 1) {
      const value = values[index]
      if (!isPlainObject(value)) {
        this.nulls(1)
        continue
      }
      for (const key of Object.keys(value)) {
        if (this.#fields.has(key)) continue
        const field = new ColumnBuilder(`${this.#name}.${key}`, 0, false)
        field.nulls(this.#rows)
        this.#fields.set(key, field)
      }
      for (const [key, field] of this.#fields) {
        if (Object.hasOwn(value, key)) field.append([value[key]], 0, 1, () => `${locate(index)}.${key}`)
        else field.nulls(1)
      }
      this.#rows += 1
    }
  }

  nulls(count: number): void {
    for (let index = 0; index < count; index += 1) this.#mask.add(this.#rows++)
    for (const field of this.#fields.values()) field.nulls(count)
  }

  finish(): Built {
    const built = [...this.#fields].map(([key, field]) => ({ key, ...field.finish() }))
    const children = built.flatMap(({ chunks }) => chunks)
    const data = { length: this.#rows, offset: 0, nullBitmap: this.#mask.bitmap(this.#rows), children }
    return { type: new Struct(built.map(({ key, type }) => new Field(key, type, true))), chunks: [data] }
  }
}
