import fc from 'fast-check'
import { createBackend } from '../../src/backend/backend.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { backendConformance } from '../conformance/backend.ts'
import { codecConformance } from '../conformance/codecs.ts'
import { contentConformance } from '../conformance/content.ts'
import { inMemory, mainJobConformance } from '../conformance/main-job.ts'
import { experimentsHere } from '../conformance/served.ts'
import { storeConformance } from '../conformance/store.ts'
import { storeModel } from '../conformance/store-model.ts'
import { exchangeSuite } from './exchange.ts'
import type { Task } from './task.ts'
import { type Outcome, outcomes } from './test-api.ts'

/** What a runtime adds to the suites that run everywhere: the rooms it knows more about, each with what declares its tests. */
export type MoreSuites = Readonly<Partial<Record<Room, () => unknown>>>

export type Room = (typeof rooms)[number]

/** The columns of the matrix. */
export const rooms = [
  'runtime',
  'store',
  'codecs',
  'content',
  'backend',
  'main job',
  'experiments',
  'exchange',
] as const

const inEveryRuntime: Readonly<Partial<Record<Room, (task: Task) => unknown>>> = {
  store() {
    const open = async () => {
      const store = memoryStore()
      return { store, again: async () => store, dispose: () => store.close?.() }
    }
    storeConformance('memoryStore', open)
    storeModel('memoryStore', open)
  },
  // The tests of these rooms that ask nothing of Node are suites as they stand.
  async codecs() {
    codecConformance()
    await import('../codecs/json.test.ts')
    await import('../codecs/text.test.ts')
    await import('../codecs/values.test.ts')
    await import('../codecs/table-cuts.test.ts')
  },
  async content() {
    contentConformance()
    await import('../platform/crc32.test.ts')
    await import('../content/cut.test.ts')
    await import('../content/delta.test.ts')
  },
  backend() {
    backendConformance('one memory store', async () => {
      const store = memoryStore()
      const backend = createBackend({ records: store, blobs: store })
      return { fetch: backend.fetch, dispose: () => backend.close() }
    })
  },
  'main job': () => mainJobConformance('a memory store', inMemory),
  experiments: experimentsHere,
  exchange: exchangeSuite,
}

/** Runs all suites here, one after another. */
export async function* runSuites(task: Task, more: MoreSuites): AsyncGenerator<Outcome> {
  fc.configureGlobal({ numRuns: task.numRuns })
  for (const room of rooms) {
    if (task.rooms && !task.rooms.includes(room)) continue
    yield* outcomes(room, async () => {
      await inEveryRuntime[room]?.(task)
      await more[room]?.()
    })
  }
}
