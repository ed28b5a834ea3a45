import { promisifyRequest } from 'idb-keyval'
import { InvalidInputError, throwIfAborted } from '../errors.ts'
import { Database } from './indexeddb-database.ts'
import { conflict, damage, databaseError } from './indexeddb-errors.ts'
import { factsKey, keyOfFacts, listRange, pieceKey, pieceRange, pieceSize } from './indexeddb-keys.ts'
import { askToPersist } from './indexeddb-persist.ts'
import { type Change, Writes } from './indexeddb-writes.ts'
import { assertConditions, assertKey, assertListing, assertRange, type ByteRange, type Store } from './store.ts'

export interface IndexedDbStoreOptions {
  /** Told once, at the first `put`, when the browser does not promise to keep what it stores. Default: nobody is. */
  readonly warn?: (message: string) => void
}

interface Facts {
  readonly etag: string
  readonly size: number
  readonly modified: number
}

/**
 * A store in the browser, in an IndexedDB database of this site: for pages and all kinds of workers, any number of tabs at once.
 *
 * `put` is on the disk when it resolves. Conditions hold between tabs. A database that is deleted or closed during use is opened again. With the first `put`
 * the browser is asked, once a page, to keep the data (`navigator.storage.persist()`); where it does not promise that, it may delete all of it when the disk
 * runs short, and does so when a private window is closed: `warn` says so.
 *
 * @throws InvalidInputError `invalid-store-name`, `store-database-foreign` (a database of that name is something else's), `store-closed`
 * @throws UnsupportedError `no-indexeddb`, `store-format-too-new`
 * @throws PermissionError `store-permission` (the browser refuses storage to this page)
 * @throws UnavailableError `disk-full` (nothing is changed then), `store-blocked`, `store-io`
 * @throws CorruptionError `store-damaged`
 *
 * @example
 * ```ts
 * import { connect } from 'tidemark'
 * import { indexedDbStore } from 'tidemark/stores/indexeddb'
 *
 * const tidemark = await connect({ store: indexedDbStore('flowers') })
 * await tidemark.close()
 * ```
 */
export function indexedDbStore(name = 'tidemark', options: IndexedDbStoreOptions = {}): Store {
  if (typeof name !== 'string' || name === '')
    throw new InvalidInputError('An IndexedDB store needs the name of a database: a text that is not empty.', {
      code: 'invalid-store-name',
    })
  const database = new Database(name)
  const writes = new Writes(database)
  const underWay = new Set<Promise<unknown>>()
  let closed = false
  let written = false

  async function run<T>(key: string | undefined, task: () => Promise<T>): Promise<T> {
    if (closed) throw new InvalidInputError(`The store 'indexeddb:${name}' is closed.`, { code: 'store-closed' })
    const result = task().catch((error: unknown) => {
      throw databaseError(error, key === undefined ? { name } : { name, key })
    })
    underWay.add(result)
    try {
      return await result
    } finally {
      underWay.delete(result)
    }
  }

  function change(key: string, size: number, signal: AbortSignal | undefined, apply: Change['apply']): Promise<void> {
    return run(key, () => writes.make({ key, size, apply, ...(signal && { signal }) }))
  }

  function askOnce(): void {
    if (written) return
    written = true
    const warn = (reason: string) =>
      options.warn?.(
        `${reason}, so the browser may delete the database '${name}' when the disk runs short, and will when a private window is closed. Keep a copy of what matters.`,
      )
    askToPersist().then(
      (granted) => granted || warn('This site has no persistent storage'),
      (error: unknown) => warn(`Persistent storage could not be asked for (${error})`),
    )
  }

  return {
    uri: `indexeddb:${name}`,

    async get(key, { range, signal } = {}) {
      assertKey(key)
      assertRange(range)
      throwIfAborted(signal)
      return run(key, () =>
        database.read(async (values) => {
          const [found, pieces] = await Promise.all([
            promisifyRequest<unknown>(values.get(factsKey(key))),
            piecesOf(values, key, range),
          ])
          if (found === undefined) return undefined
          const { etag, size } = asFacts(found, name, key)
          const { start = 0, end = size } = range ?? {}
          const first = Math.floor(start / pieceSize) * pieceSize
          const bytes = joined(pieces, start - first, Math.max(0, Math.min(end, size) - start))
          if (!bytes) throw damage({ name, key }, 'bytes are missing')
          return { bytes, etag, size }
        }),
      )
    },

    async put(key, bytes, { ifAbsent, ifMatch, signal } = {}) {
      assertKey(key)
      assertConditions(key, { ...(ifAbsent !== undefined && { ifAbsent }), ...(ifMatch !== undefined && { ifMatch }) })
      throwIfAborted(signal)
      askOnce()
      const facts: Facts = { etag: newEtag(), size: bytes.length, modified: Date.now() }
      await change(key, bytes.length, signal, async (values) => {
        const found = await promisifyRequest<unknown>(values.get(factsKey(key)))
        const current = found === undefined ? undefined : asFacts(found, name, key)
        // Made before the browser closed the database, and the answer was lost.
        if (current?.etag === facts.etag) return undefined
        if (ifAbsent && current) return conflict({ name, key }, 'it exists already')
        if (ifMatch !== undefined && current?.etag !== ifMatch)
          return conflict({ name, key }, current ? 'somebody else changed it first' : 'it does not exist')
        if (current) values.delete(pieceRange(key, key))
        // A piece is a copy: IndexedDB would keep the whole buffer behind a view.
        for (let at = 0; at < bytes.length; at += pieceSize)
          values.put(bytes.slice(at, at + pieceSize), pieceKey(key, at / pieceSize))
        values.put(facts, factsKey(key))
        return undefined
      })
      return { etag: facts.etag }
    },

    async delete(key, { signal } = {}) {
      assertKey(key)
      throwIfAborted(signal)
      await change(key, 0, signal, async (values) => {
        values.delete(factsKey(key))
        values.delete(pieceRange(key, key))
        return undefined
      })
    },

    async list(prefix, { after, limit: wanted, values: withValues, signal } = {}) {
      const limit = assertListing(prefix, wanted === undefined ? {} : { limit: wanted })
      throwIfAborted(signal)
      return run(undefined, () =>
        database.read(async (values) => {
          const range = listRange(prefix, after)
          if (!range) return { entries: [] }
          const [places, found] = await Promise.all([
            promisifyRequest(values.getAllKeys(range, limit + 1)),
            promisifyRequest<unknown[]>(values.getAll(range, limit + 1)),
          ])
          const entries = found.slice(0, limit).map((one, i) => {
            const key = keyOfFacts(places[i] ?? 0)
            if (key === undefined) throw damage({ name, key: prefix }, 'a key is not one of ours')
            const { etag, size, modified } = asFacts(one, name, key)
            return { key, size, etag, modified }
          })
          const last = entries.at(-1)
          const page = { entries: withValues ? await valued(values, name, entries) : entries }
          return last && found.length > limit ? { ...page, next: last.key } : page
        }),
      )
    },

    async close() {
      closed = true
      await Promise.allSettled([...underWay])
      await database.close()
    },
  }
}

