import type { Column } from '../arrow/arrow-column.ts'
import { type ArrowData, bitmapOf, bytesOf, isValid } from '../arrow/arrow-data.ts'
import type { Steps } from '../steps.ts'
import { distinctCount, MOST_DISTINCT, type Summary, topValues } from './table-distinct.ts'
import { shortText, viewBytes } from './table-json-cell.ts'

/** A power of two well above the values counted. */
const SLOTS = 4096

/** Strings stay bytes: UTF-8 compares like its code points, and most columns repeat few values or differ in the first bytes. */
export function* texts({ chunks, layout }: Column): Steps<Summary> {
  const seen = new SeenTexts()
  for (const data of chunks) {
    if (!(layout.kind === 'view' ? noteViews(data, seen) : noteRows(data, seen))) return distinctCount(undefined)
    yield
  }
  const sorted = seen.all.toSorted((one, other) => compare(one.bytes, other.bytes))
  const [min] = sorted
  const max = sorted.at(-1)
  const ends: Summary = min && max ? { min: textOf(min.bytes), max: textOf(max.bytes) } : {}
  const counted = seen.all.map(({ bytes, count }) => ({ value: textOf(bytes), count }))
  return { ...ends, ...distinctCount(seen.all.length), ...topValues(counted) }
}

/** False as soon as there are too many: first and last of a thousand texts and more say nothing, and finding them would be most of the preview's time. */
function noteRows(data: ArrowData, seen: SeenTexts): boolean {
  const nullable = bitmapOf(data) !== undefined
  const values = viewOf(bytesOf(data.values))
  const offsets = offsetsOf(data)
  let to = offsets[0] ?? 0
  for (let row = 0; row < data.length; row += 1) {
    const from = to
    to = offsets[row + 1] ?? from
    if (nullable && !isValid(data, row)) continue
    if (seen.note(values, from, to) && seen.all.length > MOST_DISTINCT) return false
  }
  return true
}

function noteViews(data: ArrowData, seen: SeenTexts): boolean {
  for (let row = 0; row < data.length; row += 1) {
    if (!isValid(data, row)) continue
    const values = viewOf(viewBytes(data, row))
    if (seen.note(values, 0, values.byteLength) && seen.all.length > MOST_DISTINCT) return false
  }
  return true
}

/** As numbers of one kind of array: a loop over both kinds takes twice as long. */
function offsetsOf({ valueOffsets }: ArrowData): Int32Array | Float64Array {
  if (valueOffsets instanceof Int32Array) return valueOffsets
  return Float64Array.from(valueOffsets ?? [], Number)
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

interface Seen {
  readonly bytes: DataView
  count: number
  readonly next: Seen | undefined
}

/** Values seen so far, by a hash of their bytes; values of one hash hang on one another. Four bytes at a time: half the time of the whole preview. */
class SeenTexts {
  readonly #slots: (Seen | undefined)[] = new Array(SLOTS)
  readonly all: Seen[] = []

  /** Counts a value; true when it is new. */
  note(values: DataView, from: number, to: number): boolean {
    let hash = to - from
    let at = from
    for (; at + 4 <= to; at += 4) hash = Math.imul(hash ^ values.getInt32(at, true), 0x9e3779b1) ^ (hash >>> 15)
    for (; at < to; at += 1) hash = Math.imul(hash ^ values.getUint8(at), 0x01000193)
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
    const first = this.#slots[slot]
    for (let known = first; known !== undefined; known = known.next) {
      if (!same(values, from, to, known.bytes)) continue
      known.count += 1
      return false
    }
    const entry = { bytes: new DataView(values.buffer, values.byteOffset + from, to - from), count: 1, next: first }
    this.#slots[slot] = entry
    this.all.push(entry)
    return true
  }
}

function same(values: DataView, from: number, to: number, other: DataView): boolean {
  const length = to - from
  if (length !== other.byteLength) return false
  let at = 0
  for (; at + 4 <= length; at += 4) if (values.getInt32(from + at, true) !== other.getInt32(at, true)) return false
  for (; at < length; at += 1) if (values.getUint8(from + at) !== other.getUint8(at)) return false
  return true
}

function compare(one: DataView, other: DataView): number {
  const length = Math.min(one.byteLength, other.byteLength)
  for (let at = 0; at < length; at += 1) {
    const difference = one.getUint8(at) - other.getUint8(at)
    if (difference !== 0) return difference
  }
  return one.byteLength - other.byteLength
}

// A text may begin with U+FEFF: the first header of a CSV file often does.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function textOf({ buffer, byteOffset, byteLength }: DataView): string {
  return shortText(decoder.decode(new Uint8Array(buffer, byteOffset, Math.min(byteLength, 400))))
}
