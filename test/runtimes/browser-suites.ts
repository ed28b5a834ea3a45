import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { connect } from '../../src/connect.ts'
import { close, createExperiment, getArtifact } from '../../src/index.ts'
import { hasSyncFiles } from '../../src/platform/sync-files.ts'
import { indexedDbStore } from '../../src/stores/indexeddb.ts'
import { openDatabaseStore } from '../../src/stores/indexeddb-store.ts'
import { openStore } from '../../src/stores/open.ts'
import { opfsStore } from '../../src/stores/opfs.ts'
import { filesFolder } from '../../src/stores/opfs-files.ts'
import type { Store } from '../../src/stores/store.ts'
import { backendConformance } from '../conformance/backend.ts'
import { mainJobConformance } from '../conformance/main-job.ts'
import { storeConformance } from '../conformance/store.ts'
import { storeModel } from '../conformance/store-model.ts'
import { browserValues } from './browser-values.ts'
import { writeFixedValues } from './exchange.ts'
import { type MoreSuites, runSuites } from './suites.ts'
import type { Task } from './task.ts'
import { withoutNode } from './without-node.ts'

/** Takes the task from the server that this script came from, does it here, and gives back every answer as it comes. */
export async function perform(): Promise<void> {
  try {
    const task: Task = await (await fetch('/task')).json()
    if (task.do === 'write') await answer(await writeFixedValues())
    else {
      await answer({ note: await whatFiles() })
      for await (const outcome of runSuites(task, inBrowsers)) await answer(outcome)
    }
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
      withoutNode()

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

      it('has files only where it can flush them', async () => {
        const { store, name, dispose } = await open((name) => opfsStore(name))
        await store.put('small', new Uint8Array(1000))
        expect(await countFiles(name)).toBe(0)
        await store.put('large', new Uint8Array(2_000_000).fill(3))
        const count = await countFiles(name)
        if (count > 0) expect(hasSyncFiles()).toBe(true)
        for (const reader of [store, indexedDbStore(name)]) {
          const { bytes, size } = (await reader.get('large', { range: { start: 1_999_990 } })) ?? {}
          expect({ bytes, size }).toEqual({ bytes: new Uint8Array(10).fill(3), size: 2_000_000 })
        }
        await store.delete('large')
        expect(await countFiles(name)).toBe(0)
        await dispose()
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
    storeConformance('indexedDbStore', () => open(), { many })
    storeModel('indexedDbStore', () => open())
    storeConformance('opfsStore, values from two bytes files where files can be written', openFiles, { many })
    storeModel('opfsStore', openFiles)
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
  'main job': () => mainJobConformance('IndexedDB', () => open()),
}

/** Keys that are listed: more than two pages of them. In one runtime of each kind there are more. */
const many = 2200

/** But for the shortest values, of which many are listed, all are files, where files can be written. */
const filesFrom = 2

let opened = 0

/** A store over a database of its own, another instance of it, and a way to be rid of both. */
async function open(make = (name: string) => indexedDbStore(name)) {
  const name = `test-${performance.timeOrigin}-${opened++}`
  const stores: Store[] = []
  const again = async () => {
    const store = make(name)
    stores.push(store)
    return store
  }
  const dispose = async () => {
    for (const store of stores) await store.close?.()
    await remove(name)
    await removeFiles(name)
  }
  return { store: await again(), again, dispose, name }
}

function openFiles() {
  return open((name) => openDatabaseStore(name, {}, { scheme: 'opfs', filesFrom }))
}

/** What this place can do with files of its own, for the reader of the matrix. */
async function whatFiles(): Promise<string> {
  const { store, name, dispose } = await open((name) => opfsStore(name, { warn: (reason) => told.push(reason) }))
  const told: string[] = []
  await store.put('large', new Uint8Array(2_000_000))
  const count = await countFiles(name)
  await dispose()
  if (count === 1) return 'large values are files'
  const refusal = told.find((one) => one.startsWith('Files'))
  return `large values are in IndexedDB: ${refusal ? refusal.replace(/, so .*/, '') : 'files can be flushed in web workers only'}`
}

async function removeFiles(name: string): Promise<void> {
  const root = await privateRoot()
  await root?.removeEntry(filesFolder(name) ?? '', { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error
  })
}

async function countFiles(name: string): Promise<number> {
  const root = await privateRoot()
  let count = 0
  for await (const [folder, entry] of root?.entries() ?? []) {
    if (folder !== filesFolder(name) || !(entry instanceof FileSystemDirectoryHandle)) continue
    for await (const _ of entry.keys()) count++
  }
  return count
}

async function privateRoot(): Promise<FileSystemDirectoryHandle | undefined> {
  return typeof navigator.storage?.getDirectory === 'function' ? navigator.storage.getDirectory() : undefined
}

function remove(database: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(database)
    request.onsuccess = resolve
    request.onerror = () => reject(request.error)
  })
}
