import { InvalidInputError } from '../errors.ts'
import {
  describe,
  isAsyncIterable,
  isBlob,
  isBytes,
  isImageLike,
  isObject,
  isPlainObject,
  isReadableStream,
  isResponse,
  isTableLike,
  isTensorLike,
  isTypedArray,
  isUrl,
} from './capabilities.ts'
import { isDropped, isDroppedItems, isFileList, takeDropped } from './dropped.ts'
import { isFileSource } from './file-source.ts'
import { isDirectoryHandle, isFileHandle } from './handle.ts'
import { pictureOf } from './png/picture.ts'

// Shared through the global registry, so that a wrapper is recognised even when two copies of this package are loaded.
const brand = Symbol.for('tidemark.value')

export type WrapperName = 'table' | 'json' | 'arrays' | 'image' | 'text' | 'file' | 'folder' | 'glob'

export interface FileOptions {
  /** What the file is called when its source does not say, or should say otherwise. */
  readonly name?: string
  readonly mediaType?: string
}

export interface FolderOptions {
  /** Patterns in the syntax of `.gitignore`: what is left out, besides what a `.tidemarkignore` in the folder says. */
  readonly ignore?: string | readonly string[]
}

export interface GlobOptions extends FolderOptions {
  /** Where to look; the current folder when left out. A path, or a folder a browser handed over. */
  readonly folder?: unknown
}

interface Content {
  readonly wrapper: WrapperName
  readonly value: unknown
  readonly options: FileOptions & GlobOptions
}

/** A value together with what it is. Opaque: hand it to anything that takes a value. */
export interface Wrapped {
  readonly [brand]: Content
}

/**
 * Says that a value is a table: an array of records, an object of equally long columns, or a table of Arrow's family.
 *
 * @example
 * ```ts
 * await experiment.uploadArtifact('losses', table({ step: new Int32Array(9), loss: new Float64Array(9) }))
 * ```
 */
export function table(value: unknown): Wrapped {
  const expected = 'an array of records, an object of columns, or an Arrow table'
  if (Array.isArray(value)) {
    const odd = value.every(isTableLike) ? -1 : value.findIndex((row) => !isPlainObject(row))
    assertTaken(odd < 0, 'table', value[odd], expected, ` at [${odd}] of an array`)
  } else assertTaken(isPlainObject(value) || isTableLike(value), 'table', value, expected)
  return wrap('table', value)
}

/** Says that a value is stored as JSON, also when it looks like a table: numbers, text, booleans, null, arrays, objects, Date, Map, Set. */
export function json(value: unknown): Wrapped {
  const never = ['function', 'symbol', 'undefined'].includes(typeof value)
  assertTaken(!never, 'json', value, 'an object, an array, a string, a number, a boolean or null')
  return wrap('json', value)
}

/**
 * Says that a value is one array of numbers or a record of them: typed arrays, nested arrays, tensors `{ data, shape, dtype }`.
 *
 * @example
 * ```ts
 * await experiment.uploadArtifact('weights', arrays({ w: new Float32Array(9), b: [[1, 2], [3, 4]] }))
 * ```
 */
export function arrays(value: unknown): Wrapped {
  const scalar = ['number', 'bigint', 'boolean'].includes(typeof value)
  const one = scalar || Array.isArray(value) || isTypedArray(value) || isTensorLike(value)
  const accepted = one || isPlainObject(value) || value instanceof Map
  assertTaken(
    accepted,
    'arrays',
    value,
    'a typed array, a nested array of numbers, a tensor, or an object or Map of these',
  )
  return wrap('arrays', value)
}

/**
 * Says that a value is an image: ImageData, canvas, ImageBitmap, `<img>`, `<video>`, VideoFrame, `{ width, height, data }`, a tensor of 1, 3 or 4 channels, or PNG bytes. Of what
 * shows a picture, the picture of this moment is kept; a WebGL canvas has one in the frame in which it is drawn.
 */
export function image(given: unknown): Wrapped {
  const value = pictureOf(given)
  const accepted = isImageLike(value) || isTensorLike(value) || isBlob(value) || isBytes(value)
  assertTaken(
    accepted,
    'image',
    value,
    'ImageData, a canvas, an ImageBitmap, an <img>, { width, height, data }, a tensor, or the bytes of a PNG',
  )
  return wrap('image', value)
}

/** Says that a string is text, also when a file of that name exists. */
export function text(value: string): Wrapped {
  assertTaken(typeof value === 'string', 'text', value, 'a string')
  return wrap('text', value)
}

/**
 * Says that a value is a file, kept as it is: a path, a URL, a File or Blob, bytes, a stream, a Response, or an async iterable of bytes.
 *
 * @example
 * ```ts
 * await experiment.uploadArtifact('report', file(bytes, { name: 'report.pdf' }))
 * ```
 */
