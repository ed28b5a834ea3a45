import { InvalidInputError } from '../errors.ts'
import {
  describe,
  hasMethods,
  isAsyncIterable,
  isBlob,
  isBytes,
  isImageLike,
  isPlainObject,
  isReadableStream,
  isResponse,
  isTableLike,
  isTensorLike,
  isThenable,
  isTypedArray,
  isUrl,
} from './capabilities.ts'
import type { AssetKind } from './codec.ts'
import { isDropped, isDroppedItems, isFileList, takeDropped } from './dropped.ts'
import { isFileSource } from './file-source.ts'
import { isDirectoryHandle, isFileHandle } from './handle.ts'
import { isDate } from './realms.ts'
import { isWrapped, unwrap, type Wrapped, type WrapperName } from './values.ts'

/** What a value is, found without loading a codec. */
export interface Detected {
  /** The kind of its asset. `string`: a path, a pattern or text; only a look at the files can tell. */
  readonly kind: AssetKind | 'string'
  /** For the codec of that kind; or, when `source`, for `openSource`, which finds the file or folder that is meant. */
  readonly value: unknown
  /** The value says where files are, or they are on their way; it does not hold their bytes. */
  readonly source: boolean
  /** A table as far as its first records tell: `areFlat` looks at all of them; the table codec, asked for flat records only, while it reads them. */
  readonly assumed?: boolean
}

const kindOfWrapper = {
  table: 'table',
  json: 'json',
  arrays: 'npz',
  image: 'png',
  text: 'text',
  file: 'file',
  folder: 'zip',
  glob: 'zip',
} as const satisfies Record<WrapperName, AssetKind>

/**
 * Which kind of asset a value becomes. Bytes are `Uint8Array` (and `Buffer`), `ArrayBuffer` and `DataView`: a file; every other typed array is
 * numbers: npz. An array is a table when it has at least one record and every element is flat: a plain object of text, numbers, booleans, dates, nulls and typed arrays.
 *
 * @throws InvalidInputError `unsupported-value`, naming what the value is and what could help.
 */
export function detect(value: unknown): Detected {
  if (isWrapped(value)) return detectWrapped(value)
  if (typeof value === 'string') return { kind: 'string', value, source: true }
  if (value === null || ['number', 'boolean', 'bigint'].includes(typeof value)) return held('json', value)
  if (Array.isArray(value)) return detectArray(value)
  if (typeof value === 'object') return detectObject(value)
  return refuse(value)
}

// What says how to read its value (a name, ignore patterns) goes on as it is; the rest is unwrapped.
function detectWrapped(wrapped: Wrapped): Detected {
  const { wrapper, value } = unwrap(wrapped)
  const kind = kindOfWrapper[wrapper]
  if (wrapper === 'folder' || wrapper === 'glob') return { kind, value: wrapped, source: true }
  if (wrapper === 'file') return { kind, value: wrapped, source: typeof value === 'string' || isElsewhere(value) }
  return held(kind, value)
}

function detectArray(value: readonly unknown[]): Detected {
  if (isDroppedItems(value)) return { kind: 'zip', value: takeDropped(value), source: true }
  if (value.length > 0 && isFileList(value)) return { kind: 'zip', value, source: true }
  const batches = value.length > 0 && value.every(isTableLike)
  if (batches) return held('table', value)
  if (value.length <= FIRST_RECORDS) return held(areFlat(value) ? 'table' : 'json', value)
  if (areFlat(value.slice(0, FIRST_RECORDS))) return { ...held('table', value), assumed: true }
  // Not flat, or records without a cell, which say nothing.
  return held(areFlat(value) ? 'table' : 'json', value)
}

/** So many records are looked at before a table is assumed. */
const FIRST_RECORDS = 1000

function detectObject(value: object): Detected {
  if (isThenable(value)) return refuse(value)
  if (isDirectoryHandle(value) || isDropped(value)) return { kind: 'zip', value, source: true }
  if (isElsewhere(value)) return { kind: 'file', value, source: true }
  if (isDroppedItems(value)) return { kind: 'zip', value: takeDropped(value), source: true }
  if (isBytes(value) || isBlob(value) || isReadableStream(value) || isFileSource(value)) return held('file', value)
  if (isTypedArray(value)) return held('npz', value)
  if (isFileList(value)) return { kind: 'zip', value, source: true }
  if (isTableLike(value)) return held('table', value)
  if (isImageLike(value)) return held('png', value)
  if (isTensorLike(value)) return held('npz', value)
  if (isAsyncIterable(value)) return held('file', value)
  if (isPlainObject(value) || jsonClasses.has(Object.prototype.toString.call(value))) return held('json', value)
  return refuse(value)
}

function isElsewhere(value: unknown): boolean {
  return isFileHandle(value) || isUrl(value) || isResponse(value)
}

/** Classes for which the JSON codec has a rule. */
const jsonClasses = new Set(['[object Date]', '[object Map]', '[object Set]'])

function held(kind: AssetKind, value: unknown): Detected {
  return { kind, value, source: false }
}

/** Records of cells only. All of them: one nested value in the last record makes it JSON, and must do so each time. 1M records of 6 columns take 45 to 70 ms. */
export function areFlat(values: readonly unknown[]): boolean {
  let cells = 0
  for (const value of values) {
    if (!isPlainObject(value)) return false
    for (const key in value) {
      if (!isCell(value[key])) return false
      cells++
    }
  }
  return cells > 0
}

function isCell(value: unknown): boolean {
  switch (typeof value) {
    case 'object':
      return value === null || ArrayBuffer.isView(value) || isDate(value)
    case 'function':
    case 'symbol':
      return false
    default:
      return true
  }
}

function refuse(value: unknown): never {
  throw new InvalidInputError(`A value that is ${describe(value)} cannot be stored. ${advice(value)}`, {
    code: 'unsupported-value',
    fields: { value: describe(value) },
  })
}

function advice(value: unknown): string {
  if (isThenable(value)) return 'Await it first.'
  if (typeof value === 'function')
    return 'Call it and log what it returns; a function that returns a table can be watched with registerArtifact.'
  if (value === undefined) return "Log null when 'nothing' is meant."
  if (typeof value === 'symbol') return 'Log its description as text.'
  if (hasMethods(value, 'next') || Symbol.iterator in Object(value)) return 'Spread it into an array first: [...value].'
  return 'Log its plain data, like { ...value }, or say what it is with table, json, arrays, image, text, file, folder or glob.'
}
