import type { JsonValue } from '../../protocol/shapes.ts'
import { isObject, type Shape } from '../shape.ts'
import { bySeries, decodeBlock, encodeBlock, joinPoints } from './metric-block.ts'
import { applyFact, isFact } from './run-events.ts'
import { numberOf, refuse, textOf } from './run-fields.ts'
import { assetFromJson, lineFromJson } from './run-parts.ts'
import type { Facet, Line, Point, RunEvent, RunState, Sample, Series } from './run-state.ts'
import { type Points, seriesKey } from './series.ts'

// A client of an experiment is one writer; beyond so many the oldest is taken to have ended.
const writersRemembered = 1000

/** Points as an entry holds them: one series for each key. */
export function encodePoints(points: readonly Points[]): { block: JsonValue; bytes: Uint8Array } {
  return encodeBlock([...bySeries(points).values()].map(joinPoints))
}

/** Reads an entry with anything in it that is logged again and again: points, parameters, lines, files. */
export function readLogged(
  events: readonly RunEvent[],
  shape: Shape,
  attachment: Uint8Array,
): (state: RunState) => void {
  const points = shape.has('block') ? decodeBlock(shape, attachment) : []
  return (state) => {
    const lines: Line[] = []
    for (const event of events)
      if (isFact(event)) applyFact(state, event, shape)
      else applyEvent(state, event, lines, shape)
    for (const one of points) summarize(state.series, one)
    if (points.length > 0 || lines.length > 0) state.tail = [...state.tail, { points, lines }]
  }
}

function applyEvent(state: RunState, event: RunEvent, lines: Line[], shape: Shape): void {
  const [kind, ...rest] = event
  const text = (at: number) => textOf(rest[at]) ?? refuse(shape)
  const number = (at: number) => (typeof rest[at] === 'number' ? rest[at] : refuse(shape))
  const object = (at: number) => {
    const value = rest[at]
    return isObject(value) ? value : refuse(shape)
  }
  switch (kind) {
    case 'unparam':
      for (const [key, { name }] of state.parameters) if (name === text(0)) state.parameters.delete(key)
      return
    case 'param': {
      const facet = { name: text(0), context: textOf(rest[1]) ?? null }
      addSample(state.parameters, facet, { value: rest[2] ?? null, step: numberOf(rest[3]), timestamp: number(4) })
      return
    }
    case 'other':
      addSample(
        state.others,
        { name: text(0), context: null },
        { value: rest[1] ?? null, step: null, timestamp: number(2) },
      )
      return
    case 'tags':
      for (const tag of Array.isArray(rest[0]) ? rest[0] : refuse(shape)) state.tags.add(textOf(tag) ?? refuse(shape))
      return
    case 'untags':
      for (const tag of Array.isArray(rest[0]) ? rest[0] : refuse(shape))
        state.tags.delete(textOf(tag) ?? refuse(shape))
      return
    case 'patch':
      state.patch = assetFromJson(object(0), shape)
      return
    case 'asset': {
      const asset = assetFromJson(object(0), shape)
      if (rest[1] === true)
        for (const { id, fileName } of state.assets.values()) if (fileName === asset.fileName) state.assets.delete(id)
      state.assets.set(asset.id, asset)
      return
    }
    case 'unasset':
      state.assets.delete(text(0))
      return
    case 'line':
      lines.push(lineFromJson(rest, shape))
      return
    case 'writer':
      state.writers.delete(text(0))
      state.writers.set(text(0), number(1))
      for (const oldest of state.writers.keys()) {
        if (state.writers.size <= writersRemembered) break
        state.writers.delete(oldest)
      }
      return
    default:
      throw shape.refuse(`an event is of the unknown kind ${JSON.stringify(kind).slice(0, 40)}: update to read it`)
  }
}

function summarize(all: Map<string, Series>, points: Points): void {
  const { name, context, values, steps, epochs, timestamps } = points
  const count = values.length
  if (count === 0) return
  const point = (at: number): Point => ({
    value: values[at],
    step: steps[at],
    epoch: epochs[at],
    timestamp: timestamps[at],
  })
  const key = seriesKey(points)
  const known = all.get(key)
  const series = known ?? { name, context, count: 0, min: point(0), max: point(0), current: point(0) }
  if (!known) all.set(key, series)
  let [low, high] = [-1, -1]
  let { value: least } = series.min
  let { value: greatest } = series.max
  for (let at = 0; at < count; at++) {
    const value = values[at]
    // A number is less than "not a number", and greater too: NaN is told only where there is nothing else.
    if (value < least || (Number.isNaN(least) && !Number.isNaN(value))) {
      least = value
      low = at
    }
    if (value > greatest || (Number.isNaN(greatest) && !Number.isNaN(value))) {
      greatest = value
      high = at
    }
  }
  if (low >= 0) series.min = point(low)
  if (high >= 0) series.max = point(high)
  series.current = point(count - 1)
  series.count += count
}

function addSample(all: Map<string, Facet>, facet: { name: string; context: string | null }, sample: Sample): void {
  const key = seriesKey(facet)
  const known = all.get(key)
  const value = numeric(sample.value)
  const [least, greatest] = [numeric(known?.min.value), numeric(known?.max.value)]
  const ordered = known && !Number.isNaN(value) && !Number.isNaN(least) && !Number.isNaN(greatest)
  all.set(key, {
    ...facet,
    min: ordered && least <= value ? known.min : sample,
    max: ordered && greatest >= value ? known.max : sample,
    current: sample,
  })
}

function numeric(value: JsonValue | undefined): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
}
