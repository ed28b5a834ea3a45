import type { JsonValue } from './shapes.ts'

/** JSON has no NaN and no infinities: they travel as these texts. */
export type MetricValue = number | 'NaN' | 'Infinity' | '-Infinity'

/** Points of one series, as columns of one length, in the order in which they were logged. */
export interface MetricColumns {
  readonly name: string
  /** Comet's context: `train`, `validate`. Listed in summaries as `train_loss`. */
  readonly context?: string
  readonly values: readonly MetricValue[]
  /** Left out: no point has one; null: this point has none. */
  readonly steps?: readonly (number | null)[]
  readonly epochs?: readonly (number | null)[]
  /** Milliseconds since 1970. */
  readonly timestamps: readonly number[]
}

export interface LoggedParameter {
  readonly name: string
  readonly value: JsonValue
  readonly step?: number
  readonly context?: string
  readonly timestamp: number
}

export interface LoggedOther {
  readonly key: string
  readonly value: JsonValue
  readonly timestamp: number
}

/** One line that a program wrote. */
export interface OutputLine {
  /** Counts the lines of its stream from 1. The same offset again is the same line again. */
  readonly offset: number
  /** Without its line end. */
  readonly text: string
  readonly stderr?: boolean
  readonly context?: string
  readonly timestamp?: number
}

/**
 * One batch of what an experiment logs: durable, all of it or nothing, when it is answered. Batches of one writer come one after another: the first with
 * sequence 1, each next with one more. A batch that is sent again is recognised and has one effect.
 */
export interface LogRequest {
  /** Made once for each client of an experiment: 8 to 128 letters, digits, `-`, `_`, `.`, `:`. */
  readonly writer: string
  readonly sequence: number
  readonly metrics?: readonly MetricColumns[]
  readonly parameters?: readonly LoggedParameter[]
  readonly others?: readonly LoggedOther[]
  readonly tags?: readonly string[]
  readonly output?: readonly OutputLine[]
}

export interface LogReply {
  /** True when this batch had been logged before: nothing was logged now. */
  readonly repeated: boolean
}

/** A page of the points of one series, oldest first. */
export interface SeriesReply extends MetricColumns {
  /** Points of the whole series. */
  readonly count: number
  /** Pass as `after` for the next page; absent on the last. */
  readonly next?: string
}

/** Metric points, parameters, others, tags and lines in one batch, all counted together. */
export const largestBatch = 20_000

/** Bytes of the JSON of one batch. */
export const largestBatchBytes = 8 * 1024 * 1024

/** Points in one page of a series. */
export const longestSeriesPage = 50_000
