import { copyBits, countOnes, fillBits } from './arrow-bits.ts'
import type { ArrowLayouts } from './arrow-column.ts'
import { bitmapOf, bytesOf, isValid, type Range } from './arrow-data.ts'
import type { BatchShape } from './arrow-message.ts'
import type { Layout } from './arrow-type.ts'

const FIRST_BYTES = 64 * 1024

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
  readonly #ofArrow: ArrowLayouts | undefined

  /** `ofArrow` for columns with layouts that only tables of Arrow have: `arrowLayouts` of the columns. */
  constructor(ofArrow: ArrowLayouts | undefined) {
    this.#ofArrow = ofArrow
  }

  clear(): void {
    this.at = 0
    this.nodes = []
    this.buffers = []
    this.variadic = []
  }

  shape(rows: number): BatchShape {
    return { rows, nodes: this.nodes, buffers: this.buffers, variadic: this.variadic, bodyBytes: this.at }
  }

  get #writers(): ArrowLayouts {
    if (this.#ofArrow === undefined) throw new TypeError('A layout of Arrow came where there is none.')
    return this.#ofArrow
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
        this.#writers.writeUnion(this, layout, ranges, rows)
        return
      case 'dictionary':
        if (layout.plan.kept) this.#writers.writeIndices(this, layout.index, layout.plan, ranges, rows)
        else this.column(layout.values, this.#writers.decodedRanges(ranges), rows)
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
        this.#writers.writeViews(this, ranges, rows, writeValidity(this, ranges, rows))
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
export function writeValidity(body: BatchBody, ranges: readonly Range[], rows: number): number {
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

export function writeFixed(
  body: BatchBody,
  width: number,
  ranges: readonly Range[],
  rows: number,
  nulls: number,
): void {
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
