import * as index from '../../src/index.ts'
import { indexedDbStore } from '../../src/stores/indexeddb.ts'
import { openDatabaseStore } from '../../src/stores/indexeddb-store.ts'
import { opfsStore } from '../../src/stores/opfs.ts'
import { filesFolder } from '../../src/stores/opfs-files.ts'

const all = { ...index, indexedDbStore, opfsStore, openDatabaseStore, filesFolder }

declare global {
  /** For the tests that drive this page, or a worker with this script. */
  var tidemark: typeof all
}
globalThis.tidemark = all
