import { CorruptionError } from '../errors.ts'
import type { SeriesReply } from '../protocol/log.ts'
import { restPrefix, routes } from '../protocol/routes.ts'
import type { Api } from './api.ts'
import type { Connection } from './connection.ts'

/** One point of a metric. */
export interface MetricPoint {
  readonly value: number
  readonly step: number | null
  readonly epoch: number | null
  readonly context: string | null
  /** Milliseconds since 1970. */
  readonly timestamp: number
}

export interface SeriesName {
  readonly name: string
  readonly context?: string
}

/** The points of a series: in pages of columns where the server has them, else as Comet gives them. */
export async function readSeries(
  { api, server }: Connection,
  key: string,
  wanted: SeriesName,
  signal: AbortSignal | undefined,
): Promise<MetricPoint[]> {
  const { largestBatch } = (await server.capabilities(signal)) ?? {}
  const { name, context } = wanted
  if (largestBatch !== undefined) {
    const points: MetricPoint[] = []
    let after: string | undefined
    do {
      const search = { name, context, after }
      const page: SeriesReply = await api.json('GET', routes.series(key), { search, signal })
      addPage(points, page)
      after = page.next
    } while (after !== undefined)
    if (points.length > 0) return points
  }
  return readCometSeries(api, key, wanted, signal)
}

/** The points of a series as Comet gives them. */
export async function readCometSeries(
  api: Api,
  key: string,
  { name, context }: SeriesName,
  signal: AbortSignal | undefined,
): Promise<MetricPoint[]> {
  // By the name it is listed under, which tells of contexts too.
  const metricName = context === undefined ? name : `${context}_${name}`
  const { metrics } = await api.json<{ metrics: readonly CometPoint[] }>(
    'GET',
    `${restPrefix}/experiment/metrics/get-metric`,
    { search: { experimentKey: key, metricName }, signal },
  )
  return metrics.map(({ metricValue, step, epoch, runContext, timestamp }) => ({
    value: parseMetricNumber(metricValue),
    step: step ?? null,
    epoch: epoch ?? null,
    context: runContext ?? null,
    timestamp,
  }))
}

interface CometPoint {
  readonly metricValue: string | number
  readonly step?: number | null
  readonly epoch?: number | null
  readonly runContext?: string | null
  readonly timestamp: number
}

function addPage(points: MetricPoint[], { values, steps, epochs, timestamps, context }: SeriesReply): void {
  for (const [at, value] of values.entries())
    points.push({
      value: Number(value),
      step: steps?.[at] ?? null,
      epoch: epochs?.[at] ?? null,
      context: context ?? null,
      timestamp: timestamps[at],
    })
}

const special: ReadonlyMap<string, number> = new Map([
  ['inf', Number.POSITIVE_INFINITY],
  ['+inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['na', Number.NaN],
])

/** The number in a text, as any of Comet's clients writes it. */
export function parseMetricNumber(text: string | number): number {
  if (typeof text === 'number') return text
  const trimmed = text.trim()
  const number = special.get(trimmed.toLowerCase()) ?? (trimmed === '' ? Number.NaN : Number(trimmed))
  if (!Number.isNaN(number) || /^(nan|na|null|)$/i.test(trimmed)) return number
  throw new CorruptionError(`The server gives ${JSON.stringify(text.slice(0, 60))} as the value of a metric.`, {
    code: 'answer-damaged',
  })
}
