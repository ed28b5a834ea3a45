import { isTidemarkError, throwIfAborted, UnavailableError } from '../errors.ts'
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

/** The part of a D1 database binding that is used; `env.DB` of a Worker is one. */
export interface D1Binding {
  prepare(sql: string): D1StatementLike
  batch(statements: D1StatementLike[]): Promise<{ results: Record<string, unknown>[]; meta: { changes?: number } }[]>
}

export interface D1StatementLike {
  bind(...values: unknown[]): D1StatementLike
}

/** D1 takes values of 2,000,000 bytes at most, and so many in one statement; a larger value is stored in parts. */
const partSize = 1_000_000

const tables = [
  'CREATE TABLE IF NOT EXISTS tidemark_values (key TEXT PRIMARY KEY, etag TEXT NOT NULL, size INTEGER NOT NULL, modified INTEGER NOT NULL) WITHOUT ROWID',
  'CREATE TABLE IF NOT EXISTS tidemark_parts (key TEXT NOT NULL, part INTEGER NOT NULL, etag TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (key, part, etag))',
]

/**
 * A store in a D1 database, for the records of a Worker's backend: small values that change under conditions. Every write is one transaction. It makes its two tables,
 * `tidemark_values` and `tidemark_parts`, when they are not there.
 *
 * @throws UnavailableError `store-io`: D1 could not do what was asked
 * @example
 * ```ts
 * import { createBackend } from 'tidemark/backend'
 * import { type D1Binding, d1Store } from 'tidemark/stores/d1'
 * import { type R2BucketBinding, r2Store } from 'tidemark/stores/r2'
 *
 * export default {
 *   fetch(request: Request, env: { DB: D1Binding; BUCKET: R2BucketBinding }) {
 *     return createBackend({ records: d1Store(env.DB), blobs: r2Store(env.BUCKET) }).fetch(request)
 *   },
 * }
 * ```
 */
