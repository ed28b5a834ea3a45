import { throwIfAborted } from '../errors.ts'
import { compareKeys, sortKeys } from './key-order.ts'
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

interface Held {
  readonly bytes: Uint8Array
  readonly etag: string
  readonly modified: number
}

/**
 * A store that lives as long as this process: for tests, for examples, and for runtimes that keep nothing.
 *
 * @example
 * ```ts
 * import { memoryStore } from 'tidemark/stores/memory'
 *
 * const store = memoryStore()
 * await store.put('greeting', new TextEncoder().encode('hello'))
 * console.log((await store.get('greeting'))?.size) // 5
 * ```
 */
export function memoryStore(): Store {
  const held = new Map<string, Held>()
  // Sorted once per change of the key set, so that paging through many keys does not sort on every page.
  let sorted: string[] | undefined
  let writes = 0

  return {
    uri: 'memory:',

    async get(key, options = {}): Promise<StoredValue | undefined> {
      assertKey(key)
      assertRange(options.range)
      throwIfAborted(options.signal)
      const value = held.get(key)
      if (!value) return undefined
      const { bytes, etag } = value
      const { start = 0, end = bytes.length } = options.range ?? {}
      // A copy: what is held stays as it was written, whatever a reader does with its bytes.
      return { bytes: bytes.slice(start, Math.max(start, end)), etag, size: bytes.length }
    },

    async put(key, bytes, options = {}) {
      assertKey(key)
      assertConditions(key, options)
      throwIfAborted(options.signal)
      const current = held.get(key)
      if (options.ifAbsent && current) throw storeConflict(key, where, 'it exists already')
      if (options.ifMatch !== undefined && current?.etag !== options.ifMatch)
        throw storeConflict(key, where, current ? 'somebody else changed it first' : 'it does not exist')
      const etag = `m${++writes}`
      if (!current) sorted = undefined
      held.set(key, { bytes: new Uint8Array(bytes), etag, modified: Date.now() })
      return { etag }
    },

    async delete(key, options = {}) {
      assertKey(key)
      throwIfAborted(options.signal)
      if (held.delete(key)) sorted = undefined
    },

    async list(prefix, options = {}) {
      const limit = assertListing(prefix, options)
      throwIfAborted(options.signal)
      sorted ??= sortKeys(held.keys())
      const entries: ListEntry[] = []
      for (let i = firstAtLeast(sorted, prefix, options.after); i < sorted.length; i++) {
        const key = sorted[i]
        if (key === undefined || !key.startsWith(prefix)) break
        const value = held.get(key)
        if (!value) continue
        const last = entries.at(-1)
        if (last && entries.length === limit) return { entries, next: last.key }
        const { bytes, etag, modified } = value
        const entry = { key, size: bytes.length, etag, modified }
        entries.push(options.values ? { ...entry, bytes: bytes.slice() } : entry)
      }
      return { entries }
    },
  }
}

const where = 'the memory store'

/** Where the keys that begin with `prefix` and come after `after` begin. Keys with one prefix stand together in key order. */
function firstAtLeast(sorted: readonly string[], prefix: string, after = ''): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const key = sorted[middle] ?? ''
    if (compareKeys(key, prefix) < 0 || compareKeys(key, after) <= 0) low = middle + 1
    else high = middle
  }
  return low
}
