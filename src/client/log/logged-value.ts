import { InvalidInputError } from '../../errors.ts'
import { describe } from '../../options.ts'
import type { JsonValue } from '../../protocol/shapes.ts'
import { checkJson } from '../metadata.ts'

/**
 * The value of a parameter or other as it travels: JSON. What JSON has no word for becomes the text people write for it, at any depth; a typed array becomes an array.
 *
 * @throws InvalidInputError `invalid-value`, `value-unreadable`
 */
export function checkLoggedValue(value: unknown, what: string): JsonValue {
  return checkJson(value, what, logged)
}

function logged(value: unknown, path: string, reason = `it is ${describe(value)}`): JsonValue {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString()
  if (isTypedArray(value)) return Array.from(value, inJson)
  throw new InvalidInputError(
    `${path} cannot be logged: ${reason}. Give text, a number, a boolean, null, a date, or an array or plain object of them.`,
    { code: 'invalid-value', fields: { what: path } },
  )
}

/** Here, since what looks at values of every kind is loaded with the first of them. */
function isTypedArray(value: unknown): value is ArrayBufferView & ArrayLike<number | bigint> {
  return ArrayBuffer.isView(value) && 'length' in value
}

function inJson(value: number | bigint): JsonValue {
  return Number.isFinite(value) ? Number(value) : String(value)
}

/**
 * A metric is one number; NaN and infinities are some.
 *
 * @throws InvalidInputError `invalid-value`
 */
export function checkMetricValue(value: unknown, name: string): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  throw new InvalidInputError(
    `The metric '${name}' must be a number, not ${describe(value)}. Read it from the tensor or text first.`,
    { code: 'invalid-value', fields: { what: name } },
  )
}

/** @throws InvalidInputError `invalid-option` unless it is a finite number, or left out */
export function checkPosition(value: unknown, option: 'step' | 'epoch'): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value
  throw new InvalidInputError(`${option} must be a finite number, not ${describe(value)}.`, {
    code: 'invalid-option',
    fields: { option },
  })
}
