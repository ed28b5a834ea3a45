import { DataType, Precision, TimeUnit } from 'apache-arrow'
import { countOnes } from './arrow-bits.ts'
import { indexAt } from './arrow-body.ts'
import type { Column } from './arrow-column.ts'
import { type ArrowData, bitmapOf, bytesOf, isValid } from './arrow-data.ts'
import type { Json } from './codec.ts'
import { halfToNumber, isoDate, jsonCell, jsonInteger, jsonNumber, shortText } from './table-json-cell.ts'

/** Distinct values are counted exactly up to here; beyond, `distinctAtLeast` says so. */
const MOST_DISTINCT = 1000
const TOP_VALUES = 3
const NAME_CHARACTERS = 80
const TYPE_CHARACTERS = 160
const WORD = 2 ** 32

type Summary = Record<string, Json>

/** Name, type and nulls of a column; min, max and mean of numbers and dates; how many distinct values and the most frequent. One pass. */
export function columnSummary(column: Column, rows: number): Json {
  const { field, layout } = column
  const type = String(field.type)
  const base: Summary = {
    name: column.name.slice(0, NAME_CHARACTERS),
    type: type.length > TYPE_CHARACTERS ? `${type.slice(0, TYPE_CHARACTERS)}…` : type,
    nulls: countNulls(column, rows),
  }
  if (layout.kind === 'fixed' && (DataType.isInt(field.type) || DataType.isFloat(field.type))) {
    return { ...base, ...numbers(column) }
  }
  if (layout.kind === 'fixed' && (DataType.isTimestamp(field.type) || DataType.isDate(field.type))) {
    return { ...base, ...dates(column) }
  }
  if (layout.kind === 'bool') return { ...base, ...booleans(column) }
  if (layout.kind === 'bytes' && (DataType.isUtf8(field.type) || DataType.isLargeUtf8(field.type))) {
    return { ...base, ...texts(column) }
  }
  return layout.kind === 'dictionary' ? { ...base, ...codes(column) } : base
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

/** Numbers of a column one by one, without null ones. */
function eachNumber(column: Column, visit: (value: number, data: ArrowData, row: number) => void): void {
  const { type } = column.field
  const isHalf = DataType.isFloat(type) && type.precision === Precision.HALF
  const isUnsigned = DataType.isInt(type) && !type.isSigned
  for (const data of column.chunks) {
    const { values } = data
    const nullable = bitmapOf(data) !== undefined
    const isLong = values instanceof BigInt64Array || values instanceof BigUint64Array
    // Halves of 64-bit numbers: a BigInt for each row would take several times as long.
    const bytes = bytesOf(values)
    const low = isLong ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2) : undefined
    const high = isLong ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2) : undefined
    for (let row = 0; row < data.length; row += 1) {
      if (nullable && !isValid(data, row)) continue
      if (low && high) {
        const upper = isUnsigned ? (low[row * 2 + 1] ?? 0) : (high[row * 2 + 1] ?? 0)
        visit(upper * WORD + (low[row * 2] ?? 0), data, row)
      } else {
        const value = indexAt(data, row)
        visit(isHalf && values instanceof Uint16Array ? halfToNumber(value) : value, data, row)
      }
    }
  }
}

interface Extremes {
  readonly count: number
  readonly nan: number
  readonly mean: number
  readonly min: number
  readonly max: number
  readonly distinct: number | undefined
}

function extremes(column: Column): Extremes {
  const seen = new Set<number>()
  let counting = true
  let count = 0
  let nan = 0
  let sum = 0
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  eachNumber(column, (value) => {
    if (counting) {
      seen.add(value)
      counting = seen.size <= MOST_DISTINCT
    }
    if (Number.isNaN(value)) {
      nan += 1
      return
    }
    count += 1
    sum += value
    if (value < min) min = value
    if (value > max) max = value
  })
  return { count, nan, mean: sum / count, min, max, distinct: counting ? seen.size : undefined }
}

function numbers(column: Column): Summary {
  const { count, nan, mean, min, max, distinct } = extremes(column)
  const ends: Summary = count === 0 ? {} : { min: whole(min), max: whole(max), mean: jsonNumber(mean) }
  const some: Summary = nan === 0 ? {} : { nan }
  return { ...some, ...ends, ...distinctCount(distinct) }
}

function whole(value: number): Json {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? jsonInteger(BigInt(value)) : jsonNumber(value)
}

function dates(column: Column): Summary {
  const { count, min, max, distinct } = extremes(column)
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
}

/** Strings stay bytes: UTF-8 compares like its code points, and most columns repeat few values or differ in the first bytes. */
function texts(column: Column): Summary {
  const seen = new Map<number, Seen[]>()
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
      if (distinct <= MOST_DISTINCT && !note(seen, values, from, to)) continue
      distinct += 1
      if (min === undefined || compare(values, from, to, min) < 0) min = values.subarray(from, to)
      if (max === undefined || compare(values, from, to, max) > 0) max = values.subarray(from, to)
    }
  }
  const ends: Summary = min && max ? { min: textOf(min), max: textOf(max) } : {}
  if (distinct > MOST_DISTINCT) return { ...ends, ...distinctCount(undefined) }
  const counted = [...seen.values()].flat().map(({ bytes, count }) => ({ value: textOf(bytes), count }))
  return { ...ends, distinct, ...top(counted) }
}

/** Counts a value; true when it is new. */
function note(seen: Map<number, Seen[]>, values: Uint8Array, from: number, to: number): boolean {
  let hash = to - from
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ (values[at] ?? 0), 0x01000193)
  const same = seen.get(hash)
  const known = same?.find(({ bytes }) => compare(values, from, to, bytes) === 0)
  if (known) {
    known.count += 1
    return false
  }
  const entry = { bytes: values.subarray(from, to), count: 1 }
  if (same) same.push(entry)
  else seen.set(hash, [entry])
  return true
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
function codes(column: Column): Summary {
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
  }
  const counted = [...counts].map(([value, count]) => ({ value, count }))
  return { distinct: counts.size, ...top(counted) }
}

/** The most frequent values, when any is there more than once; equally frequent ones as they came. */
function top(counted: readonly { readonly value: Json; readonly count: number }[]): Summary {
  const best = [...counted].sort((a, b) => b.count - a.count).slice(0, TOP_VALUES)
  return best[0] === undefined || best[0].count < 2 ? {} : { top: best.map(({ value, count }) => ({ value, count })) }
}
