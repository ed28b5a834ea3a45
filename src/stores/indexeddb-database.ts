import { createStore, promisifyRequest } from 'idb-keyval'
import { blocked, foreign, isLostConnection, missing } from './indexeddb-errors.ts'

/** The object store that holds everything; its name is the version of the form. */
const form = 'tidemark-1'

// Opening takes a few milliseconds; behind a deletion that another tab holds up, for ever.
const patience = 10_000

/** One database: opened when first used, and again when the browser or another tab has closed it. */
export class Database {
  readonly name: string
  #opening: Promise<Connection> | undefined

  constructor(name: string) {
    this.name = name
  }

  /** Reads in a transaction of its own: what `task` sees is one moment. */
  read<T>(task: (values: IDBObjectStore) => Promise<T>): Promise<T> {
    return this.#evenIfClosed((db) => task(db.transaction(form, 'readonly').objectStore(form)))
  }

  /**
   * Writes in one transaction, which is on the disk when this resolves. A failure, of the disk or of `task`, changes nothing. When the browser closes the
   * database meanwhile, the task runs again in a new one: it must do no harm when it has happened already.
   */
  write<T>(task: (values: IDBObjectStore) => Promise<T>): Promise<T> {
    return this.#evenIfClosed(async (db) => {
      // The default of browsers is `relaxed`: acknowledged before it is on the disk.
      const transaction = db.transaction(form, 'readwrite', { durability: 'strict' })
      const [result, end] = await Promise.allSettled([
        task(transaction.objectStore(form)).catch(abort),
        ended(transaction),
      ])
      if (result.status === 'fulfilled' && end.status === 'fulfilled') return result.value
      // The transaction knows best, unless it was aborted because the task failed: then it has no error.
      throw transaction.error ?? (result.status === 'rejected' ? result.reason : closedByBrowser())

      function abort(error: unknown): never {
        // One that failed by itself is over already.
        if (transaction.error === null && !isLostConnection(error)) transaction.abort()
        throw error
      }
    })
  }

  async close(): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    // A database that could not be opened needs no closing; whoever asked for it has been told.
    const [opened] = await Promise.allSettled([opening])
    if (opened.status === 'fulfilled') opened.value?.close()
  }

  /** Closed connections are noticed when they are used, or while they are: begin anew, once. */
  async #evenIfClosed<T>(task: (db: IDBDatabase) => Promise<T>): Promise<T> {
    try {
      return await this.#once(task)
    } catch (error) {
      if (!isLostConnection(error)) throw error
      return this.#once(task)
    }
  }

  async #once<T>(task: (db: IDBDatabase) => Promise<T>): Promise<T> {
    const opening = this.#open()
    const connection = await this.#inTime(opening)
    try {
      return await connection.run(task)
    } catch (error) {
      if (isLostConnection(error)) {
        this.#forget(opening)
        connection.close()
      }
      throw error
    }
  }

  #open(): Promise<Connection> {
    if (this.#opening) return this.#opening
    const opening = connect(this.name, () => this.#forget(opening))
    this.#opening = opening
    // The next call tries again.
    opening.catch(() => this.#forget(opening))
    return opening
  }

  /** An opening that takes too long is not waited for by those who come later: Chromium never ends one that was waiting when it cleared what a site stored. */
  #inTime(opening: Promise<Connection>): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#forget(opening)
        opening.then(
          (late) => late.close(),
          () => undefined,
        )
        reject(blocked(this.name))
      }, patience)
      opening.then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }

  #forget(opening: Promise<Connection>): void {
    if (this.#opening === opening) this.#opening = undefined
  }
}

/** An open database, and what is under way in it. */
class Connection {
  readonly #db: IDBDatabase
  readonly #underWay = new Set<(error: Error) => void>()

  constructor(db: IDBDatabase, lost: () => void) {
    this.#db = db
    // Somebody wants to delete it, or we would hold up another version: let go. Running transactions end first.
    db.addEventListener('versionchange', () => {
      lost()
      db.close()
    })
    // By the browser, or by a person who clears what sites stored. Chromium 156 never ends the transactions that run then.
    db.addEventListener('close', () => {
      lost()
      for (const fail of this.#underWay) fail(closedByBrowser())
    })
  }

  async run<T>(task: (db: IDBDatabase) => Promise<T>): Promise<T> {
    let fail: ((error: Error) => void) | undefined
    const closed = new Promise<never>((_, reject) => {
      fail = reject
      this.#underWay.add(reject)
    })
    try {
      return await Promise.race([task(this.#db), closed])
    } finally {
      if (fail) this.#underWay.delete(fail)
    }
  }

  close(): void {
    this.#db.close()
  }
}

async function connect(name: string, lost: () => void): Promise<Connection> {
  if (typeof indexedDB === 'undefined') throw missing(name)
  await assertOurs(name)
  const use = createStore(name, form)
  return new Connection(await use('readonly', (values) => values.transaction.db), lost)
}

/** Looks what kind of database has this name, and makes none: `createStore` would hold on to one of somebody else, and keep its owner from changing it. */
async function assertOurs(name: string): Promise<void> {
  const request = indexedDB.open(name)
  let isNew = false
  request.onupgradeneeded = ({ oldVersion }) => {
    isNew = oldVersion === 0
    if (isNew) request.transaction?.abort()
  }
  try {
    const db = await promisifyRequest(request)
    const stores = [...db.objectStoreNames]
    db.close()
    if (!stores.includes(form)) throw foreign(name, stores, form)
  } catch (error) {
    if (!isNew) throw error
  }
}

/** Not by `promisifyRequest`, which takes the error of one request for the end, when nobody knows yet what ended the transaction. */
function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })
}

function closedByBrowser(): DOMException {
  return new DOMException('the connection was closed', 'AbortError')
}
