import { resolve } from 'node:path'
import { InvalidInputError, throwIfAborted } from '../errors.ts'
import { refuseHomePath } from '../platform/home-path.ts'
import { storeError } from './fs-errors.ts'
import { openFolder, type StoreFolder } from './fs-folder.ts'
import { type FsIo, hasCode, nodeIo } from './fs-io.ts'
import { listPage } from './fs-list.ts'
import { deleteValue, writeValue } from './fs-publish.ts'
import { noteDeleted, sweepFolder } from './fs-sweep.ts'
import { placeOf, readValue } from './fs-value.ts'
import { assertConditions, assertKey, assertListing, assertRange, type Store } from './store.ts'

export interface FsStoreOptions {
  /** The file system calls; tests replace them to make them fail. */
  readonly io?: FsIo
}

// Each verb holds three files at most (its own, its token, its folder): half of macOS's default limit of 256 descriptors.
const mostAtOnce = 40

/**
 * A store in a folder: for one machine, any number of processes, any runtime with `node:fs`.
 *
 * `put` has been synced to the disk when it resolves; a crash leaves the old value or the new one. Conditions hold between processes and need no lock file.
 * The folder is made by the first `put`; reading makes nothing. Modes follow the umask. Opening removes what crashes left aside an hour ago or earlier.
 *
 * @throws InvalidInputError `invalid-store-path`, `store-path-is-file`, `store-folder-not-empty` (other things and no `tidemark-store` file in it), `store-path-too-long`
 * @throws UnsupportedError `store-format-too-new`
 * @throws PermissionError `store-permission`, `store-read-only`
 * @throws UnavailableError `disk-full`, `too-many-open-files`, `store-io`, `store-busy`
 * @throws CorruptionError `store-damaged`, `store-has-link` (links inside are never followed)
 *
 * @example
 * ```ts
 * import { fsStore } from 'tidemark/stores/fs'
 *
 * const store = fsStore('.tidemark')
 * const { etag } = await store.put('counter', new Uint8Array([1]), { ifAbsent: true })
 * await store.put('counter', new Uint8Array([2]), { ifMatch: etag })
 * ```
 */
export function fsStore(path: string, options: FsStoreOptions = {}): Store {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new InvalidInputError(`Invalid store folder ${JSON.stringify(path)}: give a path.`, {
      code: 'invalid-store-path',
    })
  }
  refuseHomePath(path, 'invalid-store-path')
  const where = resolve(path)
  const io = options.io ?? nodeIo
  const underWay = new Set<Promise<unknown>>()
  const waiting: (() => void)[] = []
  let running = 0
  let closed = false
  let writing: Promise<StoreFolder> | undefined
  let reading: StoreFolder | undefined

  async function openToWrite(): Promise<StoreFolder> {
    const folder = await openFolder(where, io, true)
    if (!folder) throw new InvalidInputError(`No store at '${where}'.`, { code: 'invalid-store-path' })
    await sweepFolder(folder)
    return folder
  }

  function toWrite(): Promise<StoreFolder> {
    writing ??= openToWrite().then(
      (folder) => {
        reading = folder
        return folder
      },
      (error: unknown) => {
        // The next call tries again: the disk may have room then.
        writing = undefined
        throw error
      },
    )
    return writing
  }

  /** Somebody removed the whole folder while we had it open: begin anew, once. */
  async function evenIfRemoved<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task()
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
      writing = undefined
      return task()
    }
  }

  async function toRead(): Promise<StoreFolder | undefined> {
    reading ??= await openFolder(where, io, false)
    return reading
  }

  function run<T>(key: string | undefined, task: () => Promise<T>): Promise<T> {
    if (closed) throw new InvalidInputError(`The store '${where}' is closed.`, { code: 'store-closed' })
    const result = limited(task).catch((error: unknown) => {
      throw storeError(error, key === undefined ? { folder: where } : { folder: where, key })
    })
    const settled: Promise<void> = result.then(
      () => void underWay.delete(settled),
      () => void underWay.delete(settled),
    )
    underWay.add(settled)
    return result
  }

  async function limited<T>(task: () => Promise<T>): Promise<T> {
    if (running >= mostAtOnce) await new Promise<void>((go) => waiting.push(go))
    else running++
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }

  return {
    uri: where,

    async get(key, { range, signal } = {}) {
      assertKey(key)
      assertRange(range)
      throwIfAborted(signal)
      return run(key, async () => {
        throwIfAborted(signal)
        const folder = await toRead()
        const value = folder && (await readValue(folder, placeOf(folder, key), range))
        return value && { bytes: value.bytes, etag: value.etag, size: value.size }
      })
    },

    async put(key, bytes, conditions = {}) {
      assertKey(key)
      assertConditions(key, conditions)
      const mayGoOn = () => throwIfAborted(conditions.signal)
      mayGoOn()
      return run(key, () =>
        evenIfRemoved(async () => {
          mayGoOn()
          const folder = await toWrite()
          return { etag: await writeValue(folder, placeOf(folder, key), bytes, conditions, mayGoOn) }
        }),
      )
    },

    async delete(key, { signal } = {}) {
      assertKey(key)
      const mayGoOn = () => throwIfAborted(signal)
      mayGoOn()
      return run(key, async () => {
        mayGoOn()
        if (!(await toRead())) return
        const folder = await toWrite()
        const id = await deleteValue(folder, placeOf(folder, key), mayGoOn)
        if (id !== undefined) await noteDeleted(folder, id, key)
      })
    },

    async list(prefix, listing = {}) {
      const limit = assertListing(prefix, listing)
      throwIfAborted(listing.signal)
      return run(undefined, async () => {
        const folder = await toRead()
        return folder ? listPage(folder, prefix, limit, listing) : { entries: [] }
      })
    },

    async close() {
      closed = true
      await Promise.all(underWay)
    },
  }
}
