import type { JsonValue } from '../protocol/shapes.ts'
import { assetFromJson, lineFromJson, numberOf, refuse, textOf } from './run-parts.ts'
import type { Facet, Line, RunEvent, RunState, Sample } from './run-state.ts'
import { seriesKey } from './series.ts'
import { isObject, type Shape } from './shape.ts'

// A client of an experiment is one writer; beyond so many the oldest is taken to have ended.
const writersRemembered = 1000

/** Reads an entry of what an experiment logged: docs/spec.md, "Ledgers". */
export async function readEntry(shape: Shape, attachment: Uint8Array): Promise<(state: RunState) => void> {
  const events = shape.list('events').map((event) => {
    if (!Array.isArray(event)) throw shape.refuse('an event is not a list')
    return event
  })
  const hasPoints = shape.has('block') && shape.list('block').length > 0
  const takePoints = hasPoints ? (await import('./run-points.ts')).readPoints(shape, attachment) : () => []
  return (state) => {
    const lines: Line[] = []
    for (const event of events) applyEvent(state, event, lines, shape)
    const points = takePoints(state.series)
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
    case 'html':
      state.html = rest[1] === true ? text(0) : state.html + text(0)
      return
    case 'graph':
      state.graph = text(0)
      return
    case 'code':
      state.code = text(0)
      return
    case 'git':
      state.git = object(0)
      return
    case 'system':
      state.system = { ...state.system, ...object(0) }
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
