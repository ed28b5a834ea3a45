import { promisifyRequest } from 'idb-keyval'
import { InvalidInputError, isTidemarkError, throwIfAborted } from '../errors.ts'
import { Database } from './indexeddb-database.ts'
import { conflict, damage, databaseError } from './indexeddb-errors.ts'
import { Filing, type FilingOptions } from './indexeddb-filing.ts'
import { factsKey, keyOfFacts, listRange, pieceKey, pieceRange, pieceSize } from './indexeddb-keys.ts'
import { askToPersist } from './indexeddb-persist.ts'
import { asFacts, type Facts, joined, piecesOf, valued } from './indexeddb-values.ts'
import { type Change, Writes } from './indexeddb-writes.ts'
import {
  assertConditions,
  assertKey,
  assertListing,
  assertRange,
  type ByteRange,
  type ListEntry,
  type Store,
  type StoredValue,
} from './store.ts'

export interface DatabaseStoreOptions {
  /** Told once, at the first `put`, when the browser does not promise to keep what it stores. Default: nobody is. */
  readonly warn?: (message: string) => void
}

/** How a store that is known by a scheme keeps its values. */
export interface DatabaseStoreKind extends Pick<FilingOptions, 'filesFrom' | 'abandonedAfter'> {
  readonly scheme: 'indexeddb' | 'opfs'
}

/**
 * A store whose facts and small values lie in an IndexedDB database, and, as its kind says, large values in files of the private file system. Every kind reads
 * what any other wrote in the same database: the transaction that names a file is the moment from which it is seen.
 *
 * @throws InvalidInputError `invalid-store-name`
 */
