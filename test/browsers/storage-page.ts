import * as tidemark from '../../src/index.ts'
import { indexedDbStore } from '../../src/stores/indexeddb.ts'

const all = { ...tidemark, indexedDbStore }

declare global {
  /** For the test that drives this page. */
  var library: typeof all
}
globalThis.library = all