export function d1Store(database: D1Binding): Store {
  let made: Promise<unknown> | undefined

  async function ask(...statements: [sql: string, ...values: unknown[]][]) {
    try {
      made ??= database.batch(tables.map((sql) => database.prepare(sql)))
      await made
      return await database.batch(statements.map(([sql, ...values]) => database.prepare(sql).bind(...values)))
    } catch (cause) {
      if (isTidemarkError(cause)) throw cause
      made = undefined
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new UnavailableError(`D1 could not do what was asked: ${reason} Try again.`, { code: 'store-io', cause })
    }
  }

  return {
    uri: 'd1:',

    async get(key, { range, signal } = {}): Promise<StoredValue | undefined> {
      assertKey(key)
      assertRange(range)
      throwIfAborted(signal)
      const { start = 0, end = Number.MAX_SAFE_INTEGER } = range ?? {}
      const [{ results: found }, { results: parts }] = await ask(
        ['SELECT etag, size FROM tidemark_values WHERE key = ?', key],
        [
          'SELECT p.part, p.bytes FROM tidemark_parts p JOIN tidemark_values v ON v.key = p.key AND v.etag = p.etag WHERE p.key = ? AND p.part BETWEEN ? AND ? ORDER BY p.part',
          key,
          Math.floor(start / partSize),
          Math.floor(Math.max(0, Math.max(start, end) - 1) / partSize),
        ],
      )
      const [value] = found
      if (!value) return undefined
      const size = numberIn(value, 'size')
      const bytes = joined(parts, Math.min(start, size), Math.max(Math.min(start, size), Math.min(end, size)))
      return { bytes, etag: textIn(value, 'etag'), size }
    },

    async put(key, bytes, options = {}) {
      assertKey(key)
      assertConditions(key, options)
      throwIfAborted(options.signal)
      const { ifAbsent, ifMatch } = options
      const etag = crypto.randomUUID()
      const row = [key, etag, bytes.length, Date.now()]
      const insert = 'INSERT INTO tidemark_values (key, etag, size, modified) VALUES (?1, ?2, ?3, ?4)'
      const [{ meta }] = await ask(
        ifMatch !== undefined
          ? [
              'UPDATE tidemark_values SET etag = ?2, size = ?3, modified = ?4 WHERE key = ?1 AND etag = ?5',
              ...row,
              ifMatch,
            ]
          : ifAbsent
            ? [`${insert} ON CONFLICT DO NOTHING`, ...row]
            : [`${insert} ON CONFLICT (key) DO UPDATE SET etag = ?2, size = ?3, modified = ?4`, ...row],
        // Only when the value is ours now; then what it replaced goes.
        ...partsOf(bytes).map((part, at): [string, ...unknown[]] => [
          'INSERT INTO tidemark_parts (key, part, etag, bytes) SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM tidemark_values WHERE key = ?1 AND etag = ?3)',
          key,
          at,
          etag,
          part,
        ]),
        [
          'DELETE FROM tidemark_parts WHERE key = ?1 AND etag <> (SELECT etag FROM tidemark_values WHERE key = ?1)',
          key,
        ],
      )
      if (meta.changes !== 0) return { etag }
      const reason = ifAbsent ? 'it exists already' : 'somebody else changed or deleted it first'
      throw storeConflict(key, 'the database', reason)
    },

    async delete(key, { signal } = {}) {
      assertKey(key)
      throwIfAborted(signal)
      await ask(['DELETE FROM tidemark_values WHERE key = ?', key], ['DELETE FROM tidemark_parts WHERE key = ?', key])
    },

    async list(prefix, options = {}) {
      const limit = assertListing(prefix, options)
      throwIfAborted(options.signal)
      // UTF-8 has no bytes for half of a surrogate pair: no key begins so.
      if (/\p{Surrogate}/u.test(prefix)) return { entries: [] }
      // Keys with one prefix stand together; SQLite orders text by its UTF-8 bytes.
      const from = [options.after ?? '', prefix, beyond(prefix), limit + 1]
      const chosen = 'SELECT * FROM tidemark_values WHERE key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?'
      const [{ results }, parts] = await ask(
        [chosen, ...from],
        ...(options.values
          ? [
              [
                `SELECT p.key, p.bytes FROM tidemark_parts p JOIN (${chosen}) v ON v.key = p.key AND v.etag = p.etag ORDER BY p.key, p.part`,
                ...from,
              ] satisfies [string, ...unknown[]],
            ]
          : []),
      )
      const entries = results.slice(0, limit).map((row): ListEntry => {
        const [key, size] = [textIn(row, 'key'), numberIn(row, 'size')]
        const entry = { key, size, etag: textIn(row, 'etag'), modified: numberIn(row, 'modified') }
        if (!options.values) return entry
        return {
          ...entry,
          bytes: joined(
            parts.results.filter((part) => part.key === key),
            0,
            size,
          ),
        }
      })
      const last = entries.at(-1)
      return { entries, ...(results.length > limit && last && { next: last.key }) }
    },
  }
}

function partsOf(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  // A copy of its own: the binding may take the whole buffer of a view.
  for (let at = 0; at < bytes.length; at += partSize) parts.push(bytes.slice(at, at + partSize))
  return parts
}

/** The bytes from `start` to `end` of a value, of which the parts that hold them are given. */
function joined(parts: readonly Record<string, unknown>[], start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - start)
  let at = Math.floor(start / partSize) * partSize
  for (const { bytes: part } of parts) {
    const held = bytesOf(part)
    const from = Math.max(0, start - at)
    const piece = held.subarray(from, Math.max(from, Math.min(held.length, end - at)))
    bytes.set(piece, Math.max(0, at - start))
    at += held.length
  }
  return bytes
}

/** D1 gives a BLOB as an array of numbers. */
function bytesOf(value: unknown): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  return Array.isArray(value) ? Uint8Array.from(value) : none
}

const none = new Uint8Array(0)

const lastCharacter = 0x10ffff

/** The least key that comes after all that begin with `prefix`; without one, a blob: SQLite puts every blob behind every text. */
function beyond(prefix: string): string | Uint8Array {
  const characters = [...prefix]
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const code = last.codePointAt(0) ?? 0
    // Surrogates are no characters.
    if (code < lastCharacter) return characters.join('') + String.fromCodePoint(code === 0xd7ff ? 0xe000 : code + 1)
  }
  return Uint8Array.of(0)
}

function textIn(row: Record<string, unknown>, name: string): string {
  return String(row[name])
}

function numberIn(row: Record<string, unknown>, name: string): number {
  return Number(row[name])
}
