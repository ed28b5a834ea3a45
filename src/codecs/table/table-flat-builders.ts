import { InvalidInputError } from '../../errors.ts'
import { Binary, Bool, type DataType, Float64, Int64, Timestamp, TimeUnit, Utf8 } from '../arrow/arrow.ts'
import type { ArrowData } from '../arrow/arrow-data.ts'
import { isDate, isUint8Array } from '../realms.ts'
import { NullMask } from './table-nulls.ts'
import { BytesColumn } from './table-text.ts'

/** Where a value stands, `rows[7].label`: asked for only when something is wrong with it. */
export type Locate = (index: number) => string

export interface Built {
  readonly type: DataType
  readonly chunks: ArrowData[]
}

/** Takes values `from` to `to` of an array, row after row. */
export interface Builder {
  append(values: ArrayLike<unknown>, from: number, to: number, locate: Locate): void
  nulls(count: number): void
  finish(): Built
  /** What was appended since the last time, as pieces of the column, when its type is settled before its end. Valid until the next `append`: their memory serves again. */
  take?(): Built
}

/** Eight bytes a value, grown as needed. */
abstract class WordBuilder<Words extends Float64Array | BigInt64Array> implements Builder {
  protected words: Words
  protected rows = 0
  protected mask = new NullMask()

  constructor(words: Words) {
    this.words = words
  }

  protected abstract grown(length: number): Words
  protected abstract readonly type: DataType
  protected abstract put(values: ArrayLike<unknown>, from: number, to: number, locate: Locate): void

  append(values: ArrayLike<unknown>, from: number, to: number, locate: Locate): void {
    this.reserve(to - from)
    this.put(values, from, to, locate)
    this.rows += to - from
  }

  nulls(count: number): void {
    this.reserve(count)
    new Uint8Array(this.words.buffer, this.words.byteOffset + this.rows * 8, count * 8).fill(0)
    for (let index = 0; index < count; index += 1) this.mask.add(this.rows++)
  }

  finish(): Built {
    const values = this.words.subarray(0, this.rows)
    return { type: this.type, chunks: [flat(this.rows, this.mask, values)] }
  }

  take(): Built {
    const built = this.finish()
    this.rows = 0
    this.mask = new NullMask()
    return built
  }

  private reserve(count: number): void {
    if (this.rows + count <= this.words.length) return
    this.words = this.grown(Math.max(this.rows + count, this.words.length * 2))
  }
}

export class NumberBuilder extends WordBuilder<Float64Array> {
  protected readonly type = new Float64()

  constructor(rows: number) {
    super(new Float64Array(rows))
  }

  protected grown(length: number): Float64Array {
    const words = new Float64Array(length)
    words.set(this.words)
    return words
  }

  protected put(values: ArrayLike<unknown>, from: number, to: number): void {
    const { words } = this
    let row = this.rows
    for (let index = from; index < to; index += 1, row += 1) {
      const value = values[index]
      if (typeof value === 'number') words[row] = value
      else {
        words[row] = 0
        this.mask.add(row)
      }
    }
  }
}

abstract class LongBuilder extends WordBuilder<BigInt64Array> {
  constructor(rows: number) {
    super(new BigInt64Array(rows))
  }

  protected grown(length: number): BigInt64Array {
    const words = new BigInt64Array(length)
    words.set(this.words)
    return words
  }
}

export class BigIntBuilder extends LongBuilder {
  protected readonly type = new Int64()

  protected put(values: ArrayLike<unknown>, from: number, to: number, locate: Locate): void {
    let row = this.rows
    for (let index = from; index < to; index += 1, row += 1) {
      const value = values[index]
      if (typeof value !== 'bigint') {
        this.words[row] = 0n
        this.mask.add(row)
        continue
      }
      if (BigInt.asIntN(64, value) !== value) {
        const place = locate(index)
        throw new InvalidInputError(
          `${place} is ${value}, which does not fit into 64 bits with a sign. Store the column as strings, or unsigned values as a BigUint64Array.`,
          { code: 'bigint-out-of-range', fields: { path: place } },
        )
      }
      this.words[row] = value
    }
  }
}

const WORD = 2 ** 32

