import type { Layout } from './arrow-type.ts'

/** What a batch's message says: pairs of (length, nulls or -1 when they were not counted) per field and (offset, length) per buffer, depth first. */
export interface BatchBounds {
  readonly rows: number
  readonly nodes: readonly number[]
  readonly buffers: readonly number[]
  readonly variadic: readonly number[]
}

const VIEW_BYTES = 16
const VIEW_INLINE = 12

/** `sizes` are those of dictionaries, by their ids. @throws RangeError when a buffer is too short for its rows, or an offset, index or type id leads outside. */
export function checkBatch(
  batch: BatchBounds,
  body: Uint8Array,
  columns: readonly Layout[],
  sizes: ReadonlyMap<number, number>,
): void {
  const check = new BatchCheck(batch, body, sizes)
  for (const layout of columns) check.column(layout, batch.rows, 'all')
  check.end()
}

class BatchCheck {
  readonly #batch: BatchBounds
  readonly #body: Uint8Array
  readonly #sizes: ReadonlyMap<number, number>
  #node = 0
  #buffer = 0
  #variadic = 0

  constructor(batch: BatchBounds, body: Uint8Array, sizes: ReadonlyMap<number, number>) {
    this.#batch = batch
    this.#body = body
    this.#sizes = sizes
  }

  end(): void {
    const { nodes, buffers, variadic } = this.#batch
    if (this.#node !== nodes.length || this.#buffer !== buffers.length || this.#variadic !== variadic.length) {
      throw new RangeError('A batch describes more columns than the schema.')
    }
  }

  /** `needed` rows must be there: exactly, or at least. Returns how many there are. */
  column(layout: Layout, needed: number, how: 'all' | 'at-least'): number {
    const rows = this.#batch.nodes[this.#node]
    const nulls = this.#batch.nodes[this.#node + 1]
    this.#node += 2
    if (rows === undefined || nulls === undefined || nulls > rows) throw new RangeError('A column has no rows.')
    if (how === 'all' ? rows !== needed : rows < needed) throw new RangeError('A column is too short.')
    if (layout.kind === 'null') return rows
    if (layout.kind === 'union') {
      this.#union(layout, rows)
      return rows
    }
    const validity = this.#take()
    const hasNulls = nulls > 0 || (nulls < 0 && validity.byteLength > 0)
    if (hasNulls) need(validity, Math.ceil(rows / 8))
    switch (layout.kind) {
      case 'bool':
        need(this.#take(), Math.ceil(rows / 8))
        break
      case 'fixed':
        need(this.#take(), rows * layout.width)
        break
      case 'bytes':
        checkOffsets(this.#take(), rows, layout.large, this.#take().byteLength)
        break
      case 'list': {
        const offsets = this.#take()
        checkOffsets(offsets, rows, layout.large, this.column(layout.child, 0, 'at-least'))
        break
      }
      case 'view':
        this.#views(rows)
        break
      case 'fixed-list':
        this.column(layout.child, rows * layout.size, 'at-least')
        break
      case 'struct':
        for (const child of layout.children) this.column(child, rows, 'at-least')
        break
      case 'dictionary':
        this.#indices(layout, rows, hasNulls ? validity : undefined)
        break
    }
    return rows
  }

  #indices(layout: Extract<Layout, { kind: 'dictionary' }>, rows: number, validity: Uint8Array | undefined): void {
    const size = this.#sizes.get(layout.plan.id)
    if (size === undefined) throw new RangeError('A dictionary is missing.')
    const indices = this.#take()
    const { width, signed } = layout.index
    need(indices, rows * width)
    const view = viewOf(indices)
    for (let row = 0; row < rows; row += 1) {
      if (validity && ((validity[row >> 3] ?? 0) & (1 << (row & 7))) === 0) continue
      const at = row * width
      const index = width === 1 ? view.getUint8(at) : width === 2 ? view.getUint16(at, true) : view.getUint32(at, true)
      if (index >= size || (signed && index >= 2 ** (width * 8 - 1)))
        throw new RangeError('An index is outside of its dictionary.')
    }
  }

  #views(rows: number): void {
    const views = this.#take()
    need(views, rows * VIEW_BYTES)
    const count = this.#batch.variadic[this.#variadic]
    this.#variadic += 1
    if (count === undefined || count > this.#batch.buffers.length) throw new RangeError('A view column has no buffers.')
    const buffers = Array.from({ length: count }, () => this.#take())
    const view = viewOf(views)
    for (let at = 0; at < rows * VIEW_BYTES; at += VIEW_BYTES) {
      const length = view.getInt32(at, true)
      if (length < 0) throw new RangeError('A view has no length.')
      if (length <= VIEW_INLINE) continue
      const offset = view.getInt32(at + 12, true)
      const buffer = buffers[view.getInt32(at + 8, true)]
      if (buffer === undefined || offset < 0) throw new RangeError('A view is outside of its buffers.')
      need(buffer, offset + length)
    }
  }

  #union(layout: Extract<Layout, { kind: 'union' }>, rows: number): void {
    const ids = this.#take()
    need(ids, rows)
    const offsets = layout.dense ? this.#take() : undefined
    if (offsets) need(offsets, rows * 4)
    const lengths = layout.children.map((child) => this.column(child, layout.dense ? 0 : rows, 'at-least'))
    const lengthOf = new Map(layout.typeIds.map((id, index) => [id, lengths[index] ?? 0]))
    const view = offsets && viewOf(offsets)
    for (let row = 0; row < rows; row += 1) {
      const length = lengthOf.get(ids[row] ?? -1)
      if (length === undefined) throw new RangeError('A row of a union has no type.')
      const at = view?.getInt32(row * 4, true) ?? row
      if (at < 0 || at >= length) throw new RangeError('A row of a union is outside of its values.')
    }
  }

  #take(): Uint8Array {
    const offset = this.#batch.buffers[this.#buffer]
    const length = this.#batch.buffers[this.#buffer + 1]
    this.#buffer += 2
    if (offset === undefined || length === undefined || offset % 8 !== 0 || offset + length > this.#body.byteLength) {
      throw new RangeError('A buffer is outside of its batch.')
    }
    return this.#body.subarray(offset, offset + length)
  }
}

function checkOffsets(bytes: Uint8Array, rows: number, large: boolean, end: number): void {
  if (rows === 0) return
  need(bytes, (rows + 1) * (large ? 8 : 4))
  const view = viewOf(bytes)
  let last = 0
  for (let row = 0; row <= rows; row += 1) {
    const offset = large ? Number(view.getBigInt64(row * 8, true)) : view.getInt32(row * 4, true)
    if (offset < last) throw new RangeError('Offsets run backwards.')
    last = offset
  }
  if (last > end) throw new RangeError('Offsets lead outside of their values.')
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function need(bytes: Uint8Array, length: number): void {
  if (bytes.byteLength < length) throw new RangeError('A buffer is too short for its rows.')
}
