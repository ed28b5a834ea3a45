import { type BatchBody, writeFixed, writeValidity } from './arrow-body.ts'
import { type ArrowData, indexAt, isValid, lastAtOrBefore, mergedRanges, type Range, startsOf } from './arrow-data.ts'
import type { DictionaryPlan, IndexType } from './arrow-type.ts'

/** Indices into the one dictionary of the stream. */
export function writeIndices(
  body: BatchBody,
  index: IndexType,
  plan: DictionaryPlan,
  ranges: readonly Range[],
  rows: number,
): void {
  const nulls = writeValidity(body, ranges, rows)
  const known = ranges.every(({ data }) => data === undefined || mapOf(plan, data) === undefined)
  const sameWidth = ranges.every(({ data }) => data === undefined || widthOf(data) === index.width)
  if (known && sameWidth) {
    writeFixed(body, index.width, ranges, rows, nulls)
    return
  }
  const start = body.buffer(rows * index.width)
  body.bytes.fill(0, start, body.at)
  const view = new DataView(body.bytes.buffer, body.bytes.byteOffset + start)
  let row = 0
  for (const { data, from, to } of ranges) {
    for (let at = from; at < to; at += 1, row += 1) {
      if (data === undefined || !isValid(data, at)) continue
      const code = indexAt(data, at)
      setIndex(view, row * index.width, index.width, mapOf(plan, data)?.[code] ?? code)
    }
  }
}

function mapOf(plan: DictionaryPlan, data: ArrowData): Int32Array | undefined {
  return data.dictionary ? plan.maps.get(data.dictionary) : undefined
}

function widthOf(data: ArrowData): number {
  const { values } = data
  return values && 'BYTES_PER_ELEMENT' in values ? Number(values.BYTES_PER_ELEMENT) : 0
}

function setIndex(view: DataView, at: number, width: number, code: number): void {
  if (width === 1) view.setUint8(at, code)
  else if (width === 2) view.setUint16(at, code, true)
  else view.setUint32(at, code, true)
}

/** Rows of a dictionary column as rows of its dictionaries. */
export function decodedRanges(ranges: readonly Range[]): Range[] {
  const rows: Range[] = []
  for (const { data, from, to } of ranges) {
    const chunks = data?.dictionary?.data ?? []
    const starts = startsOf(chunks)
    for (let row = from; row < to; row += 1) {
      if (data === undefined || !isValid(data, row)) {
        rows.push({ data: undefined, from: 0, to: 1 })
        continue
      }
      const code = indexAt(data, row)
      const chunk = lastAtOrBefore(starts, code)
      const at = code - (starts[chunk] ?? 0)
      rows.push({ data: chunks[chunk], from: at, to: at + 1 })
    }
  }
  return mergedRanges(rows)
}
