import { restPrefix } from '../../protocol/routes.ts'
import { eachOf } from '../each-of.ts'
import { chartOf } from '../experiments/chart.ts'
import { Others } from '../experiments/others.ts'
import { RunReader } from '../experiments/run-reader.ts'
import { type Facet, orNull, type Point, type RunState, type Sample } from '../experiments/run-state.ts'
import { listedName, type Points, seriesKey, toMetricValue } from '../experiments/series.ts'
import { columnType } from '../projects/project-state.ts'
import { readJson } from '../routes/body.ts'
import { required } from '../routes/query.ts'
import { json } from '../routes/reply.ts'
import type { Router } from '../routes/router.ts'
import type { Services } from '../services.ts'
import { refuseRequest } from '../shape.ts'
import {
  askedExperiment,
  checkLabel,
  cometBody,
  largestBody,
  numberOf,
  optionalNumberOf,
  saved,
  timeOf,
  valueText,
  writtenExperiment,
} from './comet-calls.ts'
import { addPoints } from './comet-points.ts'
import { CometShape } from './comet-shape.ts'
import { jsonList } from './json-list.ts'

/** Metrics, parameters, others and tags, as Comet's REST API v2 has them. */
export function cometMetricRoutes(router: Router, services: Services): void {
  const { runs, projects, options } = services
  const others = new Others(services)
  const reader = new RunReader(services)

  router.on('POST', `${restPrefix}/write/experiment/metric`, async (call) => {
    await addPoints(services, call, (shape) => [[shape.text('metricName'), numberOf(shape, 'metricValue')]])
    return json(saved)
  })
  router.on('GET', `${restPrefix}/experiment/metrics/get-metric`, async (call) => {
    const { key } = await askedExperiment(services, call, 'reader')
    const wanted = required(call.query, 'metricName')
    const { points } = await reader.points(key, (state) => seriesNamed(state, wanted))
    return jsonList('metrics', allPoints(points))
  })
  router.on('GET', `${restPrefix}/experiment/metrics/summary`, async (call) => {
    const { key } = await askedExperiment(services, call, 'reader')
    const { series } = await runs.read(key)
    return json({
      values: [...series.values()].map((one) => summaryOf(one, metricText, (point) => orNull(point.step))),
    })
  })
  router.on('POST', `${restPrefix}/experiments/multi-metric-chart`, async (call) => {
    const shape = await cometBody(call)
    const keys = [...new Set(shape.optionalTexts('targetedExperiments') ?? [])]
    const metrics = shape.optionalTexts('metrics') ?? []
    const params = shape.optionalTexts('params') ?? []
    if (keys.length > mostCharted || metrics.length > mostCharted)
      throw shape.refuse(`a chart is of at most ${mostCharted} experiments and as many metrics`)
    const full = shape.optionalFlag('fetchFull') ?? false
    const independent = shape.optionalFlag('independentMetrics') ?? true
    call.access.requireAnywhere('reader')
    const missing: string[] = []
    const charts = await eachOf(keys, async (key) => {
      const experiment = await services.experiments.find(key)
      if (!experiment) {
        missing.push(key)
        return undefined
      }
      call.access.require('reader', experiment.workspace)
      // As a whole, without one that is asked for there is none.
      const { state, points } = await reader.points(key, (one) => {
        const named = metrics.map((name) => seriesNamed(one, name))
        return independent || named.every(({ length }) => length > 0) ? named.flat() : []
      })
      if (points.length === 0 && params.length === 0) return undefined
      const named = params.flatMap((name) => facetsNamed(state, name))
      const chart = chartOf(points, { full, independent, startTime: experiment.startTime })
      const values = Object.fromEntries(named.map((facet) => [listedName(facet), valueText(facet.current.value)]))
      return [key, { experiment_key: key, ...chart, params: params.length > 0 ? values : null }] as const
    })
    const found = charts.filter((one) => one !== undefined)
    return json({
      experiments: Object.fromEntries(found),
      empty: found.length === 0,
      // A chart of many is drawn without those that were deleted.
      ...(missing.length > 0 && { missing }),
    })
  })
  router.on('POST', `${restPrefix}/write/experiment/parameter`, async (call) => {
    const shape = await cometBody(call)
    const { key, workspace, project } = await writtenExperiment(services, call, shape)
    const name = checkLabel(shape.text('parameterName'), 'parameter')
    const context = shape.optionalText('context') || null
    const value = shape.raw('parameterValue') ?? null
    const step = optionalNumberOf(shape, 'step') ?? null
    const timestamp = timeOf(shape, options.now())
    const columns = [{ source: 'params', name: listedName({ name, context }), type: columnType(value) }]
    await Promise.all([
      projects.addColumns({ workspace, project }, columns),
      runs.add(key, [['param', name, context, value, step, timestamp]]),
    ])
    return json(saved)
  })
  router.on('POST', `${restPrefix}/write/experiment/parameter/delete`, async (call) => {
    const shape = await cometBody(call)
    const { key } = await writtenExperiment(services, call, shape)
    await runs.add(key, [['unparam', shape.text('parameterName')]])
    return json({ ...saved, msg: 'Deleted' })
  })
  router.on('POST', `${restPrefix}/write/experiments/parameters/delete`, async (call) => {
    const list = await readJson(call.request, largestBody)
    if (!Array.isArray(list) || list.length > mostDeleted)
      throw refuseRequest(`it is not a list of at most ${mostDeleted} parameters`)
    const gone = new Map<string, ['unparam', string][]>()
    for (const one of list) {
      const shape = new CometShape(one)
      const { key } = await writtenExperiment(services, call, shape)
      gone.set(key, [...(gone.get(key) ?? []), ['unparam', shape.text('parameterName')]])
    }
    // Of nothing there is nobody to ask.
    if (gone.size === 0) throw refuseRequest('it names no parameter')
    for (const [key, events] of gone) await runs.add(key, events)
    return json({ ...saved, msg: 'Deleted' })
  })
  router.on('GET', `${restPrefix}/experiment/parameters`, async (call) => {
    const { key } = await askedExperiment(services, call, 'reader')
    return json({ values: facetsToComet((await runs.read(key)).parameters.values()) })
  })
  router.on('POST', `${restPrefix}/write/experiment/log-other`, async (call) => {
    const shape = await cometBody(call)
    const { key, workspace, project } = await writtenExperiment(services, call, shape)
    const name = checkLabel(shape.text('key'), 'other')
    const value = shape.raw('value') ?? null
    const timestamp = timeOf(shape, options.now())
    await others.log(key, { workspace, project }, [{ key: name, value, timestamp }])
    return json(saved)
  })
  router.on('GET', `${restPrefix}/experiment/log-other`, async (call) => {
    const { key, name } = await askedExperiment(services, call, 'reader')
    const { others: logged } = await runs.read(key)
    const values = facetsToComet(logged.values())
    // Comet lists the name of the experiment among them.
    if (!logged.has('Name')) values.push(facetToComet(nameFacet(name)))
    return json({ values })
  })
  router.on('POST', `${restPrefix}/write/experiment/tags`, async (call) => {
    const shape = await cometBody(call)
    const { key, workspace, project } = await writtenExperiment(services, call, shape)
    const tags = (shape.optionalTexts('addedTags') ?? []).map((tag) => checkLabel(tag, 'tag'))
    if (tags.length > 0)
      await Promise.all([
        projects.addColumns({ workspace, project }, [{ source: 'tag', name: 'Tags', type: 'string' }]),
        runs.add(key, [['tags', tags]]),
      ])
    return json(saved)
  })
  router.on('POST', `${restPrefix}/write/experiment/tags/delete`, async (call) => {
    const shape = await cometBody(call)
    const { key } = await writtenExperiment(services, call, shape)
    const tags = shape.optionalTexts('tags') ?? []
    if (tags.length > 0) await runs.add(key, [['untags', [...tags]]])
    return json({ ...saved, msg: 'Deleted' })
  })
  router.on('GET', `${restPrefix}/experiment/tags`, async (call) => {
    const { key } = await askedExperiment(services, call, 'reader')
    return json({ tags: [...(await runs.read(key)).tags] })
  })
}

