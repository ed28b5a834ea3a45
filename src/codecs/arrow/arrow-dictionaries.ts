import { boundsOfColumns } from './arrow-bounds.ts'
import type { ArrowData } from './arrow-data.ts'
import { readDictionary } from './arrow-header.ts'
import type { WholeMessage } from './arrow-messages.ts'
import { readColumn } from './arrow-read.ts'
import type { Layout } from './arrow-type.ts'

interface DictionaryState {
  /** The first batch that sees it. */
  readonly from: number
  readonly data: ArrowData[]
}

/** The dictionaries of a stream: each may grow, and be replaced by another on the way. */
export class Dictionaries {
  readonly #layouts: ReadonlyMap<number, Layout>
  readonly #states = new Map<number, DictionaryState[]>()

  /** `layouts` of their values, by id. */
  constructor(layouts: ReadonlyMap<number, Layout>) {
    this.#layouts = layouts
  }

  /** `batch` is how many batches came before. @throws RangeError when it does not fit what came before */
  add({ header, body }: WholeMessage, batch: number): void {
    const { id, isDelta, batch: bounds } = readDictionary(header)
    const layout = this.#layouts.get(id)
    if (layout === undefined) throw new RangeError(`Dictionary ${id} belongs to no column.`)
    const [column] = boundsOfColumns(bounds, [layout], body.byteLength)
    const newest = (inner: number) => this.at(inner, Number.POSITIVE_INFINITY)
    const data = readColumn(layout, column, body.subarray(column.start, column.end), newest)
    const states = this.#states.get(id) ?? []
    const last = states.at(-1)
    if (isDelta && last) last.data.push(data)
    else states.push({ from: last === undefined ? 0 : batch, data: [data] })
    this.#states.set(id, states)
  }

  /** The values as a batch sees them. */
  at(id: number, batch: number): readonly ArrowData[] | undefined {
    return this.#states.get(id)?.findLast(({ from }) => from <= batch)?.data
  }

  /** False where it is replaced by another on the way. */
  isOne(id: number): boolean {
    return this.#states.get(id)?.length === 1
  }
}