export function file(source: unknown, options: FileOptions = {}): Wrapped {
  const accepted =
    (typeof source === 'string' && source !== '') ||
    isBytes(source) ||
    isBlob(source) ||
    isUrl(source) ||
    isResponse(source) ||
    isReadableStream(source) ||
    isFileHandle(source) ||
    isFileSource(source) ||
    (isAsyncIterable(source) && !isDirectoryHandle(source))
  assertTaken(
    accepted,
    'file',
    source,
    'a path, a URL, a File, a Blob, bytes, a ReadableStream, a Response, or an async iterable of bytes',
  )
  checkOptions('file', options, ['name', 'mediaType'])
  for (const key of ['name', 'mediaType'] as const) {
    const value = options[key]
    assertTaken(
      value === undefined || (typeof value === 'string' && value !== ''),
      `file option '${key}'`,
      value,
      'a string',
    )
  }
  return wrap('file', source, options)
}

/**
 * Says that a value is a folder: a path, a `file:` URL, a `FileSystemDirectoryHandle`, a `FileList` or array of `File`, or dropped items.
 *
 * @example
 * ```ts
 * await experiment.uploadArtifact('photos', folder('./photos', { ignore: ['*.tmp', 'cache/'] }))
 * ```
 */
export function folder(source: unknown, options: FolderOptions = {}): Wrapped {
  checkOptions('folder', options, ['ignore'])
  checkIgnore('folder', options)
  return wrap('folder', checkFolder('folder', source), options)
}

/**
 * Says that a value is the files a pattern matches, or several patterns: `*` within a folder, `**` across folders, `?`, `[ab]`, `{a,b}`; a pattern
 * that begins with `!` takes out what it matches. Names that begin with a dot are matched only by a pattern that says the dot. Each pattern must match something.
 *
 * @example
 * ```ts
 * await experiment.uploadArtifact('jpegs', glob(['photos/*.jpg', 'photos/*.jpeg'], { ignore: 'thumbs/' }))
 * ```
 */
export function glob(pattern: string | readonly string[], options: GlobOptions = {}): Wrapped {
  const patterns: readonly unknown[] = Array.isArray(pattern) ? pattern : [pattern]
  const valid = patterns.length > 0 && patterns.every((p) => typeof p === 'string' && p !== '')
  assertTaken(valid, 'glob', pattern, "a pattern like 'photos/**/*.jpg', or several")
  checkOptions('glob', options, ['folder', 'ignore'])
  checkIgnore('glob', options)
  const where =
    options.folder === undefined ? options : { ...options, folder: checkFolder("glob option 'folder'", options.folder) }
  return wrap('glob', Object.freeze([...patterns]), where)
}

export function isWrapped(value: unknown): value is Wrapped {
  return isObject(value) && brand in value
}

/** What a wrapper holds: for those who encode it. */
export function unwrap(wrapped: Wrapped): Content {
  return wrapped[brand]
}

function wrap(wrapper: WrapperName, value: unknown, options: FileOptions & GlobOptions = {}): Wrapped {
  if (isWrapped(value)) {
    throw new InvalidInputError(
      `${wrapper}(...) was given a value that is wrapped already, by ${unwrap(value).wrapper}(...). Wrap it once.`,
      {
        code: 'wrapped-twice',
      },
    )
  }
  return Object.freeze({ [brand]: Object.freeze({ wrapper, value, options: Object.freeze({ ...options }) }) })
}

function checkFolder(what: string, source: unknown): unknown {
  // At once: a drop's items are gone when the event's handlers have returned.
  if (isDroppedItems(source)) return takeDropped(source)
  const path = typeof source === 'string' && source !== ''
  const accepted = path || isUrl(source) || isDirectoryHandle(source) || isFileList(source) || isDropped(source)
  assertTaken(
    accepted,
    what,
    source,
    'a path, a file: URL, a FileSystemDirectoryHandle, a FileList, an array of File, or dropped items',
  )
  return source
}

function checkIgnore(wrapper: WrapperName, { ignore }: FolderOptions): void {
  const patterns: readonly unknown[] = Array.isArray(ignore) ? ignore : [ignore ?? '']
  assertTaken(
    patterns.every((p) => typeof p === 'string'),
    `${wrapper} option 'ignore'`,
    ignore,
    'a pattern, or an array of patterns',
  )
}

function checkOptions(wrapper: WrapperName, options: object, known: readonly string[]): void {
  assertTaken(isPlainObject(options), `${wrapper} options`, options, `an object with ${known.join(', ')}`)
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown === undefined) return
  throw new InvalidInputError(`${wrapper}(...) has no option '${unknown}'. It has: ${known.join(', ')}.`, {
    code: 'unknown-option',
    fields: { option: unknown },
  })
}

function assertTaken(accepted: boolean, what: string, value: unknown, expected: string, place = ''): asserts accepted {
  if (accepted) return
  throw new InvalidInputError(`${what} was given ${describe(value)}${place}, and takes ${expected}.`, {
    code: 'unsupported-value',
    fields: { wrapper: what },
  })
}
