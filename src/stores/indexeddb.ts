import { type DatabaseStoreOptions, openDatabaseStore } from './indexeddb-store.ts'
import type { Store } from './store.ts'

export interface IndexedDbStoreOptions extends DatabaseStoreOptions {}

/**
 * A store in the browser, in an IndexedDB database of this site: for pages and all kinds of workers, any number of tabs at once.
 *
 * `put` is on the disk when it resolves. Conditions hold between tabs. A database that is deleted or closed during use is opened again. With the first `put`
 * the browser is asked, once a page, to keep the data (`navigator.storage.persist()`); where it does not promise that, it may delete all of it when the disk
 * runs short, and does so when a private window is closed: `warn` says so. What an `opfsStore` of the same name wrote is read too.
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
  return openDatabaseStore(name, options, { scheme: 'indexeddb' })
}
