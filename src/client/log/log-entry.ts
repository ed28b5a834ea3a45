import { InvalidInputError } from '../../errors.ts'
import { describe } from '../../options.ts'
import type { LoggedOther, LoggedParameter, MetricValue, OutputLine } from '../../protocol/log.ts'
import type { Api } from '../api.ts'

/** One thing that an experiment logs, on its way. */
export type LogEntry = MetricEntry | ParameterEntry | OtherEntry | TagsEntry | LineEntry | CallEntry

export interface MetricEntry {
  readonly kind: 'metric'
  readonly name: string
  readonly value: number
  readonly step: number | undefined
  readonly epoch: number | undefined
  readonly context: string | undefined
  readonly timestamp: number
}

export interface ParameterEntry extends LoggedParameter {
  readonly kind: 'parameter'
}

export interface OtherEntry extends LoggedOther {
  readonly kind: 'other'
}

export interface TagsEntry {
  readonly kind: 'tags'
  readonly tags: readonly string[]
}

export interface LineEntry extends OutputLine {
  readonly kind: 'line'
}

/** What goes as a request of its own, wherever it goes. */
export interface CallEntry {
  readonly kind: 'call'
  /** `html`, for messages. */
  readonly what: string
  /** Bytes it takes. */
  readonly size: number
  send(api: Api): Promise<unknown>
}

/** What goes together with others. */
export type BatchEntry = Exclude<LogEntry, CallEntry>

export function isBatchEntry(entry: LogEntry): entry is BatchEntry {
  return entry.kind !== 'call'
}

/** JSON has no NaN and no infinities. */
export function metricValue(value: number): MetricValue {
  if (Number.isFinite(value)) return value
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? 'Infinity' : '-Infinity'
}

// V8: a point with its numbers; texts count beside it.
const entryBytes = 100

/** About how much memory an entry takes, and how much JSON it becomes. */
export function sizeOfEntry(entry: LogEntry): number {
  switch (entry.kind) {
    case 'metric':
      return entryBytes
    case 'parameter':
      return entryBytes + textSize(entry.value)
    case 'other':
      return entryBytes + textSize(entry.value)
    case 'tags':
      return entryBytes + textSize(entry.tags)
    case 'line':
      return entryBytes + 2 * entry.text.length
    case 'call':
      return entryBytes + entry.size
  }
}

function textSize(value: unknown): number {
  if (typeof value === 'string') return 2 * value.length
  return typeof value === 'object' && value !== null ? 2 * JSON.stringify(value).length : 0
}

/** `metric 'loss'`, for messages. */
export function entryLabel(entry: LogEntry): string {
  switch (entry.kind) {
    case 'metric':
    case 'parameter':
      return `${entry.kind} '${entry.name}'`
    case 'other':
      return `other '${entry.key}'`
    case 'tags':
      return `tags ${entry.tags.join(', ')}`
    case 'line':
      return `line ${entry.offset} of the output`
    case 'call':
      return entry.what
  }
}

const longestLabel = 1024

/**
 * A name of a metric, a parameter or the like: never a key or a path, so that anything that can be shown will do.
 *
 * @throws InvalidInputError `invalid-name`
 */
export function checkLabel(label: unknown, what: string): string {
  const reason = labelProblem(label)
  if (reason === undefined && typeof label === 'string') return label
  throw new InvalidInputError(
    `${describe(label)} cannot be the ${what}'s name: ${reason}. Names have 1 to ${longestLabel} characters and no control characters.`,
    { code: 'invalid-name', fields: { what } },
  )
}

function labelProblem(label: unknown): string | undefined {
  if (typeof label !== 'string') return 'it is not a string'
  if (label === '') return 'it is empty'
  if (label.length > longestLabel) return 'it is too long'
  if (/\p{Surrogate}/u.test(label)) return 'it is not valid Unicode (a lone surrogate)'
  return /\p{Cc}/u.test(label) ? 'it has a control character' : undefined
}
