import { InvalidInputError } from '../../errors.ts'
import { isPlainObject, isTypedArray } from '../capabilities.ts'
import { isDate, isUint8Array } from '../realms.ts'
import { tagOf } from '../tag-of.ts'

/** What a cell holds: one column holds one kind. A typed array's kind is its name. */
export type Kind = 'number' | 'string' | 'boolean' | 'bigint' | 'Date' | 'bytes' | 'list' | 'object' | `${string}Array`

/** Deeper lists and objects are more likely a mistake than a table. */
const MAX_DEPTH = 64

/** The kind of a value that is not null, or `undefined` for one a table cannot hold. */
export function cellKind(value: unknown): Kind | undefined {
  if (typeof value === 'number') return 'number'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'bigint') return 'bigint'
  if (isDate(value)) return 'Date'
  if (Array.isArray(value)) return 'list'
  if (isUint8Array(value)) return 'bytes'
  if (isTypedArray(value)) return asKind(tagOf(value))
  return isPlainObject(value) ? 'object' : undefined
}

function asKind(name: string): Kind {
  return `${name.slice(0, -'Array'.length)}Array`
}

/** For error messages: what it is, never its content. */
export function describeCell(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    if (Array.isArray(value)) return 'a list'
    if (isDate(value)) return 'a Date'
    if (isPlainObject(value)) return 'an object'
    const name: unknown = value.constructor?.name
    return typeof name === 'string' && name !== '' ? `a ${name}` : 'an object of a class'
  }
  if (typeof value === 'function') return 'a function'
  return value === null || value === undefined ? 'null' : `a ${typeof value}`
}

/** @throws InvalidInputError for a list or object that contains itself, or is nested out of all reason. */
export function assertTree(value: unknown, locate: () => string): void {
  visit(value, [], locate)
}

function visit(value: unknown, parents: readonly unknown[], locate: () => string): void {
  if (typeof value !== 'object' || value === null || isDate(value) || ArrayBuffer.isView(value)) return
  if (parents.includes(value)) {
    throw new InvalidInputError(
      `${locate()} contains itself. A table holds only finite values: leave the back reference out.`,
      {
        code: 'cyclic-value',
        fields: { path: locate() },
      },
    )
  }
  if (parents.length >= MAX_DEPTH) {
    throw new InvalidInputError(
      `${locate()} is nested more than ${MAX_DEPTH} levels deep. Flatten it, or store it as JSON.`,
      {
        code: 'too-deep',
        fields: { path: locate() },
      },
    )
  }
  const path = [...parents, value]
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const element: unknown = value[index]
      if (typeof element === 'object' && element !== null) visit(element, path, () => `${locate()}[${index}]`)
    }
    return
  }
  for (const [key, element] of Object.entries(value)) {
    if (typeof element === 'object' && element !== null) visit(element, path, () => `${locate()}.${key}`)
  }
}
