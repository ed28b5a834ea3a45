import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { open } from '../client/world.ts'
import { bundleWorker, startWorker } from '../stores/bundle.ts'
import { decoded } from './support.ts'

let folder: string
let worker: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-watch-'))
  worker = await bundleWorker('../watch/exit-worker.ts', folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it.each([
  // It may still have looked once more while the rest of the program came to its end.
  ['nothing', [1, 2], true],
  ['end', [2], false],
  ['close', [2], true],
  // It has not crashed: its experiments end with it.
  ['default', [2], false],
  // Nobody said that they have ended, and nobody can any more.
  ['default, closed', [2], true],
])('a watched table keeps no process alive: with %s at the end', async (how, ids, running) => {
  const store = join(folder, how)
  const child = startWorker(worker, [store, how])
  child.disconnect()
  const [code] = await once(child, 'exit')
  expect(code).toBe(0)
  const tidemark = await open({ store })
  const rows = await decoded(await tidemark.getArtifact('table'))
  expect(ids.map((id) => [{ id }])).toContainEqual(rows)
  const [{ experimentKey }] = await tidemark.getExperiments()
  const experiment = await tidemark.getExperiment(experimentKey)
  expect(await experiment.getMetadata()).toMatchObject({ running })
  expect(await experiment.getMetric('loss')).toHaveLength(1)
})
