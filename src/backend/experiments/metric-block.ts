import type { JsonValue } from '../../protocol/shapes.ts'
import type { Shape } from '../shape.ts'
import { type Points, seriesKey } from './series.ts'

const columnsOf = (points: Points) => [points.values, points.steps, points.epochs, points.timestamps] as const

const bytesOfNumber = 8

/** A column that is not there, an arithmetic series, or numbers in the attachment. */
type ColumnForm = 0 | 1 | readonly [number, number]

/** Series as a directory and the numbers of their columns: docs/spec.md, "Ledgers". */
export function encodeBlock(all: readonly Points[]): { block: JsonValue; bytes: Uint8Array } {
  const forms = all.map((points) => columnsOf(points).map(formOf))
  const numbers = all.flatMap((points, at) => columnsOf(points).filter((_, column) => forms[at][column] === 1))
  const bytes = new Uint8Array(numbers.reduce((sum, column) => sum + column.length, 0) * bytesOfNumber)
  let offset = 0
  for (const column of numbers) {
    copyNumbers(column, bytes, offset)
    offset += column.length * bytesOfNumber
  }
  const block = all.map(({ name, context, values }, at) => [name, context, values.length, forms[at]])
  return { block, bytes }
}

/** Undoes it. Refuses what does not fit together, before anything is allocated for it. */
export function decodeBlock(shape: Shape, bytes: Uint8Array): Points[] {
  let offset = 0
  const column = (form: JsonValue, count: number): Float64Array => {
    if (form === 0) return new Float64Array(count).fill(Number.NaN)
    if (form !== 1) return arithmetic(form, count) ?? refuse(shape)
    const end = offset + count * bytesOfNumber
    if (end > bytes.length) return refuse(shape)
    const numbers = readNumbers(bytes, offset, count)
    offset = end
    return numbers
  }
  return shape.list('block').map((series) => {
    const [name, context, count, forms] = Array.isArray(series) ? series : []
    if (typeof name !== 'string' || (context !== null && typeof context !== 'string')) return refuse(shape)
    if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0 || count > mostPoints)
      return refuse(shape)
    if (!Array.isArray(forms) || forms.length !== 4) return refuse(shape)
    return {
      name,
      context,
      values: column(forms[0], count),
      steps: column(forms[1], count),
      epochs: column(forms[2], count),
      timestamps: column(forms[3], count),
    }
  })
}

// Far above what an entry or an object under `m/` can hold, and far below what cannot be allocated.
const mostPoints = 64 * 1024 * 1024

/** Joins pieces of one series. */
export function joinPoints(pieces: readonly Points[]): Points {
  if (pieces.length === 1) return pieces[0]
  const { name, context } = pieces[0]
  const join = (column: (points: Points) => Float64Array) => {
    const joined = new Float64Array(pieces.reduce((sum, piece) => sum + piece.values.length, 0))
    let at = 0
    for (const piece of pieces) {
      joined.set(column(piece), at)
      at += piece.values.length
    }
    return joined
  }
  return {
    name,
    context,
    values: join(({ values }) => values),
    steps: join(({ steps }) => steps),
    epochs: join(({ epochs }) => epochs),
    timestamps: join(({ timestamps }) => timestamps),
  }
}

export function slicePoints(points: Points, start: number, end: number): Points {
  const { name, context, values, steps, epochs, timestamps } = points
  return {
    name,
    context,
    values: values.subarray(start, end),
    steps: steps.subarray(start, end),
    epochs: epochs.subarray(start, end),
    timestamps: timestamps.subarray(start, end),
  }
}

/** One series for each key, in the order of their first pieces. */
export function bySeries(pieces: Iterable<Points>): Map<string, Points[]> {
  const series = new Map<string, Points[]>()
  for (const piece of pieces) {
    const key = seriesKey(piece)
    const known = series.get(key)
    if (known) known.push(piece)
    else series.set(key, [piece])
  }
  return series
}

function formOf(column: Float64Array): ColumnForm {
  const [first] = column
  const last = column.length - 1
  if (Number.isNaN(first)) return column.every(Number.isNaN) ? 0 : 1
  const stride = last === 0 ? 0 : column[1] - first
  if (!Number.isFinite(first) || Object.is(first, -0) || !Number.isFinite(stride)) return 1
  for (let at = 1; at <= last; at++) if (!Object.is(column[at], first + at * stride)) return 1
  return [first, stride]
}

function arithmetic(form: JsonValue, count: number): Float64Array | undefined {
  const [first, stride] = Array.isArray(form) ? form : []
  if (typeof first !== 'number' || typeof stride !== 'number') return undefined
  const column = new Float64Array(count)
  for (let at = 0; at < count; at++) column[at] = first + at * stride
  return column
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

function copyNumbers(column: Float64Array, into: Uint8Array, offset: number): void {
  if (littleEndian) {
    into.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), offset)
    return
  }
  const view = new DataView(into.buffer, into.byteOffset)
  for (const [at, value] of column.entries()) view.setFloat64(offset + at * bytesOfNumber, value, true)
}

function readNumbers(bytes: Uint8Array, offset: number, count: number): Float64Array {
  const numbers = new Float64Array(count)
  if (littleEndian) {
    new Uint8Array(numbers.buffer).set(bytes.subarray(offset, offset + numbers.byteLength))
    return numbers
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let at = 0; at < count; at++) numbers[at] = view.getFloat64(offset + at * bytesOfNumber, true)
  return numbers
}

function refuse(shape: Shape): never {
  throw shape.refuse('its points do not fit their directory')
}
