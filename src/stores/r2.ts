import { CorruptionError, isTidemarkError, throwIfAborted, UnavailableError } from '../errors.ts'
import {
  assertConditions,
  assertKey,
  assertListing,
  assertRange,
  type ListEntry,
  type Store,
  type StoredValue,
  storeConflict,
} from './store.ts'

/** The part of an R2 bucket binding that is used; `env.BUCKET` of a Worker is one. */
export interface R2BucketBinding {
  head(key: string): Promise<R2ObjectLike | null>
  get(key: string, options?: { range?: { offset: number; length?: number } }): Promise<R2BodyLike | null>
  put(
    key: string,
    value: Uint8Array,
    options?: { onlyIf?: Headers | { etagMatches: string } },
  ): Promise<R2ObjectLike | null>
  delete(key: string): Promise<void>
  list(options: {
    prefix: string
    startAfter?: string
    limit: number
  }): Promise<{ objects: R2ObjectLike[]; truncated: boolean }>
}

export interface R2ObjectLike {
  readonly key: string
  readonly etag: string
  readonly size: number
  readonly uploaded: Date
}

export interface R2BodyLike extends R2ObjectLike {
  arrayBuffer(): Promise<ArrayBuffer>
}

/**
 * R2 names a value by its MD5, so an equal value that was put again would have its old etag, and a writer would not learn that somebody else has written. Each value
 * ends with this many random bytes of its own; they are not part of what is read.
 */
const markSize = 16

/** A value may be replaced between two questions about it; asked again this often before it is an error. */
const attempts = 20

/**
 * A store in an R2 bucket, for Cloudflare Workers. Strongly consistent; conditions are R2's own. R2 takes one write of a key each second: fit for packs; for records
 * that change often there is `d1Store`.
 *
 * @throws UnavailableError `store-io`: R2 could not do what was asked; CorruptionError `store-damaged`: an object that no store of ours has put
 * @example
 * ```ts
 * import { createBackend } from 'tidemark/backend'
 * import { type R2BucketBinding, r2Store } from 'tidemark/stores/r2'
 *
 * export default {
 *   fetch(request: Request, env: { BUCKET: R2BucketBinding }) {
 *     const store = r2Store(env.BUCKET)
 *     return createBackend({ records: store, blobs: store }).fetch(request)
 *   },
 * }
 * ```
 */
export function r2Store(bucket: R2BucketBinding): Store {
  async function read(key: string, range: { start: number; end: number }): Promise<StoredValue | undefined> {
    // R2 refuses an empty range, and one that begins past the end.
    const object =
      range.end <= range.start
        ? await bucket.head(key)
        : await bucket.get(key, { range: { offset: range.start, length: range.end - range.start } }).catch((error) => {
            if (!isPastTheEnd(error)) throw error
            return bucket.head(key)
          })
    if (!object) return undefined
    const size = sizeOf(object)
    const bytes = hasBody(object) && range.start < size ? new Uint8Array(await object.arrayBuffer()) : none
    return { bytes: bytes.subarray(0, Math.max(0, size - range.start)), etag: object.etag, size }
  }

  async function get(key: string, { start = 0, end = Number.MAX_SAFE_INTEGER } = {}): Promise<StoredValue | undefined> {
    for (let left = attempts; ; left--) {
      try {
        return await read(key, { start, end })
      } catch (error) {
        if (isTidemarkError(error) || left <= 1) throw failed(key, error)
      }
    }
  }

  return {
    uri: 'r2:',

    async get(key, { range, signal } = {}) {
      assertKey(key)
      assertRange(range)
      throwIfAborted(signal)
      return get(key, range)
    },

    async put(key, bytes, options = {}) {
      assertKey(key)
      assertConditions(key, options)
      throwIfAborted(options.signal)
      const { ifAbsent, ifMatch } = options
      const marked = new Uint8Array(bytes.length + markSize)
      marked.set(bytes)
      crypto.getRandomValues(marked.subarray(bytes.length))
      const onlyIf = ifAbsent ? new Headers({ 'if-none-match': '*' }) : ifMatch && { etagMatches: ifMatch }
      const put = await told(key, () => bucket.put(key, marked, onlyIf ? { onlyIf } : {}))
      if (put) return { etag: put.etag }
      const reason = ifAbsent ? 'it exists already' : 'somebody else changed or deleted it first'
      throw storeConflict(key, 'the bucket', reason)
    },

    async delete(key, { signal } = {}) {
      assertKey(key)
      throwIfAborted(signal)
      await told(key, () => bucket.delete(key))
    },

    async list(prefix, options = {}) {
      const limit = assertListing(prefix, options)
      throwIfAborted(options.signal)
      const { after } = options
      const asked = { prefix, limit, ...(after !== undefined && { startAfter: after }) }
      const { objects, truncated } = await told(prefix, () => bucket.list(asked))
      const listed = objects.map(
        (object): ListEntry => ({
          key: object.key,
          size: sizeOf(object),
          etag: object.etag,
          modified: object.uploaded.getTime(),
        }),
      )
      const last = listed.at(-1)
      const entries = options.values ? await withValues(listed) : listed
      return { entries, ...(truncated && last && { next: last.key }) }
    },
  }

  async function withValues(listed: readonly ListEntry[]): Promise<ListEntry[]> {
    const entries: ListEntry[] = []
    // A Worker may have six connections open at once.
    for (let at = 0; at < listed.length; at += 6) {
      const some = listed.slice(at, at + 6)
      const values = await Promise.all(some.map(({ key }) => get(key)))
      // One that has been deleted since is not there any more.
      for (const [i, value] of values.entries()) if (value) entries.push({ ...some[i], ...value })
    }
    return entries
  }
}

const none = new Uint8Array(0)

function hasBody(object: R2ObjectLike): object is R2BodyLike {
  return 'arrayBuffer' in object
}

function sizeOf({ key, size }: R2ObjectLike): number {
  if (size >= markSize) return size - markSize
  throw new CorruptionError(`'${key}' in the bucket is not of this store. Give the store a bucket of its own.`, {
    code: 'store-damaged',
    fields: { key },
  })
}

async function told<Result>(key: string, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (error) {
    throw failed(key, error)
  }
}

function failed(key: string, cause: unknown): Error {
  if (isTidemarkError(cause)) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new UnavailableError(`R2 could not do what was asked about '${key}': ${reason} Try again.`, {
    code: 'store-io',
    fields: { key },
    cause,
  })
}

/** R2's error 10039, InvalidRange. */
function isPastTheEnd(error: unknown): boolean {
  return error instanceof Error && error.message.includes('10039')
}
