import { join } from 'node:path'
import { fsStore } from '../../src/stores/fs.ts'
import { inMemory, mainJobConformance } from '../conformance/main-job.ts'
import { temporaryFolder } from './world.ts'

mainJobConformance('a memory store', inMemory)

mainJobConformance('a folder', async () => ({
  store: fsStore(join(await temporaryFolder(), 'store')),
  dispose: () => undefined,
}))
