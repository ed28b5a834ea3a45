import { unreadable } from '../codecs/reading-value.ts'
import { InvalidInputError } from '../errors.ts'
import { describe } from '../options.ts'
import type { JsonValue, Metadata } from '../protocol/shapes.ts'

// Deep enough for any description of data, and far from the end of the stack.
const deepest = 100

// As much of a path as fits a line of a terminal.
const longestPath = 100

/**
 * Metadata is plain JSON: what is given is copied, so that later changes to it do not reach what was said.
 *
 * @throws InvalidInputError `invalid-metadata` naming the path of the value that is not JSON
 */
export function checkMetadata(value: unknown, what = 'metadata'): Metadata | undefined {
  if (value === undefined) return undefined
  try {
    if (!isPlainObject(value)) return notJson(value, what)
    return copyObject(value, what, 0, notJson)
  } catch (cause) {
    // A getter or a proxy runs its owner's code.
    throw unreadable(cause, what)
  }
}

/** What is no JSON: something that stands for it, or an error. `reason` says more than its type does. */
type Other = (value: unknown, path: string, reason?: string) => JsonValue

/** A copy of plain JSON of any form. */
export function checkJson(value: unknown, what: string, other: Other): JsonValue {
  try {
    return copy(value, what, 0, other)
  } catch (cause) {
    // A getter or a proxy runs its owner's code.
    throw unreadable(cause, what)
  }
}

function copyObject(value: object, path: string, depth: number, other: Other): Metadata {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  return Object.fromEntries(entries.map(([key, one]) => [key, copy(one, `${path}.${key}`, depth + 1, other)]))
}

function copy(value: unknown, path: string, depth: number, other: Other): JsonValue {
  if (depth > deepest) return other(value, shortened(path), `it is nested more than ${deepest} deep, or holds itself`)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (Array.isArray(value)) return value.map((one, index) => copy(one, `${path}[${index}]`, depth + 1, other))
  if (isPlainObject(value)) return copyObject(value, path, depth, other)
  return other(value, shortened(path))
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function notJson(value: unknown, path: string, reason = `it is ${describe(value)}`): never {
  throw new InvalidInputError(
    `${path} cannot be stored: ${reason}. Metadata takes strings, finite numbers, booleans, null, and arrays and plain objects of them.`,
    {
      code: 'invalid-metadata',
      fields: { path },
    },
  )
}

/** The path of a cycle is as long as the depth allowed. */
function shortened(path: string): string {
  return path.length > longestPath ? `${path.slice(0, longestPath)}…` : path
}