async function piecesOf(values: IDBObjectStore, key: string, range: ByteRange | undefined): Promise<unknown[]> {
  const { start, end = Number.MAX_SAFE_INTEGER } = range ?? { start: 0 }
  if (end <= start) return []
  return promisifyRequest(
    values.getAll(pieceRange(key, key, Math.floor(start / pieceSize), Math.floor((end - 1) / pieceSize))),
  )
}

/** A page of entries with their values: one request for all, since pieces lie in the order of their keys. */
async function valued<T extends { key: string; size: number }>(
  values: IDBObjectStore,
  name: string,
  entries: readonly T[],
): Promise<(T & { bytes: Uint8Array })[]> {
  const [first, last] = [entries[0], entries.at(-1)]
  if (!first || !last) return []
  const pieces = await promisifyRequest<unknown[]>(values.getAll(pieceRange(first.key, last.key)))
  let at = 0
  return entries.map((entry) => {
    const count = Math.ceil(entry.size / pieceSize)
    const bytes = joined(pieces.slice(at, at + count), 0, entry.size)
    at += count
    if (!bytes) throw damage({ name, key: entry.key }, 'bytes are missing')
    return { ...entry, bytes }
  })
}

/** `length` bytes from `start` of what the pieces are together; `undefined` when there are not as many. */
function joined(pieces: readonly unknown[], start: number, length: number): Uint8Array | undefined {
  const [only] = pieces
  if (pieces.length === 1 && only instanceof Uint8Array && only.length >= start + length)
    return only.slice(start, start + length)
  const bytes = new Uint8Array(length)
  let at = -start
  for (const piece of pieces) {
    if (!(piece instanceof Uint8Array)) return undefined
    const part = piece.subarray(Math.max(0, -at), Math.max(0, length - at))
    bytes.set(part, Math.max(0, at))
    at += piece.length
  }
  return at >= length || length === 0 ? bytes : undefined
}

function asFacts(found: unknown, name: string, key: string): Facts {
  if (isFacts(found)) return found
  throw damage({ name, key }, 'its size and etag are missing')
}

function isFacts(found: unknown): found is Facts {
  if (typeof found !== 'object' || found === null) return false
  const { etag, size, modified }: Partial<Record<keyof Facts, unknown>> = found
  return typeof etag === 'string' && Number.isSafeInteger(size) && typeof modified === 'number'
}

// 96 random bits: no two writes share one, in whatever tab, also after a deletion.
function newEtag(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
