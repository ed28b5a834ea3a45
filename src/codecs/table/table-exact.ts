import { DataType, DateUnit, TimeUnit } from '../arrow/arrow.ts'
import { type ArrowData, bytesOf, indexAt, isValid, lastAtOrBefore, startsOf } from '../arrow/arrow-data.ts'
import type { Layout } from '../arrow/arrow-type.ts'
import { decimalText, floatOf, integerOf, intervalParts, MAX_DATE, viewBytes } from './table-json-cell.ts'

/** One column's rows in memory, with what is needed to read them. */
export interface ColumnData {
  readonly type: DataType
  readonly layout: Layout
  readonly data: ArrowData
}

const DAY_MS = 86_400_000
// A text may begin with U+FEFF: the first header of a CSV file often does.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

const parts: Record<number, { readonly perSecond: bigint; readonly digits: number }> = {
  [TimeUnit.MICROSECOND]: { perSecond: 1_000_000n, digits: 6 },
  [TimeUnit.NANOSECOND]: { perSecond: 1_000_000_000n, digits: 9 },
}

/**
 * One cell in full, as plain JavaScript that refers to nothing: numbers and booleans; text; `null`; whole numbers of 64 bits as `bigint`; times
 * in seconds or milliseconds and dates as `Date`, finer times as ISO 8601 text, since no `Date` holds them; decimals as text; bytes as
 * `Uint8Array`; lists as arrays, structs as objects, maps as arrays of `[key, value]`.
 */
export function exactCell({ type, layout, data }: ColumnData, row: number): unknown {
  if (!isValid(data, row)) return null
  switch (layout.kind) {
    case 'null':
      return null
    case 'bool': {
      const bit = data.offset + row
      return ((bytesOf(data.values)[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0
    }
    case 'fixed':
      return fixedCell(type, layout.width, data, row)
    case 'bytes': {
      const from = Number(data.valueOffsets?.[row] ?? 0)
      return bytesCell(type, bytesOf(data.values).subarray(from, Number(data.valueOffsets?.[row + 1] ?? from)))
    }
    case 'view':
      return bytesCell(type, viewBytes(data, row))
    case 'list': {
      const from = Number(data.valueOffsets?.[row] ?? 0)
      const elements = elementsOf(type, layout.child, data, from, Number(data.valueOffsets?.[row + 1] ?? from))
      return DataType.isMap(type) ? elements.map(pairOf) : elements
    }
    case 'fixed-list':
      return elementsOf(type, layout.child, data, row * layout.size, (row + 1) * layout.size)
    case 'struct':
      return Object.fromEntries(
        layout.children.map((child, index) => [
          type.children[index].name ?? '',
          exactCell({ type: type.children[index].type, layout: child, data: data.children[index] }, row),
        ]),
      )
    case 'union': {
      const index = layout.typeIds.indexOf(data.typeIds?.[row] ?? 0)
      if (index === -1) return null
      const at = layout.dense ? Number(data.valueOffsets?.[row] ?? 0) : row
      return exactCell(
        { type: type.children[index].type, layout: layout.children[index], data: data.children[index] },
        at,
      )
    }
    case 'dictionary': {
      const found = decoded(type, layout, data, row)
      return found && exactCell(found.column, found.row)
    }
  }
}

/** What a dictionary's index stands for, and where. */
export function decoded(
  type: DataType,
  layout: Extract<Layout, { kind: 'dictionary' }>,
  data: ArrowData,
  row: number,
): { column: ColumnData; row: number } | null {
  const chunks = data.dictionary?.data ?? []
  const starts = startsCache.get(chunks) ?? startsOf(chunks)
  startsCache.set(chunks, starts)
  const code = indexAt(data, row)
  const chunk = lastAtOrBefore(starts, code)
  const inner = chunks[chunk]
  if (inner === undefined) return null
  const values = DataType.isDictionary(type) ? type.dictionary : type
  return { column: { type: values, layout: layout.values, data: inner }, row: code - starts[chunk] }
}

const startsCache = new WeakMap<readonly ArrowData[], readonly number[]>()

function elementsOf(type: DataType, child: Layout, data: ArrowData, from: number, to: number): unknown[] {
  const inner = { type: type.children[0].type, layout: child, data: data.children[0] }
  return Array.from({ length: to - from }, (_, index) => exactCell(inner, from + index))
}

function pairOf(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null ? Object.values(entry) : entry
}

function bytesCell(type: DataType, bytes: Uint8Array): string | Uint8Array {
  const isText = DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type)
  return isText ? decoder.decode(bytes) : bytes.slice()
}

function fixedCell(type: DataType, width: number, data: ArrowData, row: number): unknown {
  const bytes = bytesOf(data.values)
  const view = new DataView(bytes.buffer, bytes.byteOffset + row * width, width)
  if (DataType.isFloat(type)) return floatOf(type.precision, view)
  if (DataType.isInt(type))
    return width === 8 ? integerOf(view, 8, type.isSigned) : Number(integerOf(view, width, type.isSigned))
  if (DataType.isTimestamp(type)) return timestamp(view.getBigInt64(0, true), type.unit)
  if (DataType.isDate(type))
    return dateOf(type.unit === DateUnit.DAY ? view.getInt32(0, true) * DAY_MS : Number(view.getBigInt64(0, true)))
  if (DataType.isTime(type) || DataType.isDuration(type))
    return width === 8 ? integerOf(view, 8, true) : Number(integerOf(view, width, true))
  if (DataType.isDecimal(type)) return decimalText(view, width, type.scale)
  if (DataType.isInterval(type)) return intervalParts(view)
  return bytes.slice(row * width, (row + 1) * width)
}

function timestamp(value: bigint, unit: TimeUnit): unknown {
  const fine = parts[unit]
  if (fine === undefined) return dateOf(Number(value) * (unit === TimeUnit.SECOND ? 1000 : 1))
  const rest = ((value % fine.perSecond) + fine.perSecond) % fine.perSecond
  const seconds = (value - rest) / fine.perSecond
  const whole = dateOf(Number(seconds) * 1000)
  if (!(whole instanceof Date)) return value
  return whole.toISOString().replace('.000Z', `.${rest.toString().padStart(fine.digits, '0')}Z`)
}

/** A number of milliseconds where no Date goes that far. */
function dateOf(milliseconds: number): Date | number {
  return Math.abs(milliseconds) <= MAX_DATE ? new Date(milliseconds) : milliseconds
}
