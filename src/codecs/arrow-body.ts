import { copyBits, countOnes, fillBits } from './arrow-bits.ts'
import { type ArrowData, bitmapOf, bytesOf, isValid, lastAtOrBefore, type Range, startsOf } from './arrow-data.ts'
import type { BatchShape } from './arrow-message.ts'
import type { DictionaryPlan, IndexType, Layout } from './arrow-type.ts'

const FIRST_BYTES = 64 * 1024
const VIEW_BYTES = 16
/** A view of up to so many bytes holds them itself (Arrow columnar format, "Variable-size Binary View Layout"). */
const VIEW_INLINE = 12

/**
 * The body of one batch: rows gathered from any number of incoming pieces, laid out so that equal rows give equal bytes wherever they stand.
 * Offsets begin at zero, bits at the first bit, null slots are zero, a bitmap is there only where something is null. The buffer is used
 * again for the next batch.
 */
export class BatchBody {
  bytes: Uint8Array = new Uint8Array(FIRST_BYTES)
  at = 0
  nodes: number[] = []
  buffers: number[] = []
  variadic: number[] = []

  clear(): void {
    this.at = 0
    this.nodes = []
    this.buffers = []
    this.variadic = []
  }

  shape(rows: number): BatchShape {
    return { rows, nodes: this.nodes, buffers: this.buffers, variadic: this.variadic, bodyBytes: this.at }
  }

  /** Makes room for one buffer and records it; returns where it begins. What was in that room is not cleared, but for the padding. */
  buffer(length: number): number {
    const start = this.at
    const end = start + ((length + 7) & ~7)
    if (end > this.bytes.byteLength) {
      const grown = new Uint8Array(Math.max(end, this.bytes.byteLength * 2))
      grown.set(this.bytes.subarray(0, start))
      this.bytes = grown
    }
    this.bytes.fill(0, start + length, end)
    this.buffers.push(start, length)
    this.at = end
    return start
  }

  /** Appends one column's rows. */
  column(layout: Layout, ranges: readonly Range[], rows: number): void {
    switch (layout.kind) {
      case 'null':
        this.nodes.push(rows, rows)
        return
      case 'union':
        this.nodes.push(rows, 0)
        writeUnion(this, layout, ranges, rows)
        return
      case 'dictionary':
        if (layout.plan.kept) writeIndices(this, layout.index, layout.plan, ranges, rows)
        else this.column(layout.values, decodedRanges(ranges), rows)
        return
      case 'bool':
        writeBools(this, ranges, rows, writeValidity(this, ranges, rows))
        return
      case 'fixed':
        writeFixed(this, layout.width, ranges, rows, writeValidity(this, ranges, rows))
        return
      case 'bytes':
        writeBytes(this, layout.large, ranges, rows, writeValidity(this, ranges, rows))
        return
      case 'view':
        writeViews(this, ranges, rows, writeValidity(this, ranges, rows))
        return
      case 'list':
        writeList(this, layout.large, layout.child, ranges, rows, writeValidity(this, ranges, rows))
        return
      case 'fixed-list': {
        writeValidity(this, ranges, rows)
        const { size, child } = layout
        const inner = ranges.map(({ data, from, to }) => ({
          data: data?.children[0],
          from: from * size,
          to: to * size,
        }))
        this.column(child, inner, rows * size)
        return
      }
      case 'struct':
        writeValidity(this, ranges, rows)
        layout.children.forEach((child, index) => {
          const inner = ranges.map(({ data, from, to }) => ({ data: data?.children[index], from, to }))
          this.column(child, inner, rows)
        })
        return
    }
  }
}

/** Bitmap and node; returns how many rows are null. */
function writeValidity(body: BatchBody, ranges: readonly Range[], rows: number): number {
  let nulls = 0
  for (const { data, from, to } of ranges) {
    const bitmap = data && bitmapOf(data)
    if (data === undefined) nulls += to - from
    else if (bitmap) nulls += to - from - countOnes(bitmap, data.offset + from, to - from)
  }
  body.nodes.push(rows, nulls)
  if (nulls === 0) {
    body.buffer(0)
    return 0
  }
  const start = body.buffer((rows + 7) >> 3)
  const target = body.bytes.subarray(start, body.at)
  target.fill(0)
  let row = 0
  for (const { data, from, to } of ranges) {
    const bitmap = data && bitmapOf(data)
    if (data && bitmap) copyBits(bitmap, data.offset + from, to - from, target, row)
    else fillBits(target, row, row + to - from, data !== undefined)
    row += to - from
  }
  return nulls
}

