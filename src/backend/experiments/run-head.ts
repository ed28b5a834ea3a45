import type { JsonValue } from '../../protocol/shapes.ts'
import { isObject, type Shape } from '../shape.ts'
import type { Folded } from './ledger.ts'
import { numberOf, refuse, textOf } from './run-fields.ts'
import { RunObjects, type RunObjectsParts } from './run-objects.ts'
import { assetFromJson, assetToJson } from './run-parts.ts'
import { emptyRun, type Facet, orNull, type Point, type Run, type RunState, type Sample } from './run-state.ts'
import { seriesKey, toMetricValue } from './series.ts'

/** What a head keeps, but for `runs`. */
function runToJson(state: RunState): { [key: string]: JsonValue } {
  return {
    series: [...state.series.values()].map(({ name, context, count, min, max, current }) => [
      name,
      context,
      count,
      pointToJson(min),
      pointToJson(max),
      pointToJson(current),
    ]),
    parameters: [...state.parameters.values()].map(facetToJson),
    others: [...state.others.values()].map(facetToJson),
    tags: [...state.tags],
    html: state.html,
    graph: state.graph,
    code: state.code,
    git: state.git,
    system: state.system,
    patch: state.patch && assetToJson(state.patch),
    assets: [...state.assets.values()].map(assetToJson),
    writers: [...state.writers],
  }
}

export function runFromHead(shape: Shape): RunState {
  const state = emptyRun()
  for (const one of shape.list('series')) {
    const [name, context, count, min, max, current] = Array.isArray(one) ? one : []
    if (typeof name !== 'string' || typeof count !== 'number')
      throw shape.refuse("'series' are not what they should be")
    const series = {
      name,
      context: textOf(context) ?? null,
      count,
      min: pointFromJson(min, shape),
      max: pointFromJson(max, shape),
      current: pointFromJson(current, shape),
    }
    state.series.set(seriesKey(series), series)
  }
  for (const field of ['parameters', 'others'] as const)
    for (const one of shape.list(field)) {
      const facet = facetFromJson(one, shape)
      state[field].set(seriesKey(facet), facet)
    }
  for (const tag of shape.texts('tags')) state.tags.add(tag)
  state.html = shape.text('html')
  state.graph = shape.optionalText('graph') ?? null
  state.code = shape.optionalText('code') ?? null
  const [git, system, patch] = [shape.raw('git'), shape.raw('system'), shape.raw('patch')]
  if (isObject(git)) state.git = git
  if (isObject(system)) state.system = system
  if (isObject(patch)) state.patch = assetFromJson(patch, shape)
  for (const one of shape.list('assets')) {
    const asset = assetFromJson(isObject(one) ? one : refuse(shape), shape)
    state.assets.set(asset.id, asset)
  }
  for (const one of shape.list('writers')) {
    const [id, sequence] = Array.isArray(one) ? one : []
    if (typeof id !== 'string' || typeof sequence !== 'number')
      throw shape.refuse("'writers' are not what they should be")
    state.writers.set(id, sequence)
  }
  state.runs = shape.list('runs').map((one) => runOf(one, shape))
  return state
}

/** What the head is to keep; points and lines go into objects of their own. */
export async function foldRun(state: RunState, parts: RunObjectsParts): Promise<Folded> {
  const objects = new RunObjects(parts)
  const json = runToJson(state)
  const { tail, runs: before } = state
  const { runs, added, replaced } = await objects.add(before, tail)
  return {
    json: { ...json, runs: runObjectsToJson(runs) },
    done() {
      state.runs = runs
      // Pieces that came meanwhile are behind those.
      state.tail = state.tail.slice(tail.length)
    },
    after: () => objects.delete(replaced),
    dropped: (head) => {
      const named = new Set(head?.list('runs').flatMap((one) => runOf(one, head).objects.map(({ id }) => id)))
      return objects.delete(added.filter(({ id }) => !named.has(id)))
    },
  }
}

function runObjectsToJson(runs: readonly Run[]): JsonValue {
  return runs.map(({ bytes, objects }) => ({
    bytes,
    objects: objects.map(({ id, first, last, lines }) => [id, first, last, lines]),
  }))
}

function runOf(json: JsonValue, shape: Shape): Run {
  const { bytes, objects } = isObject(json) ? json : refuse(shape)
  if (typeof bytes !== 'number' || !Array.isArray(objects)) return refuse(shape)
  return {
    bytes,
    objects: objects.map((one) => {
      const [id, first, last, lines] = Array.isArray(one) ? one : []
      if (typeof id !== 'string' || typeof lines !== 'number') return refuse(shape)
      return { id, first: textOf(first) ?? null, last: textOf(last) ?? null, lines }
    }),
  }
}

function pointToJson({ value, step, epoch, timestamp }: Point): JsonValue {
  return [toMetricValue(value), orNull(step), orNull(epoch), timestamp]
}

function pointFromJson(json: JsonValue | undefined, shape: Shape): Point {
  const [value, step, epoch, timestamp] = Array.isArray(json) ? json : refuse(shape)
  if (typeof timestamp !== 'number') return refuse(shape)
  return { value: Number(value), step: orNaN(step), epoch: orNaN(epoch), timestamp }
}

function facetToJson({ name, context, min, max, current }: Facet): JsonValue {
  return [name, context, ...[min, max, current].map(({ value, step, timestamp }) => [value, step, timestamp])]
}

function facetFromJson(json: JsonValue, shape: Shape): Facet {
  const [name, context, min, max, current] = Array.isArray(json) ? json : []
  if (typeof name !== 'string') return refuse(shape)
  const sample = (one: JsonValue | undefined): Sample => {
    const [value, step, timestamp] = Array.isArray(one) ? one : refuse(shape)
    return { value: value ?? null, step: numberOf(step), timestamp: numberOf(timestamp) ?? refuse(shape) }
  }
  return { name, context: textOf(context) ?? null, min: sample(min), max: sample(max), current: sample(current) }
}

function orNaN(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : Number.NaN
}
