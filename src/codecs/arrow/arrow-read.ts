import type { ColumnBounds } from './arrow-bounds.ts'
import type { ArrowData } from './arrow-data.ts'
import type { IndexType, Layout } from './arrow-type.ts'

const VIEW_BYTES = 16
const VIEW_INLINE = 12

/** The values of the dictionary with this id, in pieces; `undefined` when there is none. */
export type Dictionaries = (id: number) => readonly ArrowData[] | undefined

/**
 * A column of a batch as it lies in its bytes: nothing is copied, but for bytes that do not begin on 8.
 *
 * @throws RangeError when a buffer is too short for its rows, or an offset, index or type id leads outside: every one of them is looked at.
 */
export function readColumn(
  layout: Layout,
  bounds: ColumnBounds,
  bytes: Uint8Array,
  dictionaries: Dictionaries,
): ArrowData {
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  const reader = new ColumnReader(bounds, aligned, dictionaries)
  const column = reader.column(layout, bounds.rows, 'all')
  reader.end()
  return column
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

  end(): void {
    const { nodes, buffers, variadic } = this.#bounds
    if (this.#node !== nodes.length || this.#buffer !== buffers.length || this.#variadic !== variadic.length) {
      throw new RangeError('A batch describes more columns than the schema.')
    }
  }

  /** `needed` rows must be there: exactly, or at least. */
  column(layout: Layout, needed: number, how: 'all' | 'at-least'): ArrowData {
    const length = this.#bounds.nodes[this.#node]
    const nulls = this.#bounds.nodes[this.#node + 1]
    this.#node += 2
    if (length === undefined || nulls === undefined || nulls > length) throw new RangeError('A column has no rows.')
    if (how === 'all' ? length !== needed : length < needed) throw new RangeError('A column is too short.')
    const base = { length, offset: 0, children: [] }
    if (layout.kind === 'null') return base
    if (layout.kind === 'union') return this.#union(layout, length)
    const bitmap = this.#take()
    // -1 where they were not counted.
    const hasNulls = nulls > 0 || (nulls < 0 && bitmap.byteLength > 0)
    const nullBitmap = hasNulls ? longEnough(bitmap, Math.ceil(length / 8)) : undefined
    const valid = { ...base, nullBitmap }
    switch (layout.kind) {
      case 'bool':
        return { ...valid, values: longEnough(this.#take(), Math.ceil(length / 8)) }
      case 'fixed':
        return { ...valid, values: longEnough(this.#take(), length * layout.width) }
      case 'bytes': {
        const offsets = this.#take()
        const values = this.#take()
        return { ...valid, valueOffsets: checkedOffsets(offsets, length, layout.large, values.byteLength), values }
      }
      case 'view':
        return { ...valid, ...this.#views(length) }
      case 'list': {
        const offsets = this.#take()
        const child = this.column(layout.child, 0, 'at-least')
        return {
          ...valid,
          valueOffsets: checkedOffsets(offsets, length, layout.large, child.length),
          children: [child],
        }
      }
      case 'fixed-list':
        return { ...valid, children: [this.column(layout.child, length * layout.size, 'at-least')] }
      case 'struct':
        return { ...valid, children: layout.children.map((child) => this.column(child, length, 'at-least')) }
      case 'dictionary': {
        const data = this.#dictionaries(layout.plan.id) ?? []
        return {
          ...valid,
          values: checkedIndices(this.#take(), length, layout.index, nullBitmap, data),
          dictionary: { data },
        }
      }
    }
  }

  #views(rows: number): Pick<ArrowData, 'values' | 'variadicBuffers'> {
    const values = longEnough(this.#take(), rows * VIEW_BYTES)
    const count = this.#bounds.variadic[this.#variadic++]
    if (count === undefined || count > this.#bounds.buffers.length)
      throw new RangeError('A view column has no buffers.')
    const variadicBuffers = Array.from({ length: count }, () => this.#take())
    const view = viewOf(values)
    for (let at = 0; at < rows * VIEW_BYTES; at += VIEW_BYTES) {
      const length = view.getInt32(at, true)
      if (length < 0) throw new RangeError('A view has no length.')
      if (length <= VIEW_INLINE) continue
      const offset = view.getInt32(at + 12, true)
      const buffer = variadicBuffers[view.getInt32(at + 8, true)]
      if (buffer === undefined || offset < 0) throw new RangeError('A view is outside of its buffers.')
      longEnough(buffer, offset + length)
    }
    return { values, variadicBuffers }
  }

  #union(layout: Extract<Layout, { kind: 'union' }>, rows: number): ArrowData {
    const typeIds = longEnough(this.#take(), rows)
    const offsets = layout.dense ? longEnough(this.#take(), rows * 4) : undefined
    const children = layout.children.map((child) => this.column(child, layout.dense ? 0 : rows, 'at-least'))
    const lengthOf = new Map(layout.typeIds.map((id, index) => [id, children[index]?.length ?? 0]))
    const view = offsets && viewOf(offsets)
    for (let row = 0; row < rows; row += 1) {
      const length = lengthOf.get(typeIds[row] ?? -1)
      if (length === undefined) throw new RangeError('A row of a union has no type.')
      const at = view?.getInt32(row * 4, true) ?? row
      if (at < 0 || at >= length) throw new RangeError('A row of a union is outside of its values.')
    }
    const places = offsets && { valueOffsets: new Int32Array(offsets.buffer, offsets.byteOffset, rows) }
    return { length: rows, offset: 0, typeIds, ...places, children }
  }

  #take(): Uint8Array {
    const offset = this.#bounds.buffers[this.#buffer]
    const length = this.#bounds.buffers[this.#buffer + 1]
    this.#buffer += 2
    if (offset === undefined || length === undefined || offset % 8 !== 0 || offset + length > this.#bytes.byteLength) {
      throw new RangeError('A buffer is outside of its batch.')
    }
    return this.#bytes.subarray(offset, offset + length)
  }
}

/** One more than there are rows; Arrow may leave them out when there are none. */
function checkedOffsets(bytes: Uint8Array, rows: number, large: boolean, end: number): Int32Array | BigInt64Array {
  const width = large ? 8 : 4
  const count = rows === 0 ? Math.min(1, Math.floor(bytes.byteLength / width)) : rows + 1
  const { buffer, byteOffset } = longEnough(bytes, count * width)
  const offsets = large ? new BigInt64Array(buffer, byteOffset, count) : new Int32Array(buffer, byteOffset, count)
  if (rows === 0) return offsets
  let last = 0
  for (let row = 0; row <= rows; row += 1) {
    const offset = Number(offsets[row])
    if (offset < last) throw new RangeError('Offsets run backwards.')
    last = offset
  }
  if (last > end) throw new RangeError('Offsets lead outside of their values.')
  return offsets
}

function checkedIndices(
  bytes: Uint8Array,
  rows: number,
  index: IndexType,
  validity: Uint8Array | undefined,
  dictionary: readonly ArrowData[],
): ArrayBufferView {
  const size = dictionary.reduce((sum, { length }) => sum + length, 0)
  const indices = indicesIn(longEnough(bytes, rows * index.width), rows, index)
  for (let row = 0; row < rows; row += 1) {
    if (validity && ((validity[row >> 3] ?? 0) & (1 << (row & 7))) === 0) continue
    const at = indices[row] ?? -1
    if (at < 0 || at >= size) throw new RangeError('An index is outside of its dictionary.')
  }
  return indices
}

function indicesIn({ buffer, byteOffset }: Uint8Array, rows: number, { width, signed }: IndexType) {
  if (width === 1) return signed ? new Int8Array(buffer, byteOffset, rows) : new Uint8Array(buffer, byteOffset, rows)
  if (width === 2) return signed ? new Int16Array(buffer, byteOffset, rows) : new Uint16Array(buffer, byteOffset, rows)
  return signed ? new Int32Array(buffer, byteOffset, rows) : new Uint32Array(buffer, byteOffset, rows)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function longEnough(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.byteLength < length) throw new RangeError('A buffer is too short for its rows.')
  return bytes
}