function writeBools(body: BatchBody, ranges: readonly Range[], rows: number, nulls: number): void {
  const start = body.buffer((rows + 7) >> 3)
  const target = body.bytes.subarray(start, body.at)
  target.fill(0)
  let row = 0
  for (const { data, from, to } of ranges) {
    if (data) copyBits(bytesOf(data.values), data.offset + from, to - from, target, row)
    row += to - from
  }
  if (nulls > 0) eachNull(ranges, (at) => fillBits(target, at, at + 1, false))
}

function writeFixed(body: BatchBody, width: number, ranges: readonly Range[], rows: number, nulls: number): void {
  const start = body.buffer(rows * width)
  const target = body.bytes
  let at = start
  for (const { data, from, to } of ranges) {
    const length = (to - from) * width
    if (data) target.set(bytesOf(data.values).subarray(from * width, to * width), at)
    else target.fill(0, at, at + length)
    at += length
  }
  if (nulls > 0) eachNull(ranges, (row) => target.fill(0, start + row * width, start + (row + 1) * width))
}

function eachNull(ranges: readonly Range[], visit: (row: number) => void): void {
  let row = 0
  for (const { data, from, to } of ranges) {
    for (let index = from; index < to; index += 1, row += 1) {
      if (data === undefined || !isValid(data, index)) visit(row)
    }
  }
}

/** Ranges of bytes or of list elements behind the rows' offsets, and the offsets, begun at zero, given to `put`. */
function gather(ranges: readonly Range[], nulls: number, put: (row: number, end: number) => void): Range[] {
  const inner: Range[] = []
  let row = 0
  let end = 0
  put(0, 0)
  for (const { data, from, to } of ranges) {
    const offsets = data?.valueOffsets
    if (data === undefined || !offsets) {
      for (let index = from; index < to; index += 1) put(++row, end)
      continue
    }
    let first = Number(offsets[from] ?? 0)
    let last = first
    for (let index = from; index < to; index += 1) {
      const next = Number(offsets[index + 1] ?? last)
      if (nulls > 0 && next > last && !isValid(data, index)) {
        // Whatever lies under a null is left out.
        if (last > first) inner.push({ data, from: first, to: last })
        first = next
      } else {
        end += next - last
      }
      last = next
      put(++row, end)
    }
    if (last > first) inner.push({ data, from: first, to: last })
  }
  return inner
}

function writeOffsets(body: BatchBody, large: boolean, ranges: readonly Range[], rows: number, nulls: number): Range[] {
  const start = body.buffer((rows + 1) * (large ? 8 : 4))
  const { buffer, byteOffset } = body.bytes
  if (large) {
    const target = new BigInt64Array(buffer, byteOffset + start, rows + 1)
    return gather(ranges, nulls, (row, end) => {
      target[row] = BigInt(end)
    })
  }
  const target = new Int32Array(buffer, byteOffset + start, rows + 1)
  const only = ranges[0]
  const offsets = only?.data?.valueOffsets
  if (ranges.length === 1 && nulls === 0 && only && offsets instanceof Int32Array) {
    const base = offsets[only.from] ?? 0
    for (let row = 0; row <= rows; row += 1) target[row] = (offsets[only.from + row] ?? 0) - base
    return [{ data: only.data, from: base, to: offsets[only.to] ?? base }]
  }
  return gather(ranges, nulls, (row, end) => {
    target[row] = end
  })
}

function writeBytes(body: BatchBody, large: boolean, ranges: readonly Range[], rows: number, nulls: number): void {
  const inner = writeOffsets(body, large, ranges, rows, nulls)
  let total = 0
  for (const { from, to } of inner) total += to - from
  let at = body.buffer(total)
  for (const { data, from, to } of inner) {
    body.bytes.set(bytesOf(data?.values).subarray(from, to), at)
    at += to - from
  }
}

function writeList(
  body: BatchBody,
  large: boolean,
  child: Layout,
  ranges: readonly Range[],
  rows: number,
  nulls: number,
): void {
  const inner = writeOffsets(body, large, ranges, rows, nulls)
  let total = 0
  for (const { from, to } of inner) total += to - from
  body.column(
    child,
    inner.map(({ data, from, to }) => ({ data: data?.children[0], from, to })),
    total,
  )
}

