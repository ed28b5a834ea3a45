import type { Column } from './arrow-column.ts'
import { bitmapOf, bytesOf, indexAt, isValid } from './arrow-data.ts'
import type { Json } from './codec.ts'
import type { Steps } from './steps.ts'
import { distinctCount, MOST_DISTINCT, type Summary, topValues } from './table-distinct.ts'
import { exactCell } from './table-exact.ts'
import { jsonCell, shortText, viewBytes } from './table-json-cell.ts'
import { meaningOf } from './table-same.ts'

/** A power of two well above the values counted. */
const SLOTS = 4096

interface Seen {
  readonly bytes: Uint8Array
  count: number
  readonly next: Seen | undefined
}

/** Strings stay bytes: UTF-8 compares like its code points, and most columns repeat few values or differ in the first bytes. */
export function* texts({ chunks, layout }: Column): Steps<Summary> {
  const seen = new SeenTexts()
  let min: Uint8Array | undefined
  let max: Uint8Array | undefined
  for (const data of chunks) {
    const nullable = bitmapOf(data) !== undefined
    const { valueOffsets } = data
    const all = bytesOf(data.values)
    for (let row = 0; row < data.length; row += 1) {
      if (nullable && !isValid(data, row)) continue
      const values = layout.kind === 'view' ? viewBytes(data, row) : all
      const from = layout.kind === 'view' ? 0 : Number(valueOffsets?.[row] ?? 0)
      const to = layout.kind === 'view' ? values.byteLength : Number(valueOffsets?.[row + 1] ?? from)
      if (!seen.note(values, from, to)) continue
      // First and last of a thousand texts and more say nothing, and finding them would be most of the preview's time.
      if (seen.all.length > MOST_DISTINCT) return distinctCount(undefined)
      if (min === undefined || compare(values, from, to, min) < 0) min = values.subarray(from, to)
      if (max === undefined || compare(values, from, to, max) > 0) max = values.subarray(from, to)
    }
    yield
  }
  const ends: Summary = min && max ? { min: textOf(min), max: textOf(max) } : {}
  const counted = seen.all.map(({ bytes, count }) => ({ value: textOf(bytes), count }))
  return { ...ends, ...distinctCount(seen.all.length), ...topValues(counted) }
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

/** By the values their indices stand for: two codes may stand for one value, and two values may look alike once they are cut. */
export function* codes({ layout, field, chunks }: Column): Steps<Summary> {
  if (layout.kind !== 'dictionary') return {}
  const counts = new Map<string, { readonly value: Json; count: number }>()
  for (const data of chunks) {
    const size = (data.dictionary?.data ?? []).reduce((sum, { length }) => sum + length, 0)
    const used = new Uint32Array(size)
    const first = new Int32Array(size)
    for (let row = 0; row < data.length; row += 1) {
      if (!isValid(data, row)) continue
      const code = indexAt(data, row)
      if (used[code] === 0) first[code] = row
      used[code] = (used[code] ?? 0) + 1
    }
    for (const [code, count] of used.entries()) {
      if (count === 0) continue
      const row = first[code] ?? 0
      const key = meaningOf(exactCell({ type: field.type, layout, data }, row))
      const known = counts.get(key)
      if (known) known.count += count
      else counts.set(key, { value: jsonCell(field.type, layout, data, row), count })
      if (counts.size > MOST_DISTINCT) return distinctCount(undefined)
    }
    yield
  }
  return { ...distinctCount(counts.size), ...topValues([...counts.values()]) }
}
