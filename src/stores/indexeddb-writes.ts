import { throwIfAborted } from '../errors.ts'
import type { Database } from './indexeddb-database.ts'

/** One change of one key. */
export interface Change {
  readonly key: string
  /** Bytes it writes. */
  readonly size: number
  readonly signal?: AbortSignal
  /** Makes the change, or gives the error that says why not: that is no failure of the transaction. */
  apply(values: IDBObjectStore): Promise<Error | undefined>
}

interface Waiting {
  readonly change: Change
  readonly done: (error?: unknown) => void
}

// A transaction that is on the disk when it ends costs 3.6 ms; with 8 changes 0.38 ms for each, with 64 0.27 (Chromium 156).
const mostChanges = 64
// The browser holds all that a transaction writes: two packs.
const mostBytes = 16 * 1024 * 1024

/** Changes that wait for the same disk go there in one transaction; each succeeds or fails for itself. */
export class Writes {
  readonly #database: Database
  #waiting: Waiting[] = []
  #running = false

  constructor(database: Database) {
    this.#database = database
  }

  /** Resolves when the change is on the disk. */
  make(change: Change): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, done: (error) => (error === undefined ? resolve() : reject(error)) })
      if (!this.#running) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) await this.#commit(this.#nextGroup())
    this.#running = false
  }

  /** Those that waited longest. No key twice: a change must see the one before, whether that came to be or not. */
  #nextGroup(): Waiting[] {
    const keys = new Set<string>()
    let bytes = 0
    const stop = this.#waiting.findIndex(({ change: { key, size } }, at) => {
      bytes += size
      const full = at > 0 && (at === mostChanges || bytes > mostBytes || keys.has(key))
      keys.add(key)
      return full
    })
    return this.#waiting.splice(0, stop === -1 ? this.#waiting.length : stop)
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    let verdicts: (Error | undefined)[]
    try {
      verdicts = await this.#database.write((values) => Promise.all(group.map(({ change }) => attempt(change, values))))
    } catch (error) {
      if (group.length === 1) group[0]?.done(error)
      // One of them was too much for the disk, perhaps: the others shall not pay for it.
      else for (const one of group) await this.#commit([one])
      return
    }
    for (const [i, { done }] of group.entries()) done(verdicts[i])
  }
}

async function attempt(change: Change, values: IDBObjectStore): Promise<Error | undefined> {
  try {
    throwIfAborted(change.signal)
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  return change.apply(values)
}
