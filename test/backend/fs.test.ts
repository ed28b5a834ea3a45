import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBackend } from '../../src/backend/backend.ts'
import { fsStore } from '../../src/stores/fs.ts'
import { backendConformance } from '../conformance/backend.ts'

backendConformance('a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-backend-'))
  const store = fsStore(join(folder, 'store'))
  const backend = createBackend({ records: store, blobs: store })
  return {
    fetch: backend.fetch,
    async dispose() {
      await backend.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
})
