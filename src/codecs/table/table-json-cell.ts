import { DataType, DateUnit, Precision, TimeUnit } from '../arrow/arrow.ts'
import { type ArrowData, bytesOf, indexAt, isValid, lastAtOrBefore, startsOf } from '../arrow/arrow-data.ts'
import type { Layout } from '../arrow/arrow-type.ts'
import type { Json } from '../codec.ts'

const TEXT_CHARACTERS = 80
const ELEMENTS = 5
const DAY_MS = 86_400_000
const perMillisecond: Record<number, number> = {
  [TimeUnit.SECOND]: 0.001,
  [TimeUnit.MILLISECOND]: 1,
  [TimeUnit.MICROSECOND]: 1000,
  [TimeUnit.NANOSECOND]: 1_000_000,
}
/** The last millisecond a Date can hold (ECMA-262, 21.4.1.1). */
export const MAX_DATE = 8.64e15

// A text may begin with U+FEFF: the first header of a CSV file often does.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** One cell as people read it in JSON: long text cut, dates as ISO 8601, what JSON numbers cannot hold as text. */
export function jsonCell(type: DataType, layout: Layout, data: ArrowData, row: number): Json {
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
      const bytes = bytesOf(data.values).subarray(from, Number(data.valueOffsets?.[row + 1] ?? from))
      return bytesCell(type, bytes)
    }
    case 'view':
      return bytesCell(type, viewBytes(data, row))
    case 'list': {
      const from = Number(data.valueOffsets?.[row] ?? 0)
      return elements(type, layout.child, data, from, Number(data.valueOffsets?.[row + 1] ?? from))
    }
    case 'fixed-list':
      return elements(type, layout.child, data, row * layout.size, (row + 1) * layout.size)
    case 'struct':
      return Object.fromEntries(
        layout.children.map((child, index) => {
          const field = type.children[index]
          const inner = data.children[index]
          return [field?.name ?? '', field && inner ? jsonCell(field.type, child, inner, row) : null]
        }),
      )
    case 'union': {
      const index = layout.typeIds.indexOf(data.typeIds?.[row] ?? 0)
      const child = layout.children[index]
      const inner = data.children[index]
      const field = type.children[index]
      if (child === undefined || inner === undefined || field === undefined) return null
      return jsonCell(field.type, child, inner, layout.dense ? Number(data.valueOffsets?.[row] ?? 0) : row)
    }
    case 'dictionary': {
      const chunks = data.dictionary?.data ?? []
      const starts = startsOf(chunks)
      const code = indexAt(data, row)
      const chunk = lastAtOrBefore(starts, code)
      const inner = chunks[chunk]
      const values = DataType.isDictionary(type) ? type.dictionary : type
      return inner ? jsonCell(values, layout.values, inner, code - (starts[chunk] ?? 0)) : null
    }
  }
}

/** Text as a preview shows it. */
export function shortText(text: string): string {
  if (text.length <= TEXT_CHARACTERS) return text
  // Never half of a surrogate pair.
  const end = /[\uD800-\uDBFF]/.test(text.charAt(TEXT_CHARACTERS - 1)) ? TEXT_CHARACTERS - 1 : TEXT_CHARACTERS
  return `${text.slice(0, end)}…`
}

function bytesCell(type: DataType, bytes: Uint8Array): Json {
  const isText = DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type)
  // Four bytes at most for each character kept.
  return isText ? shortText(decoder.decode(bytes.subarray(0, TEXT_CHARACTERS * 4 + 4))) : `${bytes.byteLength} bytes`
}

export function viewBytes(data: ArrowData, row: number): Uint8Array {
  const values = bytesOf(data.values)
  const view = new DataView(values.buffer, values.byteOffset + row * 16, 16)
  const length = view.getInt32(0, true)
  if (length <= 12) return values.subarray(row * 16 + 4, row * 16 + 4 + length)
  const start = view.getInt32(12, true)
  return (data.variadicBuffers?.[view.getInt32(8, true)] ?? new Uint8Array(0)).subarray(start, start + length)
}

function elements(type: DataType, child: Layout, data: ArrowData, from: number, to: number): Json {
  const field = type.children[0]
  const inner = data.children[0]
  if (field === undefined || inner === undefined) return []
  const cells: Json[] = []
  for (let row = from; row < Math.min(to, from + ELEMENTS); row += 1)
    cells.push(jsonCell(field.type, child, inner, row))
  if (to - from > ELEMENTS) cells.push(`… ${to - from - ELEMENTS} more`)
  return cells
}

function fixedCell(type: DataType, width: number, data: ArrowData, row: number): Json {
  const bytes = bytesOf(data.values)
  const view = new DataView(bytes.buffer, bytes.byteOffset + row * width, width)
  if (DataType.isFloat(type)) return jsonNumber(floatOf(type.precision, view))
  if (DataType.isInt(type)) return jsonInteger(integerOf(view, width, type.isSigned))
  if (DataType.isTimestamp(type)) {
    return isoDate(Number(view.getBigInt64(0, true)) / (perMillisecond[type.unit] ?? 1))
  }
  if (DataType.isDate(type)) {
    return isoDate(type.unit === DateUnit.DAY ? view.getInt32(0, true) * DAY_MS : Number(view.getBigInt64(0, true)))
  }
  if (DataType.isTime(type) || DataType.isDuration(type)) return jsonInteger(integerOf(view, width, true))
  if (DataType.isDecimal(type)) return decimalText(view, width, type.scale)
  if (DataType.isInterval(type)) return intervalParts(view)
  return Array.from({ length: Math.min(width, 16) }, (_, at) => view.getUint8(at).toString(16).padStart(2, '0')).join(
    '',
  )
}

export function integerOf(view: DataView, width: number, signed: boolean): bigint {
  if (width === 8) return signed ? view.getBigInt64(0, true) : view.getBigUint64(0, true)
  if (width === 4) return BigInt(signed ? view.getInt32(0, true) : view.getUint32(0, true))
  if (width === 2) return BigInt(signed ? view.getInt16(0, true) : view.getUint16(0, true))
  return BigInt(signed ? view.getInt8(0) : view.getUint8(0))
}

/** Months; days and milliseconds; or months, days and nanoseconds, in two halves: as apache-arrow gives them. */
export function intervalParts(view: DataView): number[] {
  return Array.from({ length: view.byteLength / 4 }, (_, at) => view.getInt32(at * 4, true))
}

export function floatOf(precision: number, view: DataView): number {
  if (precision === Precision.DOUBLE) return view.getFloat64(0, true)
  return precision === Precision.SINGLE ? view.getFloat32(0, true) : halfToNumber(view.getUint16(0, true))
}

/** IEEE 754 binary16: 1 bit sign, 5 exponent, 10 fraction. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** NaN and infinities as text: JSON has no numbers for them. */
export function jsonNumber(value: number): Json {
  return Number.isFinite(value) ? value : String(value)
}

export function jsonInteger(value: bigint): Json {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}

/** ISO 8601, or the number of milliseconds where no Date goes that far. */
export function isoDate(milliseconds: number): Json {
  const time = Math.floor(milliseconds)
  return Math.abs(time) <= MAX_DATE ? new Date(time).toISOString() : String(time)
}

export function decimalText(view: DataView, width: number, scale: number): string {
  let value = 0n
  for (let at = width - 4; at >= 0; at -= 4) value = (value << 32n) | BigInt(view.getUint32(at, true))
  value = BigInt.asIntN(width * 8, value)
  if (scale <= 0) return (value * 10n ** BigInt(-scale)).toString()
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
