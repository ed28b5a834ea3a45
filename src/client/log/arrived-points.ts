import type { Api } from '../api.ts'
import { type MetricPoint, readCometSeries } from '../read-series.ts'
import type { MetricEntry } from './log-entry.ts'

/** Something when a point that was sent is there, though its answer was lost. */
export type Arrived = () => Promise<object | undefined>

/**
 * Keeps points from being there twice on a server that has no word for "the same again": before one is sent again, its series is read. A server that shows points some time after it took
 * them can still come to have it twice.
 */
export class ArrivedPoints {
  readonly #api: Api
  readonly #key: string
  /** Sent at least once, and not known to be there. */
  readonly #doubtful = new WeakSet<MetricEntry>()
  /** Of each series, the last point that is there, and how often: a loop may log the same twice in one millisecond. */
  readonly #last = new Map<string, { readonly id: string; readonly count: number }>()

  constructor(api: Api, key: string) {
    this.#api = api
    this.#key = key
  }

  /**
   * Sends a point. `send` is given what to ask before it sends once more, and says whether the point is there now; it is not called for one that was sent before and is there.
   * True when it is.
   */
  async once(point: MetricEntry, send: (arrived: Arrived) => Promise<boolean>): Promise<boolean> {
    const arrived = async () => ((await this.#isThere(point)) ? {} : undefined)
    const found = this.#doubtful.has(point) && (await this.#isThere(point))
    this.#doubtful.add(point)
    const there = found || (await send(arrived))
    if (there) this.#note(point)
    return there
  }

  async #isThere(point: MetricEntry): Promise<boolean> {
    const { name, context } = point
    const points = await readCometSeries(this.#api, this.#key, { name, context }, undefined)
    const id = idOf(point)
    const same = points.filter((one) => idOf(one) === id).length
    const last = this.#last.get(seriesOf(point))
    return same > (last?.id === id ? last.count : 0)
  }

  #note(point: MetricEntry): void {
    const [series, id] = [seriesOf(point), idOf(point)]
    const last = this.#last.get(series)
    this.#last.set(series, { id, count: last?.id === id ? last.count + 1 : 1 })
  }
}

function seriesOf({ name, context }: MetricEntry): string {
  return `${context ?? ''}\n${name}`
}

function idOf({ value, step, epoch, timestamp }: MetricEntry | MetricPoint): string {
  return [value, step ?? '', epoch ?? '', timestamp].join(' ')
}
