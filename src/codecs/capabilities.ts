import { tagOf } from './tag-of.ts'

/**
 * What a value can do, asked by its members and not by its class: values come from other copies of a library, other realms and other runtimes.
 */

export type PlainObject = Record<string, unknown>

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** An object literal, `JSON.parse` output or a null-prototype object; of any realm. */
export function isPlainObject(value: unknown): value is PlainObject {
  if (!isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  return isObject(prototype) && Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty')
}

export function hasMethods<Name extends string>(
  value: unknown,
  ...names: readonly Name[]
): value is Record<Name, (...args: unknown[]) => unknown> {
  return isObject(value) && names.every((name) => name in value && typeof Reflect.get(value, name) === 'function')
}

function member(value: object, name: string): unknown {
  return name in value ? Reflect.get(value, name) : undefined
}

export function isThenable(value: unknown): boolean {
  return hasMethods(value, 'then')
}

/** `Uint8Array` (and so Node's `Buffer`), `DataView`, `ArrayBuffer`, `SharedArrayBuffer`: bytes. Every other typed array holds numbers. */
export function isBytes(value: unknown): value is Uint8Array | DataView | ArrayBufferLike {
  const tag = tagOf(value)
  return ArrayBuffer.isView(value)
    ? tag === 'Uint8Array' || tag === 'DataView'
    : tag === 'ArrayBuffer' || tag === 'SharedArrayBuffer'
}

/** A typed array of numbers, `Uint8Array` included. */
export function isTypedArray(value: unknown): value is ArrayBufferView & ArrayLike<number | bigint> {
  return ArrayBuffer.isView(value) && tagOf(value) !== 'DataView'
}

export function isBlob(value: unknown): value is Blob {
  return hasMethods(value, 'stream', 'slice', 'arrayBuffer') && typeof member(value, 'size') === 'number'
}

export function isFile(value: unknown): value is File {
  return isBlob(value) && typeof member(value, 'name') === 'string'
}

export function isReadableStream(value: unknown): value is ReadableStream<unknown> {
  return hasMethods(value, 'getReader', 'cancel')
}

export function isResponse(value: unknown): value is Response {
  return (
    hasMethods(value, 'arrayBuffer', 'clone') &&
    typeof member(value, 'status') === 'number' &&
    hasMethods(member(value, 'headers'), 'get')
  )
}

export function isUrl(value: unknown): value is URL {
  return isObject(value) && tagOf(value) === 'URL' && typeof member(value, 'href') === 'string'
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return isObject(value) && typeof Reflect.get(value, Symbol.asyncIterator) === 'function'
}

/**
 * What data frames call the method that gives Arrow, or columns: Arquero, nodejs-polars, DuckDB's Node API. Those that the table codec can use.
 */
const tableMethods = [
  'toArrow',
  'toArrowTable',
  'toArrowIPC',
  'toArrowBuffer',
  'toIPC',
  'writeIPCStream',
  'writeIPC',
  'getColumnsObjectJS',
] as const

/** A data frame that turns itself into a table. Not asked with `in`, nor by prototype: one of nodejs-polars is a proxy that says it has its columns only, and looks like a plain object. */
export function givesTable(value: object): boolean {
  return tableMethods.some((name) => typeof Reflect.get(value, name) === 'function')
}

/** Tables and record batches of apache-arrow and Flechette, of any copy of them, and data frames that turn themselves into one. */
export function isTableLike(value: unknown): boolean {
  if (!isObject(value) || Array.isArray(value)) return false
  if (givesTable(value)) return true
  if (isPlainObject(value)) return false
  const schema = member(value, 'schema')
  return isObject(schema) && Array.isArray(member(schema, 'fields')) && 'numRows' in value
}

/** `{ data, shape | dims, dtype | type }`: TF.js, ONNX Runtime, Transformers.js, ndarray, and plain objects of that form. */
export function isTensorLike(value: unknown): boolean {
  if (!isObject(value) || Array.isArray(value)) return false
  const shape = member(value, 'shape') ?? member(value, 'dims')
  if (!isShape(shape)) return false
  // Some read their data from a GPU: it is only looked for here, not looked at, unless the object is plain.
  if (!isPlainObject(value)) return 'data' in value || hasMethods(value, 'dataSync')
  const typed = typeof (value.dtype ?? value.type) === 'string'
  return isTypedArray(value.data) || (typed && Array.isArray(value.data))
}

function isShape(value: unknown): boolean {
  if (!Array.isArray(value) && !isTypedArray(value)) return false
  return Array.from(value).every((size) => Number.isInteger(size) && size >= 0)
}

/** Something with pixels: ImageData and its like, canvases, ImageBitmap, `<img>`, `<video>`, VideoFrame. */
export function isImageLike(value: unknown): value is object {
  if (!isObject(value)) return false
  // A plain object that has these is a description of a picture, or settings.
  const shown = ['naturalWidth', 'videoWidth', 'displayWidth'].some((name) => typeof member(value, name) === 'number')
  if (shown && !isPlainObject(value)) return true
  if (typeof member(value, 'width') !== 'number' || typeof member(value, 'height') !== 'number') return false
  return (
    isTypedArray(member(value, 'data')) ||
    hasMethods(value, 'getContext') ||
    hasMethods(value, 'convertToBlob') ||
    tagOf(value) === 'ImageBitmap'
  )
}

/** How a message names a value: by its type or class, never by its content. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  switch (typeof value) {
    case 'object': {
      if (isThenable(value)) return 'a promise'
      if (isPlainObject(value)) return 'a plain object'
      const maker = member(value, 'constructor')
      return `an instance of ${typeof maker === 'function' && maker.name !== '' ? maker.name : tagOf(value)}`
    }
    case 'undefined':
      return 'undefined'
    case 'string':
      return value === '' ? 'an empty string' : 'a string'
    default:
      return `a ${typeof value}`
  }
}
