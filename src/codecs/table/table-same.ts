import { DataType, Precision } from '../arrow/arrow.ts'
import { type ArrowData, bytesOf, isValid } from '../arrow/arrow-data.ts'
import type { Layout } from '../arrow/arrow-type.ts'
import { type ColumnData, decoded, exactCell } from './table-exact.ts'
import { viewBytes } from './table-json-cell.ts'

/** Whether two cells of columns of one type hold the same: bit for bit, but that any NaN is like any other. 0 and -0 differ. */
export function sameCell(a: ColumnData, rowA: number, b: ColumnData, rowB: number): boolean {
  const valid = isValid(a.data, rowA)
  if (valid !== isValid(b.data, rowB)) return false
  if (!valid) return true
  const { layout } = a
  const other = b.layout
  if (layout.kind === 'dictionary' || other.kind === 'dictionary') {
    const [one, two] = [plain(a, rowA), plain(b, rowB)]
    return one === null || two === null ? one === two : sameCell(one.column, one.row, two.column, two.row)
  }
  switch (layout.kind) {
    case 'null':
      return true
    case 'bool':
      return bitAt(a.data, rowA) === bitAt(b.data, rowB)
    case 'fixed':
      return sameFixed(a.type, layout.width, bytesOf(a.data.values), rowA, bytesOf(b.data.values), rowB)
    case 'bytes':
    case 'view': {
      return sameBytes(cellBytes(a, rowA), cellBytes(b, rowB))
    }
    case 'list': {
      const [from, to] = extent(a.data, rowA)
      const [start, end] = extent(b.data, rowB)
      if (other.kind !== 'list' || to - from !== end - start) return false
      return sameElements(child(a, layout.child, 0), from, child(b, other.child, 0), start, to - from)
    }
    case 'fixed-list':
      if (other.kind !== 'fixed-list' || layout.size !== other.size) return false
      return sameElements(
        child(a, layout.child, 0),
        rowA * layout.size,
        child(b, other.child, 0),
        rowB * other.size,
        layout.size,
      )
    case 'struct':
      return layout.children.every(
        (inner, index) =>
          other.kind === 'struct' &&
          sameCell(child(a, inner, index), rowA, child(b, other.children[index], index), rowB),
      )
    case 'union': {
      if (other.kind !== 'union') return false
      const index = layout.typeIds.indexOf(a.data.typeIds?.[rowA] ?? 0)
      if (index === -1 || index !== other.typeIds.indexOf(b.data.typeIds?.[rowB] ?? 0)) return false
      return sameCell(
        child(a, layout.children[index], index),
        layout.dense ? Number(a.data.valueOffsets?.[rowA] ?? 0) : rowA,
        child(b, other.children[index], index),
        other.dense ? Number(b.data.valueOffsets?.[rowB] ?? 0) : rowB,
      )
    }
  }
}

/** Whether cells of columns of different types mean the same: 1 of an Int32 is 1 of a Float64, but not the text '1'. */
export function sameMeaning(a: ColumnData, rowA: number, b: ColumnData, rowB: number): boolean {
  return meaningOf(exactCell(a, rowA), a.type) === meaningOf(exactCell(b, rowB), b.type)
}

/** A text that is the same for values that mean the same. */
export function meaningOf(value: unknown, type?: DataType): string {
  if (typeof value === 'bigint') return `number ${value}`
  if (typeof value === 'number') return `number ${Object.is(value, -0) ? '-0' : numberText(value)}`
  if (value instanceof Date) return timeText(value.toISOString())
  if (typeof value === 'string') return type && DataType.isTimestamp(type) ? timeText(value) : `text ${value}`
  if (value instanceof Uint8Array) return `bytes ${value.join()}`
  if (Array.isArray(value)) return JSON.stringify(value.map((inner) => meaningOf(inner)))
  if (typeof value === 'object' && value !== null)
    return JSON.stringify(Object.entries(value).map(([name, inner]) => [name, meaningOf(inner)]))
  return String(value)
}

/** Without the digits that only say how fine the clock is. */
function timeText(iso: string): string {
  return `time ${iso.replace(/\.?0*Z$/, '')}`
}

function numberText(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : String(value)
}

function plain(column: ColumnData, row: number): { column: ColumnData; row: number } | null {
  const { type, layout, data } = column
  return layout.kind === 'dictionary' ? decoded(type, layout, data, row) : { column, row }
}

export function child({ type, data }: ColumnData, layout: Layout, index: number): ColumnData {
  return { type: type.children[index].type, layout, data: data.children[index] }
}

export function extent({ valueOffsets }: ArrowData, row: number): [number, number] {
  return [Number(valueOffsets?.[row] ?? 0), Number(valueOffsets?.[row + 1] ?? 0)]
}

export function cellBytes({ layout, data }: ColumnData, row: number): Uint8Array {
  if (layout.kind === 'view') return viewBytes(data, row)
  const [from, to] = extent(data, row)
  return bytesOf(data.values).subarray(from, to)
}

export function bitAt(data: ArrowData, row: number): number {
  const bit = data.offset + row
  return ((bytesOf(data.values)[bit >> 3] ?? 0) >> (bit & 7)) & 1
}

function sameElements(a: ColumnData, fromA: number, b: ColumnData, fromB: number, count: number): boolean {
  for (let index = 0; index < count; index += 1) if (!sameCell(a, fromA + index, b, fromB + index)) return false
  return true
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false
  for (let at = 0; at < a.byteLength; at += 1) if (a[at] !== b[at]) return false
  return true
}

function sameFixed(type: DataType, width: number, a: Uint8Array, rowA: number, b: Uint8Array, rowB: number): boolean {
  const [from, start] = [rowA * width, rowB * width]
  for (let at = 0; at < width; at += 1)
    if (a[from + at] !== b[start + at]) return holdsNaN(type, a, from) && holdsNaN(type, b, start)
  return true
}

/** By the bits (IEEE 754): the exponent all ones, and a fraction. */
export function holdsNaN(type: DataType, bytes: Uint8Array, at: number): boolean {
  if (!DataType.isFloat(type)) return false
  if (type.precision === Precision.DOUBLE) {
    const high = wordAt(bytes, at + 4) & 0x7fffffff
    return high > 0x7ff00000 || (high === 0x7ff00000 && wordAt(bytes, at) !== 0)
  }
  if (type.precision === Precision.SINGLE) return (wordAt(bytes, at) & 0x7fffffff) > 0x7f800000
  return ((bytes[at] | (bytes[at + 1] << 8)) & 0x7fff) > 0x7c00
}

export function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
}
