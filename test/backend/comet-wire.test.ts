import { createBackend } from '../../src/backend/backend.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { cometWireSuite } from '../conformance/comet-wire.ts'

cometWireSuite('in memory', async () => {
  const store = memoryStore()
  const backend = createBackend({ records: store, blobs: store })
  return { fetch: backend.fetch, base: 'http://backend.test' }
})
