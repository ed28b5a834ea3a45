import { type DatabaseStoreOptions, openDatabaseStore } from './indexeddb-store.ts'
import type { Store } from './store.ts'

export interface OpfsStoreOptions extends DatabaseStoreOptions {}

/**
 * From here on a file is faster: written, then read whole, in ms, in pieces of IndexedDB and as a file, in Chromium 156 and in Firefox 153:
 * 256 KiB 5 and 2 / 5 and 2, 3 and 1 / 8 and 1; 1 MiB 12 and 5 / 5 and 4, 14 and 6 / 12 and 3; 8 MiB 45 and 35 / 29 and 10, 83 and 44 / 17 and 17.
 */
const filesFrom = 1024 * 1024

/**
 * A store in the browser for much data: the IndexedDB database of this name, with large values as files in the private file system of the site (OPFS). It is the
 * same store as `indexedDbStore(name)`: pages, web workers and service workers see the same data, whichever of the two they open. Files are written in web workers,
 * where a file can be flushed; elsewhere, and where the browser has no such files (`warn` says so), large values go into the database.
 *
 * `put` has flushed the file, and the record that names it is on the disk, when it resolves. Conditions, persistence and errors are those of `indexedDbStore`. One
 * limit: Chromium does not flush the names of new files, so that a power failure (not the end of a tab or of the browser) within about half a minute may lose large
 * values that were just written; they are `store-damaged` then.
 *
 * @throws InvalidInputError `invalid-store-name`, `store-database-foreign`, `store-closed`
 * @throws UnsupportedError `no-indexeddb`, `store-format-too-new`
 * @throws PermissionError `store-permission`
 * @throws UnavailableError `disk-full` (nothing is changed then), `store-blocked`, `store-io`
 * @throws CorruptionError `store-damaged` (a file is missing, too)
 *
 * @example
 * ```ts
 * import { connect } from 'tidemark'
 * import { opfsStore } from 'tidemark/stores/opfs'
 *
 * const tidemark = await connect({ store: opfsStore('flowers') })
 * await tidemark.close()
 * ```
 */
export function opfsStore(name = 'tidemark', options: OpfsStoreOptions = {}): Store {
  return openDatabaseStore(name, options, { scheme: 'opfs', filesFrom })
}
