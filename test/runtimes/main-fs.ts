/** Runs in Node, Deno and Bun: reads a task from the file it is given, and prints one line of JSON for each answer. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { close, createExperiment, getArtifact } from '../../src/index.ts'
import { builtin } from '../../src/platform/builtin.ts'
import { fsStore } from '../../src/stores/fs.ts'
import { backendConformance } from '../conformance/backend.ts'
import { checkFixedValues, fixedDigests, logFixedValues } from '../conformance/fixed-values.ts'
import { mainJobConformance } from '../conformance/main-job.ts'
import { type Serve, servedConformance, servedMainJob } from '../conformance/served.ts'
import { storeConformance } from '../conformance/store.ts'
import { storeModel } from '../conformance/store-model.ts'
import { writeFixedValues } from './exchange.ts'
import { type MoreSuites, runSuites } from './suites.ts'
import type { Task } from './task.ts'

const [, , taskFile] = process.argv
const task: Task = JSON.parse(await readFile(taskFile, 'utf8'))

async function inNewFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const top = await mkdtemp(join(task.scratch, 'test-'))
  return { path: join(top, 'store'), remove: () => rm(top, { recursive: true, force: true }) }
}

/** What serves in each runtime. */
const servers = {
  'Deno.serve': () => import('../../src/server/deno.ts'),
  'Bun.serve': () => import('../../src/server/bun.ts'),
  'node:http': () => import('../../src/server/node.ts'),
}
const server = 'Deno' in globalThis ? 'Deno.serve' : 'Bun' in globalThis ? 'Bun.serve' : 'node:http'
const serve: Serve = async (fetch) => (await servers[server]()).serve({ fetch, port: 0 })

const withFiles: MoreSuites = {
  runtime() {
    describe('this runtime', () => {
      it('has the modules of Node that are used where they are', () => {
        expect(builtin('node:crypto')?.createHash).toBeTypeOf('function')
        expect(builtin('node:zlib')?.inflateRawSync).toBeTypeOf('function')
      })

      it('keeps what has no other place in the folder .tidemark', async () => {
        const before = process.cwd()
        const { path: folder, remove } = await inNewFolder()
        await mkdir(folder)
        process.chdir(folder)
        try {
          const experiment = await createExperiment({ project: 'flowers' })
          await experiment.uploadArtifact('settings', { lr: 1 })
          await experiment.end()
          await close()
          expect(await (await getArtifact('settings')).get()).toEqual({ lr: 1 })
          await close()
          const store = fsStore(join(folder, '.tidemark'))
          expect((await store.list('artifacts/')).entries).toHaveLength(2)
        } finally {
          process.chdir(before)
          await remove()
        }
      })
    })
  },
  store() {
    const open = async () => {
      const { path, remove } = await inNewFolder()
      return { store: fsStore(path), again: async () => fsStore(path), dispose: remove }
    }
    storeConformance('fsStore', open)
    storeModel('fsStore', open)
  },
  backend() {
    backendConformance('a folder', async () => {
      const { path, remove } = await inNewFolder()
      const store = fsStore(path)
      const backend = createBackend({ records: store, blobs: store })
      return {
        fetch: backend.fetch,
        async dispose() {
          await backend.close()
          await remove()
        },
      }
    })
  },
  'main job'() {
    mainJobConformance('a folder', async () => {
      const { path, remove } = await inNewFolder()
      return { store: fsStore(path), dispose: remove }
    })
    servedMainJob(server, serve)
  },
  experiments: () => servedConformance(server, serve),
  exchange() {
    const folders = task.written.filter(({ folder }) => folder !== undefined)
    it.each(folders)('the folder that $by wrote is read here', ({ folder }) => checkFixedValues(fsStore(folder ?? '')))
  },
}

if (task.do === 'write') {
  const { folder } = task
  if (folder !== undefined) expect(await logFixedValues(fsStore(folder))).toEqual(fixedDigests)
  answer({ ...(await writeFixedValues()), folder })
} else {
  for await (const outcome of runSuites(task, withFiles)) answer(outcome)
  answer({ done: true })
}

function answer(value: unknown): void {
  console.log(JSON.stringify(value))
}