const mostDeleted = 10_000

// More lines than anybody tells apart.
const mostCharted = 1000

/** Keys of the series of that listed name; if there is none, of those of that name in any context. */
export function seriesNamed({ series }: RunState, name: string): string[] {
  return namedIn(series.values(), name).map(seriesKey)
}

function facetsNamed({ parameters }: RunState, name: string): Facet[] {
  return namedIn(parameters.values(), name)
}

function namedIn<Named extends { readonly name: string; readonly context: string | null }>(
  all: Iterable<Named>,
  name: string,
): Named[] {
  const list = [...all]
  const listed = list.filter((one) => listedName(one) === name)
  return listed.length > 0 ? listed : list.filter((one) => one.name === name)
}

function* allPoints(series: readonly Points[]): Generator<object> {
  for (const { name, context, values, steps, epochs, timestamps } of series)
    for (const [at, value] of values.entries())
      yield {
        metricName: name,
        metricValue: String(toMetricValue(value)),
        timestamp: timestamps[at],
        step: orNull(steps[at]),
        epoch: orNull(epochs[at]),
        runContext: context,
        offset: at,
      }
}

const metricText = ({ value }: Point) => String(toMetricValue(value))
const sampleText = ({ value }: Sample) => valueText(value)

function facetsToComet(facets: Iterable<Facet>): object[] {
  return Array.from(facets, facetToComet)
}

function facetToComet(facet: Facet): object {
  return summaryOf(facet, sampleText, ({ step }) => step)
}

function summaryOf<Of extends { readonly timestamp: number }>(
  one: { readonly name: string; readonly context: string | null; min: Of; max: Of; current: Of },
  textOf: (value: Of) => string,
  stepOf: (value: Of) => number | null,
): object {
  const { context, min, max, current } = one
  return {
    name: listedName(one),
    valueMax: textOf(max),
    valueMin: textOf(min),
    valueCurrent: textOf(current),
    timestampMax: max.timestamp,
    timestampMin: min.timestamp,
    timestampCurrent: current.timestamp,
    runContextMax: context,
    runContextMin: context,
    runContextCurrent: context,
    stepMax: stepOf(max),
    stepMin: stepOf(min),
    stepCurrent: stepOf(current),
    editable: false,
  }
}

function nameFacet(name: string): Facet {
  const sample = { value: name, step: null, timestamp: 0 }
  return { name: 'Name', context: null, min: sample, max: sample, current: sample }
}
