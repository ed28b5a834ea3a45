import { ConflictError, InvalidInputError } from '../errors.ts'

/** Half-open byte range: `start` inclusive, `end` exclusive (to the end of the value when left out). Clamped to the value, never padded. */
export interface ByteRange {
  readonly start: number
  readonly end?: number
}

export interface StoredValue {
  /** The bytes asked for; the caller may keep them, and must not write to them. */
  readonly bytes: Uint8Array
  /** Opaque; changes whenever the value under this key is replaced, also by an equal value. */
  readonly etag: string
  /** Size in bytes of the whole value, whatever range was asked for. */
  readonly size: number
}

export interface PutOptions {
  /** Succeed only when the key is absent. */
  readonly ifAbsent?: boolean
  /** Succeed only when the key holds the value with this etag. */
  readonly ifMatch?: string
  readonly signal?: AbortSignal
}

export interface ListOptions {
  /** Return keys greater than this one. */
  readonly after?: string
  /** Keys in one page, 1 to 1000; default 1000. */
  readonly limit?: number
  /** Also return the values (for small records, never for packs). */
  readonly values?: boolean
  readonly signal?: AbortSignal
}

export interface ListEntry {
  readonly key: string
  readonly size: number
  readonly etag: string
  /** When the value was written, in milliseconds since 1970, by the store's clock. */
  readonly modified: number
  readonly bytes?: Uint8Array
}

export interface ListPage {
  /** In key order: by Unicode code point, which is the order of the UTF-8 bytes. */
  readonly entries: readonly ListEntry[]
  /** Pass as `after` for the next page; absent on the last page. */
  readonly next?: string
}

/**
 * The one seam for storage: an object store with conditional writes. Everything Tidemark keeps goes through these four verbs.
 *
 * - `put` is durable and visible to every reader when it resolves. A failed condition throws `ConflictError` with code `store-conflict`; the store
 *   is unchanged then. A reader sees the old value or the new one, never a mixture, whatever crashes. The value is not changed and not kept:
 *   the caller may reuse its buffer once `put` has resolved.
 * - `get` of an absent key is `undefined`. A range past the end gives the bytes there are, perhaps none.
 * - `delete` of an absent key succeeds.
 * - `list` pages through the keys that begin with `prefix`. A key present during the whole listing appears exactly once.
 *
 * Keys: see `assertKey`. Every implementation passes the suite in `test/conformance/store.ts`.
 */
export interface Store {
  /** Where it keeps things, for messages: never holds a secret. */
  readonly uri: string
  get(key: string, options?: { range?: ByteRange; signal?: AbortSignal }): Promise<StoredValue | undefined>
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<{ etag: string }>
  delete(key: string, options?: { signal?: AbortSignal }): Promise<void>
  list(prefix: string, options?: ListOptions): Promise<ListPage>
  close?(): Promise<void>
}

// S3, GCS and Azure agree on 1,024 bytes of UTF-8.
const longestKey = 1024

/**
 * Keys are 1 to 1024 bytes of UTF-8: segments joined by `/`, none of them empty, `.` or `..`, no control characters, no lone surrogates.
 *
 * @throws InvalidInputError `invalid-key`
 */
export function assertKey(key: string): void {
  const reason = whatIsWrong(key)
  if (reason)
    throw new InvalidInputError(`Invalid store key ${JSON.stringify(key)}: ${reason}.`, { code: 'invalid-key' })
}

/**
 * Checks what every `put` is asked: one condition at most, and an etag that can have come from a store.
 *
 * @throws InvalidInputError `invalid-condition`
 */
export function assertConditions(key: string, options: PutOptions): void {
  if (options.ifMatch === undefined || (options.ifMatch !== '' && !options.ifAbsent)) return
  const reason = options.ifMatch === '' ? 'ifMatch is empty' : 'ifAbsent and ifMatch exclude each other'
  throw new InvalidInputError(`Cannot write '${key}': ${reason}.`, { code: 'invalid-condition', fields: { key } })
}

/**
 * Checks that a range is whole numbers from 0 up. An end before the start, or a start past the end of the value, gives no bytes.
 *
 * @throws InvalidInputError `invalid-range`
 */
export function assertRange(range: ByteRange | undefined): void {
  if (!range) return
  const { start, end = start } = range
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= 0) return
  throw new InvalidInputError(`Invalid byte range ${start} to ${range.end}: give whole numbers from 0 up.`, {
    code: 'invalid-range',
  })
}

/**
 * Checks what every `list` is asked, and gives the limit. A prefix is the beginning of a key: it may be empty and may end anywhere; one that begins no
 * valid key lists nothing.
 *
 * @throws InvalidInputError `invalid-limit`
 */
export function assertListing(prefix: string, options: ListOptions): number {
  if (typeof prefix !== 'string') throw new InvalidInputError('A key prefix is a string.', { code: 'invalid-key' })
  const { limit = longestPage } = options
  if (Number.isInteger(limit) && limit >= 1 && limit <= longestPage) return limit
  throw new InvalidInputError(`Invalid limit ${limit}: a page holds 1 to ${longestPage} keys.`, {
    code: 'invalid-limit',
  })
}

/** What a `put` throws whose condition does not hold. `where`: what was written to, as in "the bucket". */
export function storeConflict(key: string, where: string, reason: string): ConflictError {
  return new ConflictError(`Could not write '${key}' in ${where}: ${reason}. Read it again and retry.`, {
    code: 'store-conflict',
    fields: { key },
  })
}

// S3's ListObjectsV2 and GCS's objects.list give at most this many.
const longestPage = 1000

const encoder = new TextEncoder()

function whatIsWrong(key: unknown): string | undefined {
  if (typeof key !== 'string') return 'not a string'
  if (key === '') return 'it is empty'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(key)) return 'it has a control character'
  if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(key))
    return 'it has half a surrogate pair'
  if (key.split('/').some((segment) => segment === '' || segment === '.' || segment === '..'))
    return 'it has an empty, "." or ".." segment'
  if (key.length > longestKey || encoder.encode(key).length > longestKey) return `it is longer than ${longestKey} bytes`
  return undefined
}
