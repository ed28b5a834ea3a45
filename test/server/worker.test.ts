import { expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { connect, memoryStore, type Store } from '../../src/index.ts'
import { createWorker } from '../../src/server/worker.ts'
import { onlyComet } from '../conformance/only-comet.ts'

it('has what goes on behind an answer waited for', async () => {
  const store = memoryStore()
  let folded = 0
  const slow: Store = {
    ...store,
    async put(key, ...rest) {
      if (!key.endsWith('/head')) return store.put(key, ...rest)
      await new Promise((resolve) => setTimeout(resolve, 20))
      folded += 1
      return store.put(key, ...rest)
    },
  }
  const { key } = await createBackend({ records: store, blobs: store }).keys.create('suite', new Map([['*', 'owner']]))
  const worker = createWorker<Store>({
    backend: (given) => ({ records: given, blobs: given }),
    hosts: ['worker.example'],
  })
  let waiting: Promise<unknown>[] = []
  const context = { waitUntil: (work: Promise<unknown>) => void waiting.push(work) }
  const fetch = onlyComet((request) => worker(request, slow, context))
  const tidemark = await connect({ url: 'https://worker.example', apiKey: key, fetch })
  const experiment = await tidemark.createExperiment({ project: 'flowers', keepActive: false })
  for (let step = 0; step < 40; step++) {
    experiment.logMetric('loss', 1 / (step + 1), { step })
    await experiment.flush()
  }
  await Promise.all(waiting)
  expect(folded).toBeGreaterThan(0)
  waiting = []
  await experiment.end()
  expect(waiting.length).toBeGreaterThan(0)
  expect((await experiment.getMetric('loss')).length).toBe(40)
  await tidemark.close()
})
