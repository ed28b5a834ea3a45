import { createBackend } from '../../src/backend/backend.ts'
import { memoryStore } from '../../src/index.ts'
import { serve } from '../../src/server/node.ts'
import { experimentConformance, type OpenedServer } from '../conformance/experiments.ts'
import { cometDouble } from './comet.ts'
import { onlyComet } from './only-comet.ts'

const apiKey = 'comet-key'

function backend() {
  const store = memoryStore()
  return createBackend({ records: store, blobs: store })
}

experimentConformance('a store in this process', async () => ({
  options: { store: memoryStore() },
  dispose: () => undefined,
}))

experimentConformance('HTTP', async (): Promise<OpenedServer> => {
  const behind = backend()
  const serving = await serve({ fetch: behind.fetch, port: 0 })
  return {
    options: { url: serving.url },
    async dispose() {
      await serving.close()
      await behind.close()
    },
  }
})

experimentConformance('a server without routes of our own', async () => {
  const behind = backend()
  return { options: { url: 'https://server.example', fetch: onlyComet(behind.fetch) }, dispose: () => behind.close() }
})

experimentConformance('Comet', async () => {
  const comet = cometDouble(apiKey)
  return { options: { url: 'https://comet.example', apiKey, fetch: comet.fetch }, dispose: () => undefined }
})
