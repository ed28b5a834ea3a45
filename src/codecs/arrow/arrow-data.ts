import { isTypedArray } from '../capabilities.ts'

/**
 * One column's buffers as Arrow lays them out: the part of apache-arrow's `Data` we read, so that columns made here and columns made by any
 * copy of that library are the same thing. As there, `offset` counts bits to skip in `nullBitmap` and in the values of booleans only: all
 * other buffers are already cut to the first row.
 */
export interface ArrowData {
  readonly length: number
  readonly offset: number
  readonly nullBitmap?: Uint8Array | null
  readonly values?: ArrayBufferView | null
  readonly valueOffsets?: Int32Array | BigInt64Array | null
  readonly typeIds?: ArrayLike<number> | null
  readonly children: readonly ArrowData[]
  readonly dictionary?: { readonly data: readonly ArrowData[] } | null
  readonly variadicBuffers?: readonly Uint8Array[] | null
}

/** Rows `from` to `to` of `data`; of nulls, when there is no data. */
export interface Range {
  readonly data: ArrowData | undefined
  readonly from: number
  readonly to: number
}

const empty = new Uint8Array(0)

/** The values' bytes, whatever typed array they came in. */
export function bytesOf(view: ArrayBufferView | null | undefined): Uint8Array {
  if (!view) return empty
  return view instanceof Uint8Array ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

/** Arrow writes no bitmap, or an empty one, where nothing is null. */
export function bitmapOf(data: ArrowData): Uint8Array | undefined {
  return data.nullBitmap && data.nullBitmap.byteLength > 0 ? data.nullBitmap : undefined
}

export function isValid(data: ArrowData, row: number): boolean {
  const bitmap = bitmapOf(data)
  if (bitmap === undefined) return true
  const bit = data.offset + row
  return ((bitmap[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0
}

/** The ranges that make up rows `from` to `to` of a column given as consecutive pieces. */
export function rangesOf(chunks: readonly ArrowData[], starts: readonly number[], from: number, to: number): Range[] {
  const ranges: Range[] = []
  for (let index = lastAtOrBefore(starts, from); index < chunks.length; index += 1) {
    const data = chunks[index]
    const start = starts[index]
    if (data === undefined || start === undefined || start >= to) break
    const low = Math.max(from - start, 0)
    const high = Math.min(to - start, data.length)
    if (high > low) ranges.push({ data, from: low, to: high })
  }
  return ranges
}

/** Where each piece begins. */
export function startsOf(chunks: readonly ArrowData[]): number[] {
  let at = 0
  return chunks.map((chunk) => {
    const start = at
    at += chunk.length
    return start
  })
}

export function lastAtOrBefore(starts: readonly number[], row: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= row) low = middle
    else high = middle - 1
  }
  return low
}

/** Neighbouring ranges that follow one another become one. */
export function mergedRanges(ranges: readonly Range[]): Range[] {
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

/** The dictionary index in a row. */
export function indexAt(data: ArrowData, row: number): number {
  const { values } = data
  if (!values || !isIndexable(values)) return 0
  return Number(values[row] ?? 0)
}

function isIndexable(values: ArrayBufferView): values is ArrayBufferView & ArrayLike<number | bigint> {
  return 'length' in values
}

/** Another object in any case. Nested data is not copied: what builds it does not build it over. */
export function copiedData(data: ArrowData, copy: <View extends ArrayBufferView>(view: View) => View): ArrowData {
  if (data.children.length > 0 || data.dictionary) return { ...data }
  const { nullBitmap, values, valueOffsets } = data
  return {
    ...data,
    nullBitmap: nullBitmap && copy(nullBitmap),
    values: values && copy(values),
    valueOffsets: valueOffsets && copy(valueOffsets),
  }
}

/** The same elements in a typed array of the same kind, in this memory. */
export function copyInto<View extends ArrayBufferView>(view: View, buffer: ArrayBuffer, offset: number): View {
  new Uint8Array(buffer, offset, view.byteLength).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))
  const copy = viewLike(view, buffer, offset)
  if (!isLike(copy, view)) throw new TypeError('A typed array of another kind came out of its own constructor.')
  return copy
}

function viewLike(view: ArrayBufferView, buffer: ArrayBuffer, offset: number): unknown {
  // Node's Buffer is one, and has a constructor of another kind.
  if (view instanceof Uint8Array) return new Uint8Array(buffer, offset, view.length)
  return Reflect.construct(view.constructor, [buffer, offset, isTypedArray(view) ? view.length : view.byteLength])
}

function isLike<View extends ArrayBufferView>(copy: unknown, view: View): copy is View {
  return ArrayBuffer.isView(copy) && copy.byteLength === view.byteLength
}
