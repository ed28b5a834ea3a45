import { DataType, Precision, TimeUnit } from '../arrow/arrow.ts'
import { countOnes } from '../arrow/arrow-bits.ts'
import type { ArrowLayouts, Column } from '../arrow/arrow-column.ts'
import { type ArrowData, bitmapOf, bytesOf, isValid } from '../arrow/arrow-data.ts'
import type { Json } from '../codec.ts'
import type { Steps } from '../steps.ts'
import { distinctCount, MOST_DISTINCT, type Summary } from './table-distinct.ts'
import { halfToNumber, isoDate, jsonInteger, jsonNumber } from './table-json-cell.ts'
import { texts } from './table-text-summary.ts'

const NAME_CHARACTERS = 80
const TYPE_CHARACTERS = 160
const WORD = 2 ** 32

/** Name, type and nulls of a column; min, max and mean of numbers and dates; how many distinct values and the most frequent. One pass. */
export function* columnSummary(column: Column, rows: number, ofArrow: ArrowLayouts | undefined): Steps<Json> {
  const { field, layout } = column
  const type = String(field.type)
  const base: Summary = {
    name: column.name.slice(0, NAME_CHARACTERS),
    type: type.length > TYPE_CHARACTERS ? `${type.slice(0, TYPE_CHARACTERS)}…` : type,
    nulls: countNulls(column, rows),
  }
  // Also where it is written as plain values: here it still is a dictionary.
  if (layout.kind === 'dictionary') return ofArrow ? { ...base, ...(yield* ofArrow.codes(column)) } : base
  if (layout.kind === 'fixed' && (DataType.isInt(field.type) || DataType.isFloat(field.type))) {
    return { ...base, ...(yield* numbers(column)) }
  }
  if (layout.kind === 'fixed' && (DataType.isTimestamp(field.type) || DataType.isDate(field.type))) {
    return { ...base, ...(yield* dates(column)) }
  }
  if (layout.kind === 'bool') return { ...base, ...booleans(column) }
  if (DataType.isUtf8(field.type) || DataType.isLargeUtf8(field.type) || DataType.isUtf8View(field.type)) {
    return { ...base, ...(yield* texts(column)) }
  }
  return base
}

function countNulls({ chunks, layout }: Column, rows: number): number {
  if (layout.kind === 'null') return rows
  let nulls = 0
  for (const data of chunks) {
    const bitmap = bitmapOf(data)
    if (bitmap) nulls += data.length - countOnes(bitmap, data.offset, data.length)
  }
  return nulls
}

interface Extremes {
  readonly count: number
  readonly nan: number
  readonly mean: number
  readonly min: number
  readonly max: number
  readonly distinct: number | undefined
}

class Running {
  count = 0
  nan = 0
  sum = 0
  min = Number.POSITIVE_INFINITY
  max = Number.NEGATIVE_INFINITY
  readonly seen = new Set<number>()
}

/** `valid` is asked only where a piece has nulls. */
function run(
  state: Running,
  values: ArrayLike<number>,
  rows: number,
  valid: ((row: number) => boolean) | undefined,
): void {
  const { seen } = state
  // A loop of its own: where a number goes into a set it becomes an object, and in the other loop that would be every number.
  for (let row = 0; row < rows && seen.size <= MOST_DISTINCT; row += 1) {
    if (valid === undefined || valid(row)) seen.add(values[row] ?? 0)
  }
  let { count, nan, sum, min, max } = state
  for (let row = 0; row < rows; row += 1) {
    if (valid !== undefined && !valid(row)) continue
    const value = values[row] ?? 0
    if (Number.isNaN(value)) {
      nan += 1
      continue
    }
    count += 1
    sum += value
    if (value < min) min = value
    if (value > max) max = value
  }
  Object.assign(state, { count, nan, sum, min, max })
}

function* extremes(column: Column): Steps<Extremes> {
  const state = new Running()
  for (const data of column.chunks) {
    const valid = bitmapOf(data) === undefined ? undefined : (row: number) => isValid(data, row)
    run(state, numbersOf(column.field.type, data), data.length, valid)
    yield
  }
  const { count, nan, sum, min, max, seen } = state
  return { count, nan, mean: sum / count, min, max, distinct: seen.size <= MOST_DISTINCT ? seen.size : undefined }
}