/** Views are rewritten around one data buffer that holds just these rows, in their order. */
function writeViews(body: BatchBody, ranges: readonly Range[], rows: number, nulls: number): void {
  const start = body.buffer(rows * VIEW_BYTES)
  body.bytes.fill(0, start, body.at)
  const views = new DataView(body.bytes.buffer, body.bytes.byteOffset + start, rows * VIEW_BYTES)
  const long: Uint8Array[] = []
  let total = 0
  let row = 0
  for (const { data, from, to } of ranges) {
    const values = bytesOf(data?.values)
    const source = new DataView(values.buffer, values.byteOffset, values.byteLength)
    for (let index = from; index < to; index += 1, row += 1) {
      if (data === undefined || (nulls > 0 && !isValid(data, index))) continue
      const at = index * VIEW_BYTES
      const length = source.getInt32(at, true)
      views.setInt32(row * VIEW_BYTES, length, true)
      const prefix = length <= VIEW_INLINE ? length : 4
      for (let byte = 0; byte < prefix; byte += 1)
        views.setUint8(row * VIEW_BYTES + 4 + byte, values[at + 4 + byte] ?? 0)
      if (length <= VIEW_INLINE) continue
      const from = source.getInt32(at + 12, true)
      long.push((data.variadicBuffers?.[source.getInt32(at + 8, true)] ?? values).subarray(from, from + length))
      views.setInt32(row * VIEW_BYTES + 12, total, true)
      total += length
    }
  }
  body.variadic.push(long.length === 0 ? 0 : 1)
  if (long.length === 0) return
  let at = body.buffer(total)
  for (const bytes of long) {
    body.bytes.set(bytes, at)
    at += bytes.byteLength
  }
}

function writeUnion(
  body: BatchBody,
  layout: Extract<Layout, { kind: 'union' }>,
  ranges: readonly Range[],
  rows: number,
): void {
  const types = new Int8Array(rows)
  const offsets = new Int32Array(layout.dense ? rows : 0)
  const childOf = new Map(layout.typeIds.map((id, index) => [id, index]))
  const inner: Range[][] = layout.children.map(() => [])
  const lengths = layout.children.map(() => 0)
  let row = 0
  for (const { data, from, to } of ranges) {
    for (let index = from; index < to; index += 1, row += 1) {
      const id = data?.typeIds?.[index] ?? layout.typeIds[0] ?? 0
      types[row] = id
      if (!layout.dense) continue
      const child = childOf.get(id) ?? 0
      const at = Number(data?.valueOffsets?.[index] ?? 0)
      offsets[row] = lengths[child] ?? 0
      lengths[child] = (lengths[child] ?? 0) + 1
      inner[child]?.push({ data: data?.children[child], from: at, to: at + 1 })
    }
    if (layout.dense) continue
    for (const [child, list] of inner.entries()) list.push({ data: data?.children[child], from, to })
  }
  put(body, bytesOf(types))
  if (layout.dense) put(body, bytesOf(offsets))
  layout.children.forEach((child, index) => {
    const list = inner[index] ?? []
    body.column(child, layout.dense ? merged(list) : list, layout.dense ? (lengths[index] ?? 0) : rows)
  })
}

function put(body: BatchBody, bytes: Uint8Array): void {
  const start = body.buffer(bytes.byteLength)
  body.bytes.set(bytes, start)
}

/** Neighbouring ranges that follow one another become one. */
function merged(ranges: readonly Range[]): Range[] {
  const result: Range[] = []
  for (const range of ranges) {
    const last = result[result.length - 1]
    if (last && last.data === range.data && (range.data === undefined || last.to === range.from)) {
      result[result.length - 1] = { data: last.data, from: last.from, to: last.to + range.to - range.from }
    } else {
      result.push(range)
    }
  }
  return result
}

function writeIndices(
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

/** The dictionary index in a row. */
export function indexAt(data: ArrowData, row: number): number {
  const { values } = data
  if (!values || !isIndexable(values)) return 0
  return Number(values[row] ?? 0)
}

function isIndexable(values: ArrayBufferView): values is ArrayBufferView & ArrayLike<number | bigint> {
  return 'length' in values
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
  return merged(rows)
}
