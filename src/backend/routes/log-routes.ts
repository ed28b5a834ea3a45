import { ConflictError } from '../../errors.ts'
import {
  type LoggedOther,
  type LogReply,
  largestBatch,
  largestBatchBytes,
  longestSeriesPage,
  type SeriesReply,
} from '../../protocol/log.ts'
import { routes } from '../../protocol/routes.ts'
import type { JsonValue } from '../../protocol/shapes.ts'
import { checkLabel } from '../comet/comet-calls.ts'
import { checkExperimentKey } from '../experiments/experiments.ts'
import { slicePoints } from '../experiments/metric-block.ts'
import { Others } from '../experiments/others.ts'
import { RunReader } from '../experiments/run-reader.ts'
import { orNull, type RunEvent } from '../experiments/run-state.ts'
import { bytesOf } from '../experiments/runs.ts'
import { listedName, type Points, seriesKey, toMetricValue } from '../experiments/series.ts'
import { type Column, columnType } from '../projects/project-state.ts'
import type { Services } from '../services.ts'
import { requestShape, Shape } from '../shape.ts'
import { readJson } from './body.ts'
import { assertQuery, optional, required, wholeNumber } from './query.ts'
import { json } from './reply.ts'
import type { Router } from './router.ts'

const mostPoints = 1_000_000_000

/** Batches of what experiments log, and whole series: what Comet's REST API v2 has no words for. */
export function logRoutes(router: Router, services: Services): void {
  const { runs, projects, experiments } = services
  const others = new Others(services)
  const reader = new RunReader(services)

  router.on('POST', routes.log('KEY').replace('KEY', ':key'), async ({ request, params, query, access }) => {
    assertQuery(query, [])
    const { key, workspace, project } = await experiments.recent(checkExperimentKey(params.key))
    access.require('writer', workspace)
    const batch = parseBatch(requestShape(await readJson(request, largestBatchBytes)))
    const { writer, sequence, events, points, columns } = batch
    const item = { events: [...events, ['writer', writer, sequence]], points }
    let repeated = false
    await Promise.all([
      others.prepare(key, { workspace, project }, batch.others),
      projects.addColumns({ workspace, project }, columns),
      runs.append(key, {
        decide: ({ writers }) => {
          const last = writers.get(writer) ?? 0
          repeated = sequence <= last
          if (repeated) return undefined
          if (sequence !== last + 1) throw gap(writer, last + 1)
          return item
        },
        lane: writer,
        bytes: bytesOf(item),
      }),
    ])
    const reply: LogReply = { repeated }
    return json(reply)
  })
  router.on('GET', routes.series('KEY').replace('KEY', ':key'), async ({ params, query, access }) => {
    assertQuery(query, ['name', 'context', 'after', 'limit'])
    const { key, workspace } = await experiments.get(checkExperimentKey(params.key))
    access.require('reader', workspace)
    const [name, context] = [required(query, 'name'), optional(query, 'context') ?? null]
    const wanted = seriesKey({ name, context })
    const { points } = await reader.points(key, ({ series }) => (series.has(wanted) ? [wanted] : []))
    const [all = noPoints(name, context)] = points
    const start = wholeNumber(query, 'after', 0, mostPoints) ?? 0
    const limit = wholeNumber(query, 'limit', 1, longestSeriesPage) ?? longestSeriesPage
    return json(seriesReply(all, start, limit))
  })
}

interface Batch {
  readonly writer: string
  readonly sequence: number
  readonly events: readonly RunEvent[]
  readonly points: readonly Points[]
  readonly columns: readonly Column[]
  readonly others: readonly LoggedOther[]
}