/** As numbers: 64-bit integers to the 53 bits a number has, halves in full. */
function numbersOf(type: DataType, data: ArrowData): ArrayLike<number> {
  const { values } = data
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    // By halves: a BigInt for each row would take several times as long.
    const bytes = bytesOf(values)
    const low = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)
    const high = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)
    const upper = values instanceof BigInt64Array ? high : low
    const result = new Float64Array(data.length)
    for (let row = 0; row < result.length; row += 1)
      result[row] = (upper[row * 2 + 1] ?? 0) * WORD + (low[row * 2] ?? 0)
    return result
  }
  if (DataType.isFloat(type) && type.precision === Precision.HALF && values instanceof Uint16Array) {
    return Float64Array.from(values, halfToNumber)
  }
  return isNumbers(values) ? values : []
}

function isNumbers(values: ArrayBufferView | null | undefined): values is ArrayBufferView & ArrayLike<number> {
  return values !== null && values !== undefined && 'length' in values
}

function* numbers(column: Column): Steps<Summary> {
  const { count, nan, mean, min, max, distinct } = yield* extremes(column)
  const some: Summary = nan === 0 ? {} : { nan }
  if (count === 0) return { ...some, ...distinctCount(distinct) }
  const isExact = Number.isSafeInteger(min) && Number.isSafeInteger(max)
  if (DataType.isInt(column.field.type) && !isExact)
    return { ...(yield* largeIntegers(column)), mean: jsonNumber(mean) }
  return { ...some, min: jsonNumber(min), max: jsonNumber(max), mean: jsonNumber(mean), ...distinctCount(distinct) }
}

/** Whole numbers beyond the 53 bits of a JavaScript number: several times as slow, and rare. */
function* largeIntegers(column: Column): Steps<Summary> {
  let min: bigint | undefined
  let max: bigint | undefined
  const seen = new Set<bigint>()
  for (const data of column.chunks) {
    const { values } = data
    if (!(values instanceof BigInt64Array || values instanceof BigUint64Array)) continue
    for (let row = 0; row < data.length; row += 1) {
      const value = values[row]
      if (value === undefined || !isValid(data, row)) continue
      if (min === undefined || value < min) min = value
      if (max === undefined || value > max) max = value
      if (seen.size <= MOST_DISTINCT) seen.add(value)
    }
    yield
  }
  const distinct = distinctCount(seen.size <= MOST_DISTINCT ? seen.size : undefined)
  return { min: jsonInteger(min ?? 0n), max: jsonInteger(max ?? 0n), ...distinct }
}

function* dates(column: Column): Steps<Summary> {
  const { count, min, max, distinct } = yield* extremes(column)
  const scale = millisecondsOf(column.field.type)
  const ends: Summary = count === 0 ? {} : { min: isoDate(min * scale), max: isoDate(max * scale) }
  return { ...ends, ...distinctCount(distinct) }
}

function millisecondsOf(type: DataType): number {
  if (DataType.isDate(type)) return type.unit === 0 ? 86_400_000 : 1
  if (!DataType.isTimestamp(type)) return 1
  const scales: Record<number, number> = {
    [TimeUnit.SECOND]: 1000,
    [TimeUnit.MILLISECOND]: 1,
    [TimeUnit.MICROSECOND]: 1e-3,
    [TimeUnit.NANOSECOND]: 1e-6,
  }
  return scales[type.unit] ?? 1
}

function booleans(column: Column): Summary {
  let yes = 0
  let no = 0
  for (const data of column.chunks) {
    const bits = bytesOf(data.values)
    if (bitmapOf(data) === undefined) {
      const ones = countOnes(bits, data.offset, data.length)
      yes += ones
      no += data.length - ones
      continue
    }
    for (let row = 0; row < data.length; row += 1) {
      if (!isValid(data, row)) continue
      const bit = data.offset + row
      if ((bits[bit >> 3] ?? 0) & (1 << (bit & 7))) yes += 1
      else no += 1
    }
  }
  return { true: yes, false: no }
}
