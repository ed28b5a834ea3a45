import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { connect } from '../../src/connect.ts'
import { wasmDigester } from '../../src/content/digest.ts'
import { close, createExperiment, getArtifact } from '../../src/index.ts'
import { builtin } from '../../src/platform/builtin.ts'
import { indexedDbStore } from '../../src/stores/indexeddb.ts'
import { openStore } from '../../src/stores/open.ts'
import type { Store } from '../../src/stores/store.ts'
import { backendConformance } from '../conformance/backend.ts'
import { mainJobConformance } from '../conformance/main-job.ts'
import { storeConformance } from '../conformance/store.ts'
import { storeModel } from '../conformance/store-model.ts'
import { browserValues } from './browser-values.ts'
import { writeFixedValues } from './exchange.ts'
import { type MoreSuites, runSuites } from './suites.ts'
import type { Task } from './task.ts'

/** Takes the task from the server that this script came from, does it here, and gives back every answer as it comes. */
export async function perform(): Promise<void> {
  try {
    const task: Task = await (await fetch('/task')).json()
    if (task.do === 'write') await answer(await writeFixedValues())
    else for await (const outcome of runSuites(task, inBrowsers)) await answer(outcome)
    await answer({ done: true })
  } catch (error) {
    await answer({ failed: String(error) })
  }
}

/** Tells the server something. */
export async function answer(value: unknown): Promise<void> {
  await fetch('/answer', { method: 'POST', body: JSON.stringify(value) })
}

const inBrowsers: MoreSuites = {
  runtime() {
    describe('this runtime', () => {
      it('has nothing of Node, makes no code from strings, and compiles no WebAssembly', async () => {
        expect(['Buffer', 'process', 'require'].filter((name) => name in globalThis)).toEqual([])
        expect(builtin('node:zlib')).toBeUndefined()
        const { Function: make } = globalThis
        expect(() => Reflect.construct(make, ['return 1'])).toThrow()
        await expect(wasmDigester()).rejects.toThrow()
      })

      it('keeps what has no other place in the IndexedDB database tidemark', async () => {
        const experiment = await createExperiment({ project: 'flowers' })
        await experiment.uploadArtifact('settings', { lr: 1 })
        await experiment.end()
        await close()
        expect(await (await getArtifact('settings')).get()).toEqual({ lr: 1 })
        await close()
        const store = indexedDbStore('tidemark')
        expect((await store.list('artifacts/')).entries).toHaveLength(2)
        await store.close?.()
        await remove('tidemark')
      })

      it('says that it has no files', async () => {
        await expect(openStore('./data')).rejects.toMatchObject({ code: 'no-file-system' })
        const tidemark = await connect({ store: 'memory:' })
        const experiment = await tidemark.createExperiment()
        const logged = await experiment.uploadArtifact('settings', { lr: 1 })
        await expect(logged.download('./out')).rejects.toMatchObject({ category: 'UnsupportedError' })
        await tidemark.close()
      })
    })
  },
  store() {
    storeConformance('indexedDbStore', open)
    storeModel('indexedDbStore', open)
  },
  codecs: browserValues,
  backend() {
    backendConformance('IndexedDB', async () => {
      const { store, dispose } = await open()
      const backend = createBackend({ records: store, blobs: store })
      return {
        fetch: backend.fetch,
        dispose: async () => {
          await backend.close()
          await dispose()
        },
      }
    })
  },
  'main job': () => mainJobConformance('IndexedDB', open),
}

let opened = 0

/** A store over a database of its own, another instance of it, and a way to be rid of both. */
async function open() {
  const name = `test-${performance.timeOrigin}-${opened++}`
  const stores: Store[] = []
  const again = async () => {
    const store = indexedDbStore(name)
    stores.push(store)
    return store
  }
  const dispose = async () => {
    for (const store of stores) await store.close?.()
    await remove(name)
  }
  return { store: await again(), again, dispose }
}

function remove(database: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(database)
    request.onsuccess = resolve
    request.onerror = () => reject(request.error)
  })
}
