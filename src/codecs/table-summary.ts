import { DataType, Precision, TimeUnit } from 'apache-arrow'
import { countOnes } from './arrow-bits.ts'
import type { Column } from './arrow-column.ts'
import { type ArrowData, bitmapOf, bytesOf, indexAt, isValid } from './arrow-data.ts'
import type { Json } from './codec.ts'
import type { Steps } from './steps.ts'
import { halfToNumber, isoDate, jsonCell, jsonInteger, jsonNumber, shortText } from './table-json-cell.ts'

/** Distinct values are counted exactly up to here; beyond, `distinctAtLeast` says so. */
const MOST_DISTINCT = 1000
const TOP_VALUES = 3
/** A power of two well above the values counted. */
const SLOTS = 4096
const NAME_CHARACTERS = 80
const TYPE_CHARACTERS = 160
const WORD = 2 ** 32

type Summary = Record<string, Json>

/** Name, type and nulls of a column; min, max and mean of numbers and dates; how many distinct values and the most frequent. One pass. */
export function* columnSummary(column: Column, rows: number): Steps<Json> {
  const { field, layout } = column
  const type = String(field.type)
  const base: Summary = {
    name: column.name.slice(0, NAME_CHARACTERS),
    type: type.length > TYPE_CHARACTERS ? `${type.slice(0, TYPE_CHARACTERS)}…` : type,
    nulls: countNulls(column, rows),
  }
  if (layout.kind === 'fixed' && (DataType.isInt(field.type) || DataType.isFloat(field.type))) {
    return { ...base, ...(yield* numbers(column)) }
  }
  if (layout.kind === 'fixed' && (DataType.isTimestamp(field.type) || DataType.isDate(field.type))) {
    return { ...base, ...(yield* dates(column)) }
  }
  if (layout.kind === 'bool') return { ...base, ...booleans(column) }
  if (layout.kind === 'bytes' && (DataType.isUtf8(field.type) || DataType.isLargeUtf8(field.type))) {
    return { ...base, ...(yield* texts(column)) }
  }
  return layout.kind === 'dictionary' ? { ...base, ...(yield* codes(column)) } : base
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
  let { count, nan, sum, min, max } = state
  for (let row = 0; row < rows; row += 1) {
    if (valid !== undefined && !valid(row)) continue
    const value = values[row] ?? 0
    if (seen.size <= MOST_DISTINCT) seen.add(value)
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

/** As numbers: 64-bit integers to the 53 bits a number has, which is near enough for a summary, halves in full. */
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
  const ends: Summary = count === 0 ? {} : { min: whole(min), max: whole(max), mean: jsonNumber(mean) }
  const some: Summary = nan === 0 ? {} : { nan }
  return { ...some, ...ends, ...distinctCount(distinct) }
}

function whole(value: number): Json {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? jsonInteger(BigInt(value)) : jsonNumber(value)
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

function distinctCount(distinct: number | undefined): Summary {
  return distinct === undefined ? { distinctAtLeast: MOST_DISTINCT + 1 } : { distinct }
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

interface Seen {
  readonly bytes: Uint8Array
  count: number
  readonly next: Seen | undefined
}

/** Strings stay bytes: UTF-8 compares like its code points, and most columns repeat few values or differ in the first bytes. */
function* texts(column: Column): Steps<Summary> {
  const seen = new SeenTexts()
  let distinct = 0
  let min: Uint8Array | undefined
  let max: Uint8Array | undefined
  for (const data of column.chunks) {
    const { valueOffsets } = data
    if (!valueOffsets) continue
    const values = bytesOf(data.values)
    const nullable = bitmapOf(data) !== undefined
    for (let row = 0; row < data.length; row += 1) {
      if (nullable && !isValid(data, row)) continue
      const from = Number(valueOffsets[row])
      const to = Number(valueOffsets[row + 1])
      if (!seen.note(values, from, to)) continue
      distinct += 1
      // First and last of a thousand texts and more say nothing, and finding them would be most of the preview's time.
      if (distinct > MOST_DISTINCT) return distinctCount(undefined)
      if (min === undefined || compare(values, from, to, min) < 0) min = values.subarray(from, to)
      if (max === undefined || compare(values, from, to, max) > 0) max = values.subarray(from, to)
    }
    yield
  }
  const ends: Summary = min && max ? { min: textOf(min), max: textOf(max) } : {}
  const counted = seen.all.map(({ bytes, count }) => ({ value: textOf(bytes), count }))
  return { ...ends, distinct, ...top(counted) }
}

/** Values seen so far, by a hash of their bytes; values of one hash hang on one another. */
class SeenTexts {
  readonly #slots: (Seen | undefined)[] = new Array(SLOTS)
  readonly all: Seen[] = []

  /** Counts a value; true when it is new. */
  note(values: Uint8Array, from: number, to: number): boolean {
    let hash = to - from
    for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ (values[at] ?? 0), 0x01000193)
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
    const first = this.#slots[slot]
    for (let known = first; known !== undefined; known = known.next) {
      if (compare(values, from, to, known.bytes) !== 0) continue
      known.count += 1
      return false
    }
    const entry = { bytes: values.subarray(from, to), count: 1, next: first }
    this.#slots[slot] = entry
    this.all.push(entry)
    return true
  }
}

function compare(values: Uint8Array, from: number, to: number, other: Uint8Array): number {
  const length = Math.min(to - from, other.byteLength)
  for (let at = 0; at < length; at += 1) {
    const difference = (values[from + at] ?? 0) - (other[at] ?? 0)
    if (difference !== 0) return difference
  }
  return to - from - other.byteLength
}

const decoder = new TextDecoder()

function textOf(bytes: Uint8Array): string {
  return shortText(decoder.decode(bytes.subarray(0, 400)))
}

/** By the values their indices stand for. */
function* codes(column: Column): Steps<Summary> {
  const { layout, field } = column
  if (layout.kind !== 'dictionary') return {}
  const counts = new Map<Json, number>()
  for (const data of column.chunks) {
    const size = (data.dictionary?.data ?? []).reduce((sum, { length }) => sum + length, 0)
    if (size > MOST_DISTINCT) return {}
    const used = new Uint32Array(size)
    const first = new Int32Array(size)
    for (let row = 0; row < data.length; row += 1) {
      if (!isValid(data, row)) continue
      const code = indexAt(data, row)
      if (used[code] === 0) first[code] = row
      used[code] = (used[code] ?? 0) + 1
    }
    used.forEach((count, code) => {
      if (count === 0) return
      const value = jsonCell(field.type, layout, data, first[code] ?? 0)
      counts.set(value, (counts.get(value) ?? 0) + count)
    })
    yield
  }
  const counted = [...counts].map(([value, count]) => ({ value, count }))
  return { distinct: counts.size, ...top(counted) }
}

/** The most frequent values, when any is there more than once; equally frequent ones as they came. */
function top(counted: readonly { readonly value: Json; readonly count: number }[]): Summary {
  const best = [...counted].sort((a, b) => b.count - a.count).slice(0, TOP_VALUES)
  return best[0] === undefined || best[0].count < 2 ? {} : { top: best.map(({ value, count }) => ({ value, count })) }
}
