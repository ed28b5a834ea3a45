import type { JsonValue, Metadata } from '../../protocol/shapes.ts'
import type { Points } from './series.ts'

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
  /** What it is a part of, such as a model. */
  readonly grouping?: string
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

/** NaN stands for none. */
export function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value
}
