import { InvalidInputError } from '../../errors.ts'
import type { JsonValue, Metadata } from '../../protocol/shapes.ts'
import type { Role } from '../access.ts'
import type { Experiment } from '../experiments/experiments.ts'
import { readJson } from '../routes/body.ts'
import { optional } from '../routes/query.ts'
import type { Call } from '../routes/router.ts'
import type { Services } from '../services.ts'
import { isObject, type Shape } from '../shape.ts'
import { CometShape } from './comet-shape.ts'

/** Comet's answer to a write that has nothing else to say. */
export const saved = { msg: 'saved', code: 200, data: null, sdk_error_code: 0 } as const

// A script with all that it prints, a page, a graph of some thousand layers.
export const largestBody = 8 * 1024 * 1024

/** The body of one of Comet's requests. */
export async function cometBody({ request }: Call): Promise<CometShape> {
  return new CometShape((await readJson(request, largestBody)) ?? {})
}

type Parts = Pick<Services, 'experiments'>

/** The experiment that a body is about, if whoever asks may write to it. */
export async function writtenExperiment({ experiments }: Parts, { access }: Call, shape: Shape): Promise<Experiment> {
  const experiment = await experiments.recent(shape.optionalText('experimentKey') ?? keyMissing())
  access.require('writer', experiment.workspace)
  return experiment
}

/** The experiment that a query is about, if whoever asks has the role. */
export async function askedExperiment(
  { experiments }: Parts,
  { access, query }: Call,
  role: Role,
): Promise<Experiment> {
  const experiment = await experiments.get(optional(query, 'experimentKey') ?? keyMissing())
  access.require(role, experiment.workspace)
  return experiment
}

/** Fields of an object, as they came. */
export function fieldsOf(shape: Shape, fields: readonly string[]): { [key: string]: JsonValue } {
  const found: { [key: string]: JsonValue } = {}
  for (const field of fields) {
    const value = shape.raw(field)
    if (value !== undefined) found[field] = value
  }
  return found
}

/** All of some fields, null where nothing is known: an empty list for those of `lists`. */
export function allFields(found: Metadata, fields: readonly string[], lists: readonly string[] = []): object {
  return Object.fromEntries(fields.map((field) => [field, found[field] ?? (lists.includes(field) ? [] : null)]))
}

const longestName = 1024

/** Names of metrics, parameters and the like never become keys or paths: anything that can be shown will do. */
export function checkLabel(text: string, what: string): string {
  const reason = labelProblem(text)
  if (reason === undefined) return text
  throw new InvalidInputError(
    `The name of the ${what} cannot be used: ${reason}. Names have 1 to ${longestName} characters and no control characters.`,
    { code: 'invalid-name', fields: { what } },
  )
}

function labelProblem(text: string): string | undefined {
  if (text === '') return 'it is empty'
  if (text.length > longestName) return 'it is too long'
  if (/\p{Surrogate}/u.test(text)) return 'it is not valid Unicode (a lone surrogate)'
  return /\p{Cc}/u.test(text) ? 'it has a control character' : undefined
}

/** A number, or what R and Java write instead of one; null and "NA" are "not a number". */
export function numberOf(shape: Shape, field: string): number {
  const value = shape.raw(field)
  if (typeof value === 'number') return value
  if (value === undefined) return Number.NaN
  if (typeof value === 'string') {
    const special = specialNumbers.get(value.trim().toLowerCase())
    if (special !== undefined) return special
    if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value.trim())) return Number(value)
  }
  throw shape.refuse(`'${field}' is not a number`)
}

const specialNumbers = new Map([
  ['nan', Number.NaN],
  ['na', Number.NaN],
  ['null', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['+inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['infinity', Number.POSITIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
])

/** The same where there may be none. */
export function optionalNumberOf(shape: Shape, field: string): number | undefined {
  return shape.has(field) ? numberOf(shape, field) : undefined
}

/** When it was, as the client tells it; now where it tells none, or one that is no time: what is kept of a time must be a number. */
export function timeOf(shape: Shape, now: number): number {
  const told = numberOf(shape, 'timestamp')
  return Number.isFinite(told) ? told : now
}

/** R writes booleans of a query in upper case. */
export function flagOf(query: URLSearchParams, name: string): boolean {
  return optional(query, name)?.toLowerCase() === 'true'
}

/** A whole number of a query, as a text. */
export function countOf(query: URLSearchParams, name: string): number | null {
  const text = optional(query, name)
  if (text === undefined) return null
  const number = Number(text)
  if (Number.isFinite(number)) return number
  throw new InvalidInputError(`The request cannot be understood: '${name}' is not a number.`, {
    code: 'invalid-request',
  })
}

/** A value as Comet's clients are given it. */
export function valueText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

export function isJsonObject(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return isObject(value)
}

function keyMissing(): never {
  throw new InvalidInputError("The request does not say which experiment it is about: 'experimentKey' is missing.", {
    code: 'experiment-key-missing',
  })
}
