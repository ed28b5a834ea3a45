import { describe, isPlainObject, isTableLike, isTypedArray, type PlainObject } from '../codecs/capabilities.ts'
import { isWrapped, unwrap } from '../codecs/values.ts'
import { InvalidInputError, isTidemarkError, UnavailableError } from '../errors.ts'

/** What a watched source holds now. */
export type Held =
  | { readonly kind: 'records'; readonly value: readonly unknown[] }
  | { readonly kind: 'columns'; readonly value: PlainObject }
  /** Arrow tables, batches, data frames. */
  | { readonly kind: 'frame'; readonly value: object }
  | { readonly kind: 'arrays'; readonly value: unknown }

/**
 * A source, to see what it holds as often as one likes; a function, which may be dear, is called once.
 *
 * @throws UnavailableError `source-failed`, with what the function threw as its cause
 * @throws InvalidInputError `unsupported-source`, also when it is looked at
 */
export async function openHeld(source: unknown): Promise<() => Held> {
  if (typeof source !== 'function') return () => heldOf(source)
  const given = await callFor(source)
  if (typeof given === 'function') throw unsupported(given, 'The function gave another function.')
  return () => heldOf(given)
}

async function callFor(source: CallableFunction): Promise<unknown> {
  try {
    return await source()
  } catch (cause) {
    if (isTidemarkError(cause)) throw cause
    const reason = cause instanceof Error ? cause.message : `it threw ${describe(cause)}`
    throw new UnavailableError(`The function that gives the table failed: ${reason}`, { code: 'source-failed', cause })
  }
}

/** Of records and of columns; what else there is counts as endless. */
export function rowsOf({ kind, value }: Held): number {
  if (kind === 'records') return value.length
  if (kind !== 'columns') return Number.POSITIVE_INFINITY
  const [first] = Object.values(value)
  return Array.isArray(first) || isTypedArray(first) ? first.length : Number.POSITIVE_INFINITY
}

function heldOf(source: unknown): Held {
  if (isWrapped(source)) {
    const { wrapper, value } = unwrap(source)
    if (wrapper === 'arrays') return { kind: 'arrays', value }
    if (wrapper === 'table') return tableOf(value)
    throw unsupported(source, `It was wrapped by ${wrapper}(...).`)
  }
  return tableOf(source)
}

function tableOf(value: unknown): Held {
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every(isTableLike)) return { kind: 'frame', value }
    // Each record is looked at when it is read.
    if (value.length === 0 || isPlainObject(value[0])) return { kind: 'records', value }
    throw unsupported(value, `Its first element is ${describe(value[0])}.`)
  }
  if (isFrame(value)) return { kind: 'frame', value }
  if (!isPlainObject(value)) throw unsupported(value)
  for (const [name, column] of Object.entries(value)) {
    if (Array.isArray(column) || isTypedArray(column) || isVector(column)) continue
    throw unsupported(value, `Its '${name}' is ${describe(column)}, not a column.`)
  }
  return { kind: 'columns', value }
}

function isFrame(value: unknown): value is object {
  return isTableLike(value)
}

function isVector(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && 'data' in value && Array.isArray(value.data)
}

function unsupported(source: unknown, reason = ''): InvalidInputError {
  return new InvalidInputError(
    `A table to watch is an array of records, an object of columns, an Arrow table, typed arrays in arrays(...), or a function that returns one of them; this is ${describe(source)}. ${reason}`.trimEnd(),
    { code: 'unsupported-source' },
  )
}