export class DateBuilder extends LongBuilder {
  protected readonly type = new Timestamp(TimeUnit.MILLISECOND, 'UTC')

  protected put(values: ArrayLike<unknown>, from: number, to: number): void {
    // Halves, least significant first: a BigInt for each row would take three times as long.
    const halves = new Int32Array(this.words.buffer, this.words.byteOffset, this.words.length * 2)
    let row = this.rows
    for (let index = from; index < to; index += 1, row += 1) {
      const value = values[index]
      const time = isDate(value) ? value.getTime() : value === null || value === undefined ? Number.NaN : Number(value)
      if (Number.isNaN(time)) {
        halves[row * 2] = 0
        halves[row * 2 + 1] = 0
        this.mask.add(row)
        continue
      }
      const high = Math.floor(time / WORD)
      halves[row * 2] = time - high * WORD
      halves[row * 2 + 1] = high
    }
  }
}

export class BooleanBuilder implements Builder {
  #bits: Uint8Array
  #rows = 0
  #mask = new NullMask()

  constructor(rows: number) {
    this.#bits = new Uint8Array(Math.max(8, (rows + 7) >> 3))
  }

  append(values: ArrayLike<unknown>, from: number, to: number): void {
    this.#reserve(to - from)
    const bits = this.#bits
    let row = this.#rows
    for (let index = from; index < to; index += 1, row += 1) {
      const value = values[index]
      if (value === true) bits[row >> 3] = (bits[row >> 3] ?? 0) | (1 << (row & 7))
      else if (value !== false) this.#mask.add(row)
    }
    this.#rows = row
  }

  nulls(count: number): void {
    this.#reserve(count)
    for (let index = 0; index < count; index += 1) this.#mask.add(this.#rows++)
  }

  finish(): Built {
    return { type: new Bool(), chunks: [flat(this.#rows, this.#mask, this.#bits)] }
  }

  take(): Built {
    const built = {
      type: new Bool(),
      chunks: [flat(this.#rows, this.#mask, this.#bits.subarray(0, (this.#rows + 7) >> 3))],
    }
    // Bits are only ever set, so they begin as zeros; an eighth of a byte a row is not worth saving.
    this.#bits = new Uint8Array(this.#bits.byteLength)
    this.#rows = 0
    this.#mask = new NullMask()
    return built
  }

  #reserve(count: number): void {
    const needed = (this.#rows + count + 7) >> 3
    if (needed <= this.#bits.byteLength) return
    const grown = new Uint8Array(Math.max(needed, this.#bits.byteLength * 2))
    grown.set(this.#bits)
    this.#bits = grown
  }
}

export class TextBuilder implements Builder {
  readonly #column: BytesColumn

  constructor(rows: number, pieces: boolean) {
    this.#column = new BytesColumn(rows, pieces)
  }

  append(values: ArrayLike<unknown>, from: number, to: number, locate: Locate): void {
    this.#column.breathe()
    this.#column.texts(values, from, to, locate)
  }

  nulls(count: number): void {
    this.#column.nulls(count)
  }

  finish(): Built {
    return { type: new Utf8(), chunks: this.#column.finish() }
  }

  take(): Built {
    return { type: new Utf8(), chunks: this.#column.take() }
  }
}

export class BinaryBuilder implements Builder {
  readonly #column: BytesColumn

  constructor(rows: number, pieces: boolean) {
    this.#column = new BytesColumn(rows, pieces)
  }

  append(values: ArrayLike<unknown>, from: number, to: number): void {
    this.#column.breathe()
    for (let index = from; index < to; index += 1) {
      const value = values[index]
      if (isUint8Array(value)) this.#column.bytes(value)
      else this.#column.nulls(1)
    }
  }

  nulls(count: number): void {
    this.#column.nulls(count)
  }

  finish(): Built {
    return { type: new Binary(), chunks: this.#column.finish() }
  }

  take(): Built {
    return { type: new Binary(), chunks: this.#column.take() }
  }
}

/** A piece without children. */
export function flat(length: number, mask: NullMask, values: ArrayBufferView): ArrowData {
  return { length, offset: 0, nullBitmap: mask.bitmap(length), values, children: [] }
}