function parseBatch(shape: Shape): Batch {
  const writer = shape.text('writer')
  if (!/^[\w.:-]{8,128}$/.test(writer))
    throw shape.refuse("'writer' is not 8 to 128 letters, digits, '-', '_', '.' or ':'")
  const sequence = shape.count('sequence')
  if (sequence === 0) throw shape.refuse("'sequence' begins with 1")
  const columns: Column[] = []
  const events: RunEvent[] = []
  const points = each(shape, 'metrics', (one) => {
    const series = parseSeries(one)
    columns.push({ source: 'metrics', name: listedName(series), type: 'double' })
    return series
  })
  each(shape, 'parameters', (one) => {
    const name = checkLabel(one.text('name'), 'parameter')
    const context = one.optionalText('context') || null
    const value = one.raw('value') ?? null
    events.push(['param', name, context, value, optionalNumber(one, 'step'), one.count('timestamp')])
    columns.push({ source: 'params', name: listedName({ name, context }), type: columnType(value) })
  })
  const others = each(shape, 'others', (one) => {
    const key = checkLabel(one.text('key'), 'other')
    const other = { key, value: one.raw('value') ?? null, timestamp: one.count('timestamp') }
    events.push(['other', other.key, other.value, other.timestamp])
    return other
  })
  const tags = (shape.optionalTexts('tags') ?? []).map((tag) => checkLabel(tag, 'tag'))
  if (tags.length > 0) {
    events.push(['tags', tags])
    columns.push({ source: 'tag', name: 'Tags', type: 'string' })
  }
  each(shape, 'output', (one) => {
    const context = one.optionalText('context') ?? null
    const stderr = one.optionalFlag('stderr') ?? false
    events.push(['line', one.count('offset'), one.text('text'), stderr, context, optionalNumber(one, 'timestamp')])
  })
  shape.done()
  const entries = events.length + tags.length + points.reduce((sum, { values }) => sum + values.length, 0)
  if (entries > largestBatch) throw shape.refuse(`it holds ${entries} entries, more than ${largestBatch}`)
  return { writer, sequence, events, points, columns, others }
}

function parseSeries(shape: Shape): Points {
  const name = checkLabel(shape.text('name'), 'metric')
  const given = shape.optionalText('context')
  const values = Float64Array.from(shape.list('values'), (value) => metricNumber(value, shape))
  const optionalColumn = (field: string) => {
    if (!shape.has(field)) return new Float64Array(values.length).fill(Number.NaN)
    return column(field, (value) => (value === null ? Number.NaN : number(value, field, shape)))
  }
  const column = (field: string, parse: (value: JsonValue) => number) => {
    const numbers = Float64Array.from(shape.list(field), parse)
    if (numbers.length === values.length) return numbers
    throw shape.refuse(`'${field}' has ${numbers.length} numbers for ${values.length} values`)
  }
  return {
    name,
    context: given ? checkLabel(given, 'context') : null,
    values,
    steps: optionalColumn('steps'),
    epochs: optionalColumn('epochs'),
    timestamps: column('timestamps', (value) => finite(value, 'timestamps', shape)),
  }
}

function each<T>(shape: Shape, field: string, parse: (one: Shape) => T): T[] {
  if (!shape.has(field)) return []
  return shape.list(field).map((one, at) => {
    const inner = new Shape(one, (reason) => shape.refuse(`in '${field}' at ${at} ${reason}`))
    const parsed = parse(inner)
    inner.done()
    return parsed
  })
}

function metricNumber(value: JsonValue, shape: Shape): number {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value)
  return number(value, 'values', shape)
}

function number(value: JsonValue, field: string, shape: Shape): number {
  if (typeof value === 'number') return value
  throw shape.refuse(`'${field}' holds something that is not a number`)
}

// JSON has numbers that are none here, such as 1e999, and none that says so again.
function finite(value: JsonValue, field: string, shape: Shape): number {
  if (Number.isFinite(value)) return number(value, field, shape)
  throw shape.refuse(`'${field}' holds something that is not a number`)
}

function optionalNumber(shape: Shape, field: string): number | null {
  const value = shape.raw(field)
  return value === undefined ? null : number(value, field, shape)
}

function seriesReply(all: Points, start: number, limit: number): SeriesReply {
  const count = all.values.length
  const { name, context, values, steps, epochs, timestamps } = slicePoints(all, start, start + limit)
  return {
    name,
    ...(context !== null && { context }),
    count,
    values: Array.from(values, toMetricValue),
    ...(!steps.every(Number.isNaN) && { steps: Array.from(steps, orNull) }),
    ...(!epochs.every(Number.isNaN) && { epochs: Array.from(epochs, orNull) }),
    timestamps: Array.from(timestamps),
    ...(start + limit < count && { next: String(start + limit) }),
  }
}

function noPoints(name: string, context: string | null): Points {
  const none = new Float64Array(0)
  return { name, context, values: none, steps: none, epochs: none, timestamps: none }
}

function gap(writer: string, expected: number): ConflictError {
  return new ConflictError(
    `Writer ${writer} left out a batch: number ${expected} is the one awaited. Send that first.`,
    {
      code: 'sequence-gap',
      fields: { expected },
    },
  )
}