export function openDatabaseStore(
  name: string,
  { warn: tell }: DatabaseStoreOptions,
  { scheme, ...kind }: DatabaseStoreKind,
): Store {
  if (typeof name !== 'string' || name === '')
    throw new InvalidInputError('A store in the browser needs the name of a database: a text that is not empty.', {
      code: 'invalid-store-name',
    })
  const database = new Database(name)
  const writes = new Writes(database)
  const underWay = new Set<Promise<unknown>>()
  let closed = false
  const filing = new Filing(database, {
    ...kind,
    refused: (reason) =>
      tell?.(
        `Files cannot be written here (${reason}), so the store '${scheme}:${name}' keeps large values in IndexedDB as well. That is slower; nothing is lost.`,
      ),
  })
  let written = false

  async function run<T>(key: string | undefined, task: () => Promise<T>): Promise<T> {
    if (closed) throw new InvalidInputError(`The store '${scheme}:${name}' is closed.`, { code: 'store-closed' })
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
    return writes.make({ key, size, apply, ...(signal && { signal }) })
  }

  function askOnce(): void {
    if (written) return
    written = true
    const warn = (reason: string) =>
      tell?.(
        `${reason}, so the browser may delete the database '${name}' when the disk runs short, and will when a private window is closed. Keep a copy of what matters.`,
      )
    askToPersist().then(
      (granted) => granted || warn('This site has no persistent storage'),
      (error: unknown) => warn(`Persistent storage could not be asked for (${error})`),
    )
  }

  /** Reads a value, or looks again when its file was replaced meanwhile. */
  async function read(key: string, range?: ByteRange): Promise<StoredValue | undefined> {
    for (let missed: unknown; ; ) {
      const found = await database.read(async (values) => {
        const [found, pieces] = await Promise.all([
          promisifyRequest<unknown>(values.get(factsKey(key))),
          piecesOf(values, key, range),
        ])
        return found === undefined ? undefined : { facts: asFacts(found, { name, key }), pieces }
      })
      if (!found) return undefined
      const { etag, size, file } = found.facts
      const { start = 0, end = size } = range ?? {}
      const length = Math.max(0, Math.min(end, size) - start)
      if (!file) {
        const bytes = joined(found.pieces, start % pieceSize, length)
        if (!bytes) throw damage({ name, key }, 'bytes are missing')
        return { bytes, etag, size }
      }
      const value = await filing.read(etag, size, Math.min(start, size), length).catch((error: unknown) => {
        // Replaced while it was read, perhaps: a second look tells.
        if (missed === etag) throw error
        return undefined
      })
      if (value) return { bytes: value, etag, size }
      if (missed === etag) throw damage({ name, key }, 'its file is missing or cut short')
      missed = etag
    }
  }

  /** What is known of a key, in the middle of a transaction. */
  async function factsOf(values: IDBObjectStore, key: string): Promise<Facts | undefined> {
    const found = await promisifyRequest<unknown>(values.get(factsKey(key)))
    return found === undefined ? undefined : asFacts(found, { name, key })
  }

  function forget(values: IDBObjectStore, key: string, { etag, file }: Facts): void {
    values.delete(pieceRange(key, key))
    if (file) filing.release(values, etag)
  }

  return {
    uri: `${scheme}:${name}`,

    async get(key, { range, signal } = {}) {
      assertKey(key)
      assertRange(range)
      throwIfAborted(signal)
      return run(key, () => read(key, range))
    },

    async put(key, bytes, { ifAbsent, ifMatch, signal } = {}) {
      assertKey(key)
      assertConditions(key, { ...(ifAbsent !== undefined && { ifAbsent }), ...(ifMatch !== undefined && { ifMatch }) })
      throwIfAborted(signal)
      askOnce()
      const given: Facts = { etag: newEtag(), size: bytes.length, modified: Date.now() }
      const refusal = (current: Facts | undefined) => {
        if (ifAbsent && current) return conflict({ name, key }, 'it exists already')
        if (ifMatch === undefined || current?.etag === ifMatch) return undefined
        return conflict({ name, key }, current ? 'somebody else changed it first' : 'it does not exist')
      }
      await run(key, async () => {
        if (!filing.wants(bytes.length)) return store(given)
        // Looked at before the file is written: packs that are there already are put often.
        const refused = refusal(await database.read((values) => factsOf(values, key)))
        if (refused) throw refused
        if (!(await filing.write(given.etag, bytes))) return store(given)
        try {
          await store({ ...given, file: true })
        } catch (error) {
          // Of another failure it is not known whether it came to be: the file is left, and swept when it does not count.
          if (isTidemarkError(error) || isFull(error)) await filing.remove(given.etag)
          throw error
        }
      })
      return { etag: given.etag }

      async function store(facts: Facts): Promise<void> {
        let replaced: Facts | undefined
        let condemned = false
        await change(key, facts.file ? 0 : bytes.length, signal, async (values) => {
          const current = await factsOf(values, key)
          // Made before the browser closed the database, and the answer was lost.
          if (current?.etag === facts.etag) return undefined
          const refused = refusal(current)
          if (refused) return refused
          condemned = facts.file === true && !(await filing.accept(values, facts.etag))
          if (condemned) return undefined
          replaced = current
          if (current) forget(values, key, current)
          // A piece is a copy: IndexedDB would keep the whole buffer behind a view.
          for (let at = 0; !facts.file && at < bytes.length; at += pieceSize)
            values.put(bytes.slice(at, at + pieceSize), pieceKey(key, at / pieceSize))
          values.put(facts, factsKey(key))
          return undefined
        })
        if (condemned) return store(given)
        if (replaced?.file) await filing.remove(replaced.etag)
      }
    },

    async delete(key, { signal } = {}) {
      assertKey(key)
      throwIfAborted(signal)
      await run(key, async () => {
        let gone: Facts | undefined
        await change(key, 0, signal, async (values) => {
          gone = await factsOf(values, key)
          values.delete(factsKey(key))
          if (gone) forget(values, key, gone)
          return undefined
        })
        if (gone?.file) await filing.remove(gone.etag)
      })
    },

    async list(prefix, { after, limit: wanted, values: withValues, signal } = {}) {
      const limit = assertListing(prefix, wanted === undefined ? {} : { limit: wanted })
      throwIfAborted(signal)
      return run(undefined, async () => {
        const page = await database.read(async (values) => {
          const range = listRange(prefix, after)
          if (!range) return { entries: [] }
          const [places, found] = await Promise.all([
            promisifyRequest(values.getAllKeys(range, limit + 1)),
            promisifyRequest<unknown[]>(values.getAll(range, limit + 1)),
          ])
          const entries = found.slice(0, limit).map((one, i) => {
            const key = keyOfFacts(places[i] ?? 0)
            if (key === undefined) throw damage({ name, key: prefix }, 'a key is not one of ours')
            return { key, ...asFacts(one, { name, key }) }
          })
          const last = entries.at(-1)
          const page = { entries: withValues ? await valued(values, name, entries) : entries }
          return last && found.length > limit ? { ...page, next: last.key } : page
        })
        const entries: ListEntry[] = []
        for (const { file, ...entry } of page.entries) {
          const value = file && withValues ? await read(entry.key) : entry
          // Deleted since.
          if (value) entries.push({ ...entry, ...value })
        }
        return { ...page, entries }
      })
    },

    async close() {
      closed = true
      await Promise.allSettled([...underWay])
      await filing.settled()
      await database.close()
    },
  }
}

function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError'
}

// 96 random bits: no two writes share one, in whatever tab, also after a deletion.
function newEtag(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
