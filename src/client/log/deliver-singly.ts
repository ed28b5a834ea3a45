import { restPrefix } from '../../protocol/routes.ts'
import type { Api } from '../api.ts'
import { atOnce } from '../slots.ts'
import { type Arrived, ArrivedPoints } from './arrived-points.ts'
import { isFinal } from './deliver.ts'
import { type BatchEntry, type LineEntry, metricValue } from './log-entry.ts'
import { MetricRate } from './metric-rate.ts'
import type { Delivery, Report } from './outbox.ts'

// Sent and awaited together: enough to hide round trips, few enough to be sent again when the program ends.
const together = 256

// As many as browsers open to one host, and what is asked of someone else's server.
const requestsInFlight = 6

// Lines of output in one request; R's client sends what came in ten seconds.
const mostLines = 1_000

/** Sends what an experiment logs as Comet's REST API v2 takes it: one request for each thing, those of one name in their order. */
export class SingleDelivery implements Delivery<BatchEntry> {
  readonly #api: Api
  readonly #key: string
  readonly #rate: MetricRate
  readonly #points: ArrivedPoints

  constructor(api: Api, key: string, rate = rateOf(api)) {
    this.#api = api
    this.#key = key
    this.#rate = rate
    this.#points = new ArrivedPoints(api, key)
  }

  take(entries: readonly BatchEntry[]): number {
    const isLine = entries[0].kind === 'line'
    const other = entries.findIndex(({ kind }) => (kind === 'line') !== isLine)
    return Math.min(isLine ? mostLines : together, other === -1 ? entries.length : other)
  }

  async send(entries: readonly BatchEntry[], report: Report<BatchEntry>): Promise<void> {
    const lines = entries.filter((entry) => entry.kind === 'line')
    if (lines.length > 0) return this.#sendLines(lines, report)
    const lanes = new Map<string, BatchEntry[]>()
    for (const entry of entries) {
      const lane = laneOf(entry)
      const before = lanes.get(lane)
      if (before) before.push(entry)
      else lanes.set(lane, [entry])
    }
    await atOnce(requestsInFlight, lanes.values(), async (lane) => {
      for (const entry of lane) await this.#sendOne(entry, report)
    })
  }

  async #sendOne(entry: BatchEntry, report: Report<BatchEntry>): Promise<void> {
    if (entry.kind !== 'metric') {
      await this.#reported([entry], report, bodyOf(entry))
      return
    }
    await this.#rate.take()
    let settled = false
    const there = await this.#points.once(entry, async (arrived) => {
      settled = true
      return this.#reported([entry], report, { ...bodyOf(entry), arrived })
    })
    if (there && !settled) report.done([entry])
  }

  async #sendLines(lines: readonly LineEntry[], report: Report<BatchEntry>): Promise<void> {
    const outputLines = lines.map(({ offset, text, stderr, timestamp }) => ({
      offset,
      output: text,
      ...(stderr !== undefined && { stderr }),
      ...(timestamp !== undefined && { localTimestamp: timestamp }),
    }))
    await this.#reported(lines, report, { path: 'output', body: { outputLines } })
  }

  /** True when they were taken, false when they were refused. */
  async #reported(
    entries: readonly BatchEntry[],
    report: Report<BatchEntry>,
    { path, body, arrived }: Call,
  ): Promise<boolean> {
    try {
      await this.#api.json<object>('POST', `${restPrefix}/write/experiment/${path}`, {
        body: { experimentKey: this.#key, ...body },
        arrived,
      })
      report.done(entries)
      return true
    } catch (error) {
      if (!isFinal(error)) throw error
      report.refused(entries, error)
      return false
    }
  }
}

// The limit is that of a key, whatever experiments log with it.
const rates = new WeakMap<Api, MetricRate>()

function rateOf(api: Api): MetricRate {
  const known = rates.get(api) ?? new MetricRate()
  rates.set(api, known)
  return known
}

interface Call {
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
  readonly arrived?: Arrived
}

/** What may overtake each other: different names. */
function laneOf(entry: BatchEntry): string {
  if (entry.kind === 'metric' || entry.kind === 'parameter') return `${entry.kind} ${entry.name}`
  return entry.kind === 'other' ? `other ${entry.key}` : entry.kind
}

function bodyOf(entry: BatchEntry): Call {
  if (entry.kind === 'metric') {
    const { name, value, step, epoch, context, timestamp } = entry
    return {
      path: 'metric',
      body: { metricName: name, metricValue: metricValue(value), step, epoch, context, timestamp },
    }
  }
  if (entry.kind === 'parameter') {
    const { name, value, step, context, timestamp } = entry
    return { path: 'parameter', body: { parameterName: name, parameterValue: value, step, context, timestamp } }
  }
  if (entry.kind === 'other') {
    const { key, value, timestamp } = entry
    return { path: 'log-other', body: { key, value, timestamp } }
  }
  if (entry.kind === 'tags') return { path: 'tags', body: { addedTags: entry.tags } }
  throw new TypeError(`A ${entry.kind} is not sent alone.`)
}
