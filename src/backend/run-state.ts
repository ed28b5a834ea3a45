import type { JsonValue, Metadata } from '../protocol/shapes.ts'
import { decodeBlock, type Points, seriesKey, toMetricValue } from './metric-block.ts'
import { isObject, type Shape } from './shape.ts'

/** One thing that an experiment logged, as it is kept: docs/spec.md, "Ledgers". */
export type RunEvent = readonly JsonValue[]

/** NaN: none. */
export interface Point {
  readonly value: number
  readonly step: number
  readonly epoch: number
  readonly timestamp: number
}

export interface Series {
  readonly name: string
  readonly context: string | null
  count: number
  min: Point
  max: Point
  current: Point
}

export interface Sample {
  readonly value: JsonValue
  readonly step: number | null
  readonly timestamp: number
}

/** A parameter, or one of the "others". */
export interface Facet {
  readonly name: string
  readonly context: string | null
  readonly min: Sample
  readonly max: Sample
  readonly current: Sample
}

/** A file of an experiment, or a link. */
export interface RunAsset {
  readonly id: string
  readonly fileName: string
  readonly type: string
  readonly size: number
  /** JSON, byte for byte as it came. */
  readonly metadata: string | null
  readonly link: string | null
  readonly mediaType: string
  readonly step: number | null
  readonly epoch: number | null
  readonly context: string | null
  readonly source: string | null
  readonly createdAt: number
  /** Where its bytes are: `files/<experiment>/<file>/`. */
  readonly file: string
  /** SHA-256 of each 8 MiB of its bytes; a link has none. */
  readonly pieces: readonly string[]
}

export interface Line {
  readonly offset: number
  readonly text: string
  readonly stderr: boolean
  readonly context: string | null
  readonly timestamp: number | null
}

/** Objects under `m/` that were written together. */
export interface Run {
  readonly bytes: number
  readonly objects: readonly RunObject[]
}

export interface RunObject {
  readonly id: string
  /** Keys of its first and last series; null when it holds none. */
  readonly first: string | null
  readonly last: string | null
  readonly lines: number
}

/** Points and lines of one entry. */
export interface Piece {
  readonly points: readonly Points[]
  readonly lines: readonly Line[]
}

/** All that an experiment has logged; of points and lines only the newest, and where the others are. */
export interface RunState {
  readonly series: Map<string, Series>
  readonly parameters: Map<string, Facet>
  readonly others: Map<string, Facet>
  readonly tags: Set<string>
  html: string
  graph: string | null
  code: string | null
  git: Metadata | null
  system: Metadata | null
  patch: RunAsset | null
  readonly assets: Map<string, RunAsset>
  readonly writers: Map<string, number>
  runs: readonly Run[]
  tail: readonly Piece[]
}

export function emptyRun(): RunState {
  return {
    series: new Map(),
    parameters: new Map(),
    others: new Map(),
    tags: new Set(),
    html: '',
    graph: null,
    code: null,
    git: null,
    system: null,
    patch: null,
    assets: new Map(),
    writers: new Map(),
    runs: [],
    tail: [],
  }
}

// A client of an experiment is one writer; beyond so many the oldest is taken to have ended.
const writersRemembered = 1000

export function applyToRun(state: RunState, shape: Shape, attachment: Uint8Array): void {
  const lines: Line[] = []
  for (const event of shape.list('events')) {
    if (!Array.isArray(event)) throw shape.refuse('an event is not a list')
    applyEvent(state, event, lines, shape)
  }
  const points = shape.has('block') ? decodeBlock(shape, attachment) : []
  for (const one of points) summarize(state.series, one)
  if (points.length > 0 || lines.length > 0) state.tail = [...state.tail, { points, lines }]
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

/** What a head keeps, but for `runs`. */
export function runToJson(state: RunState): { [key: string]: JsonValue } {
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

export function runObjectsToJson(runs: readonly Run[]): JsonValue {
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

export function lineToJson({ offset, text, stderr, context, timestamp }: Line): readonly JsonValue[] {
  return [offset, text, stderr, context, timestamp]
}

export function lineFromJson(json: readonly JsonValue[], shape: Shape): Line {
  const [offset, text, stderr, context, timestamp] = json
  if (typeof offset !== 'number' || typeof text !== 'string') return refuse(shape)
  return {
    offset,
    text,
    stderr: stderr === true,
    context: textOf(context) ?? null,
    timestamp: numberOf(timestamp),
  }
}

export function assetToJson(asset: RunAsset): Metadata {
  return { ...asset }
}

function assetFromJson(json: { readonly [key: string]: JsonValue }, shape: Shape): RunAsset {
  const text = (field: string) => textOf(json[field]) ?? refuse(shape)
  const { pieces } = json
  return {
    id: text('id'),
    fileName: text('fileName'),
    type: text('type'),
    size: numberOf(json.size) ?? refuse(shape),
    metadata: textOf(json.metadata) ?? null,
    link: textOf(json.link) ?? null,
    mediaType: text('mediaType'),
    step: numberOf(json.step),
    epoch: numberOf(json.epoch),
    context: textOf(json.context) ?? null,
    source: textOf(json.source) ?? null,
    createdAt: numberOf(json.createdAt) ?? refuse(shape),
    file: text('file'),
    pieces: Array.isArray(pieces) ? pieces.map((piece) => textOf(piece) ?? refuse(shape)) : refuse(shape),
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

export function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value
}

function orNaN(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : Number.NaN
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberOf(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null
}

function refuse(shape: Shape): never {
  throw shape.refuse('what an experiment logged is not as it should be')
}
