import { createBackend } from '../../src/backend/backend.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { backendConformance } from '../conformance/backend.ts'

backendConformance(
  'one memory store',
  async () => {
    const store = memoryStore()
    const backend = createBackend({ records: store, blobs: store })
    return { fetch: backend.fetch, dispose: () => backend.close() }
  },
  { count: 8, commits: 40 },
)

backendConformance('two memory stores, trusted', async () => {
  const backend = createBackend({ records: memoryStore(), blobs: memoryStore(), trusted: true })
  return { fetch: backend.fetch, dispose: () => backend.close() }
})
