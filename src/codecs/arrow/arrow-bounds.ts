import type { Layout } from './arrow-type.ts'

/** What a batch's message says: pairs of (length, nulls or -1 when they were not counted) per field and (offset, length) per buffer, depth first. */
export interface BatchBounds {
  readonly rows: number
  readonly nodes: readonly number[]
  readonly buffers: readonly number[]
  readonly variadic: readonly number[]
}

/** One column's part of a batch: its nodes and buffers, offsets counted from `start`. */
export interface ColumnBounds extends BatchBounds {
  /** First byte of the column in the batch's body, and just past its last. */
  readonly start: number
  readonly end: number
}

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
