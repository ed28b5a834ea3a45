import {
  ConflictError,
  CorruptionError,
  InvalidInputError,
  isTidemarkError,
  PermissionError,
  UnavailableError,
  UnsupportedError,
} from '../errors.ts'

/** What an error is about. */
export interface About {
  readonly name: string
  readonly key?: string
}

/** A browser's error as one of ours: the one place where names of DOMExceptions are translated. Others, ours and plain mistakes in the code, pass unchanged. */
export function databaseError(error: unknown, { name, key }: About): unknown {
  if (isTidemarkError(error) || !isDomException(error)) return error
  const what = `IndexedDB database '${name}'${key === undefined ? '' : ` at '${key}'`}`
  const fields = { database: name, key, reason: error.name }
  if (error.name === 'QuotaExceededError')
    return new UnavailableError(
      `${what}: the disk, or what the browser lets this site use of it, is full. Nothing was changed. Free some space and try again.`,
      { code: 'disk-full', fields, cause: error },
    )
  if (error.name === 'SecurityError' || isRefusal(error))
    return new PermissionError(
      `${what}: the browser refuses storage to this page. Allow site data for it, or pass another store.`,
      { code: 'store-permission', fields, cause: error },
    )
  return new UnavailableError(
    `${what}: the browser did not do what was asked (${error.name}: ${error.message}). Try again; if it stays so, reload the page.`,
    { code: 'store-io', fields, cause: error },
  )
}

/** Chromium's name for it, where site data or those of other sites are blocked, is UnknownError. */
function isRefusal({ name, message }: DOMException): boolean {
  return name === 'UnknownError' && /denied permission/.test(message)
}

/** True for what a connection gives that the browser or another tab has closed: a new one may do better. */
export function isLostConnection(error: unknown): boolean {
  // WebKit says UnknownError when its database process ended.
  return isDomException(error) && ['InvalidStateError', 'AbortError', 'UnknownError'].includes(error.name)
}

function isDomException(error: unknown): error is DOMException {
  return typeof DOMException === 'function' && error instanceof DOMException
}

/** A condition of a `put` that does not hold. */
export function conflict({ name, key }: About, reason: string): ConflictError {
  return new ConflictError(
    `Could not write '${key}' in the IndexedDB database '${name}': ${reason}. Read it again and retry.`,
    { code: 'store-conflict', fields: { key } },
  )
}

/** Something in the database that this program cannot have written. */
export function damage({ name, key }: About, what: string): CorruptionError {
  return new CorruptionError(
    `IndexedDB database '${name}' is damaged at '${key}': ${what}. Restore it from a copy, or delete the database.`,
    { code: 'store-damaged', fields: { key } },
  )
}

/** The database belongs to something else, or to a later version of this program. */
export function foreign(name: string, stores: readonly string[], own: string): Error {
  const [newer] = stores.filter((store) => /^tidemark-\d+$/.test(store))
  if (newer)
    return new UnsupportedError(
      `The IndexedDB database '${name}' has the format '${newer}'; this version of Tidemark reads '${own}'. Use a newer Tidemark.`,
      { code: 'store-format-too-new', fields: { database: name } },
    )
  return new InvalidInputError(
    `The IndexedDB database '${name}' is not a Tidemark store (it holds ${stores[0] === undefined ? 'nothing' : `'${stores[0]}'`}). Give another name.`,
    { code: 'store-database-foreign', fields: { database: name } },
  )
}

/** Another tab keeps the database from being deleted, and so from being opened. */
export function blocked(name: string): UnavailableError {
  return new UnavailableError(
    `The IndexedDB database '${name}' cannot be opened: another tab keeps it open while it is being deleted. Close other tabs of this site and try again.`,
    { code: 'store-blocked', fields: { database: name } },
  )
}

/** There is no IndexedDB here at all. */
export function missing(name: string): UnsupportedError {
  return new UnsupportedError(
    `This runtime has no IndexedDB, so the store 'indexeddb:${name}' cannot be opened. Use 'memory:' or pass a Store.`,
    { code: 'no-indexeddb' },
  )
}
