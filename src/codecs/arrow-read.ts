import { type BatchBounds, checkBatch } from './arrow-check-batch.ts'
import type { ArrowData } from './arrow-data.ts'
import type { IndexType, Layout } from './arrow-type.ts'

/** One column's part of a batch: its nodes and buffers, offsets counted from `start`. */
export interface ColumnBounds extends BatchBounds {
  /** First byte of the column in the batch's body, and just past its last. */
  readonly start: number
  readonly end: number
}

/** The values of the dictionary with this id, in pieces; `undefined` when there is none. */
export type Dictionaries = (id: number) => readonly ArrowData[] | undefined

/** Takes a batch's bounds apart, column by column. @throws RangeError when they do not fit the columns. */
export function boundsOfColumns(batch: BatchBounds, layouts: readonly Layout[], bodyBytes: number): ColumnBounds[] {
  const split = new Split(batch)
  const columns = layouts.map((layout) => split.column(layout, bodyBytes))
  split.end()
  return columns
}

class Split {
  readonly #batch: BatchBounds
  #node = 0
  #buffer = 0
  #variadic = 0

  constructor(batch: BatchBounds) {
    this.#batch = batch
  }

  column(layout: Layout, bodyBytes: number): ColumnBounds {
    const { nodes, buffers, variadic, rows } = this.#batch
    const from = { node: this.#node, buffer: this.#buffer, variadic: this.#variadic }
    this.#walk(layout)
    const own = buffers.slice(from.buffer, this.#buffer)
    let start = Number.POSITIVE_INFINITY
    let end = 0
    for (let at = 0; at < own.length; at += 2) {
      const [offset, length] = [own[at], own[at + 1]]
      if (offset % 8 !== 0 || offset + length > bodyBytes) throw new RangeError('A buffer is outside of its batch.')
      if (length === 0) continue
      start = Math.min(start, offset)
      end = Math.max(end, offset + length)
    }
    if (end === 0) start = 0
    return {
      rows,
      nodes: nodes.slice(from.node, this.#node),
      // An empty buffer may be said to lie anywhere.
      buffers: own.map((value, at) => (at % 2 === 1 ? value : own[at + 1] === 0 ? 0 : value - start)),
      variadic: variadic.slice(from.variadic, this.#variadic),
      start,
      end,
    }
  }

  end(): void {
    const { nodes, buffers, variadic } = this.#batch
    if (this.#node !== nodes.length || this.#buffer !== buffers.length || this.#variadic !== variadic.length)
      throw new RangeError('A batch describes other columns than the schema.')
  }

  #walk(layout: Layout): void {
    this.#node += 2
    if (this.#node > this.#batch.nodes.length) throw new RangeError('A batch describes fewer columns than the schema.')
    switch (layout.kind) {
      case 'null':
        return
      case 'union':
        this.#buffer += layout.dense ? 4 : 2
        for (const child of layout.children) this.#walk(child)
        return
      case 'bool':
      case 'fixed':
      case 'dictionary':
        this.#buffer += 4
        return
      case 'bytes':
        this.#buffer += 6
        return
      case 'view': {
        const count = this.#batch.variadic[this.#variadic++]
        if (count === undefined || count > this.#batch.buffers.length)
          throw new RangeError('A view column has no buffers.')
        this.#buffer += 4 + count * 2
        return
      }
      case 'list':
        this.#buffer += 4
        this.#walk(layout.child)
        return
      case 'fixed-list':
        this.#buffer += 2
        this.#walk(layout.child)
        return
      case 'struct':
        this.#buffer += 2
        for (const child of layout.children) this.#walk(child)
        return
    }
  }
}

/**
 * A column of a batch as it lies in its bytes: nothing is copied, but for bytes that do not begin on 8.
 *
 * @throws RangeError when a length, offset or index does not fit, before anything is read by it.
 */
export function readColumn(
  layout: Layout,
  bounds: ColumnBounds,
  bytes: Uint8Array,
  dictionaries: Dictionaries,
): ArrowData {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  const sizes = new Map(
    dictionaryIds(layout).map((id) => [id, (dictionaries(id) ?? []).reduce((sum, { length }) => sum + length, 0)]),
  )
  checkBatch(bounds, aligned, [layout], sizes)
  return new ColumnReader(bounds, aligned, dictionaries).column(layout)
}

/** The dictionaries a column refers to, in the order of its fields. */
export function dictionaryIds(layout: Layout): number[] {
  if (layout.kind === 'dictionary') return [layout.plan.id, ...dictionaryIds(layout.values)]
  if (layout.kind === 'list' || layout.kind === 'fixed-list') return dictionaryIds(layout.child)
  return layout.kind === 'struct' || layout.kind === 'union' ? layout.children.flatMap(dictionaryIds) : []
}

class ColumnReader {
  readonly #bounds: ColumnBounds
  readonly #bytes: Uint8Array
  readonly #dictionaries: Dictionaries
  #node = 0
  #buffer = 0
  #variadic = 0

  constructor(bounds: ColumnBounds, bytes: Uint8Array, dictionaries: Dictionaries) {
    this.#bounds = bounds
    this.#bytes = bytes
    this.#dictionaries = dictionaries
  }

  column(layout: Layout): ArrowData {
    const length = this.#bounds.nodes[this.#node]
    const nulls = this.#bounds.nodes[this.#node + 1]
    this.#node += 2
    const base = { length, offset: 0, children: [] }
    if (layout.kind === 'null') return base
    if (layout.kind === 'union') return this.#union(layout, length)
    const bitmap = this.#take()
    const valid = { ...base, nullBitmap: nulls !== 0 && bitmap.byteLength > 0 ? bitmap : undefined }
    switch (layout.kind) {
      case 'bool':
      case 'fixed':
        return { ...valid, values: this.#take() }
      case 'bytes':
        return { ...valid, valueOffsets: offsets(this.#take(), length, layout.large), values: this.#take() }
      case 'view': {
        const values = this.#take()
        const count = this.#bounds.variadic[this.#variadic++]
        return { ...valid, values, variadicBuffers: Array.from({ length: count }, () => this.#take()) }
      }
      case 'list':
        return {
          ...valid,
          valueOffsets: offsets(this.#take(), length, layout.large),
          children: [this.column(layout.child)],
        }
      case 'fixed-list':
        return { ...valid, children: [this.column(layout.child)] }
      case 'struct':
        return { ...valid, children: layout.children.map((child) => this.column(child)) }
      case 'dictionary':
        return {
          ...valid,
          values: indices(this.#take(), length, layout.index),
          dictionary: { data: this.#dictionaries(layout.plan.id) ?? [] },
        }
    }
  }

  #union(layout: Extract<Layout, { kind: 'union' }>, length: number): ArrowData {
    const typeIds = this.#take()
    const at = layout.dense ? { valueOffsets: offsets(this.#take(), length - 1, false) } : {}
    return { length, offset: 0, typeIds, ...at, children: layout.children.map((child) => this.column(child)) }
  }

  #take(): Uint8Array {
    const offset = this.#bounds.buffers[this.#buffer]
    const length = this.#bounds.buffers[this.#buffer + 1]
    this.#buffer += 2
    return this.#bytes.subarray(offset, offset + length)
  }
}

/** One more than there are rows; Arrow may leave them out when there are none. */
function offsets(bytes: Uint8Array, rows: number, large: boolean): Int32Array | BigInt64Array {
  const count = Math.max(0, Math.min(rows + 1, Math.floor(bytes.byteLength / (large ? 8 : 4))))
  return large
    ? new BigInt64Array(bytes.buffer, bytes.byteOffset, count)
    : new Int32Array(bytes.buffer, bytes.byteOffset, count)
}

function indices({ buffer, byteOffset }: Uint8Array, rows: number, { width, signed }: IndexType): ArrayBufferView {
  if (width === 1) return signed ? new Int8Array(buffer, byteOffset, rows) : new Uint8Array(buffer, byteOffset, rows)
  if (width === 2) return signed ? new Int16Array(buffer, byteOffset, rows) : new Uint16Array(buffer, byteOffset, rows)
  return signed ? new Int32Array(buffer, byteOffset, rows) : new Uint32Array(buffer, byteOffset, rows)
}
