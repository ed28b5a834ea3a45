import { promisifyRequest } from 'idb-keyval'
import type { Database } from './indexeddb-database.ts'
import { fileKey, fileRange, keyOfFacts } from './indexeddb-keys.ts'
import type { Files } from './opfs-files.ts'

export interface FilingOptions {
  /** Values of this many bytes and more become files; default: none. */
  readonly filesFrom?: number
  /** Files that no value names and that are older than this, in milliseconds, were left by tabs that ended; default an hour. */
  readonly abandonedAfter?: number
  /** Told, once, when files cannot be written. */
  readonly refused: (reason: string) => void
}

// Nobody is that long between a file and its record, unless asleep; who wakes up later finds the file condemned, and stores the value in pieces.
const hour = 60 * 60 * 1000

// What stands in the database for a file that counts; for a condemned one, the time of that.
const counts = 0

// As long nobody sleeps in the middle of a write.
const forgottenAfter = 30 * 24 * hour

/**
 * Large values as files, and the records in the database that make them count. A value's transaction makes its file count (`accept`), and ends that (`release`);
 * a file without such a record was left by somebody who ended in the middle. The sweep condemns it in a transaction before it removes it: from then on no
 * transaction accepts it, however late it comes.
 */
export class Filing {
  readonly #database: Database
  #files: Files | undefined
  readonly #from: number
  readonly #abandonedAfter: number
  readonly #refused: (reason: string) => void
  // By design nowhere else: files can only be flushed there.
  #able = 'DedicatedWorkerGlobalScope' in globalThis
  #swept: Promise<void> | undefined

  constructor(database: Database, { filesFrom, abandonedAfter = hour, refused }: FilingOptions) {
    this.#database = database
    this.#from = filesFrom ?? Number.POSITIVE_INFINITY
    this.#abandonedAfter = abandonedAfter
    this.#refused = refused
  }

  /** True when a value of this size is to be a file. */
  wants(size: number): boolean {
    return this.#able && size >= this.#from
  }

  /** Writes a value as a file, which does not count yet; false where that cannot be done. */
  async write(name: string, bytes: Uint8Array): Promise<boolean> {
    const files = await this.#open()
    if (await files.write(name, bytes)) {
      this.#swept ??= this.#sweep(files)
      return true
    }
    if (this.#able) this.#refused(files.refused)
    this.#able = false
    return false
  }

  /** Has a file count from the end of this transaction on; false when it was condemned. */
  async accept(values: IDBObjectStore, name: string): Promise<boolean> {
    const key = fileKey(name)
    const found = await promisifyRequest<unknown>(values.get(key))
    if (found !== undefined && found !== counts) return false
    values.put(counts, key)
    return true
  }

  /** Has a file not count any more from the end of this transaction on. */
  release(values: IDBObjectStore, name: string): void {
    values.delete(fileKey(name))
  }

  /** The bytes of a file; `undefined` when it is gone or shorter than it should be. */
  async read(name: string, size: number, start: number, length: number): Promise<Uint8Array | undefined> {
    const files = await this.#open()
    const found = await files.read(name, start, start + length)
    return found?.size === size && found.bytes.length === length ? found.bytes : undefined
  }

  /** Removes a file that does not count. */
  async remove(name: string): Promise<void> {
    const files = await this.#open()
    await files.remove(name)
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#swept
  }

  // Most pages never meet a file: what handles them comes with the first one.
  async #open(): Promise<Files> {
    const { Files } = await import('./opfs-files.ts')
    this.#files ??= new Files(this.#database.name)
    return this.#files
  }

  async #sweep(files: Files, now = Date.now()): Promise<void> {
    try {
      const old = await files.olderThan(now - this.#abandonedAfter)
      const condemned = await this.#database.write(async (values) => {
        const [keys, found] = await Promise.all([
          promisifyRequest(values.getAllKeys(fileRange())),
          promisifyRequest<unknown[]>(values.getAll(fileRange())),
        ])
        const known = new Map(keys.map((key, i) => [keyOfFacts(key), { key, since: found[i] }]))
        const condemned = old.filter((name) => known.get(name)?.since !== counts)
        for (const name of condemned) if (!known.has(name)) values.put(now, fileKey(name))
        for (const { key, since } of known.values())
          if (typeof since === 'number' && since !== counts && since < now - forgottenAfter) values.delete(key)
        return condemned
      })
      for (const name of condemned) await files.remove(name)
    } catch {
      // What was left stays left until the next store is opened: a put must not fail for the litter of others.
      this.#swept = undefined
    }
  }
}
