/** Runs in workerd with a bucket and a database: what stores over them promise. Answers as `main-worker.ts` does. */
import fc from 'fast-check'
import { createBackend } from '../../src/backend/backend.ts'
import { createWorker, type WorkerContext, type WorkerFetch } from '../../src/server/worker.ts'
import { type D1Binding, d1Store } from '../../src/stores/d1.ts'
import { type R2BucketBinding, r2Store } from '../../src/stores/r2.ts'
import type { Store } from '../../src/stores/store.ts'
import { backendConformance } from '../conformance/backend.ts'
import { experimentConformance } from '../conformance/experiments.ts'
import { mainJobConformance } from '../conformance/main-job.ts'
import { onlyComet } from '../conformance/only-comet.ts'
import { storeConformance } from '../conformance/store.ts'
import { storeModel } from '../conformance/store-model.ts'
import { inLines } from './in-lines.ts'
import type { Task } from './task.ts'
import { outcomes } from './test-api.ts'

interface Env {
  readonly BUCKET: R2BucketBinding
  readonly DB: D1Binding
  /** This worker, reached as from outside: each request is one of its own. */
  readonly SELF: { fetch(request: Request): Promise<Response> }
}

const host = 'worker.example'
let served: WorkerFetch<Env> | undefined

async function empty(store: Store): Promise<void> {
  for (;;) {
    const { entries } = await store.list('')
    if (entries.length === 0) return
    for (let at = 0; at < entries.length; at += 50)
      await Promise.all(entries.slice(at, at + 50).map(({ key }) => store.delete(key)))
  }
}

async function* suites({ BUCKET, DB, SELF }: Env) {
  const stores: [name: string, open: () => Store][] = [
    ['r2Store', () => r2Store(BUCKET)],
    ['d1Store', () => d1Store(DB)],
  ]
  yield* outcomes('store', () => {
    for (const [name, make] of stores) {
      const open = async () => ({ store: make(), again: async () => make(), dispose: () => empty(make()) })
      storeConformance(name, open, { many: 1100 })
      storeModel(name, open)
    }
  })
  const apart = () => ({ records: d1Store(DB), blobs: r2Store(BUCKET) })
  const dispose = async () => {
    for (const [, make] of stores) await empty(make())
  }
  yield* outcomes('backend', () => {
    backendConformance('records in D1, packs in R2', async () => {
      const backend = createBackend(apart())
      return {
        fetch: backend.fetch,
        async dispose() {
          await backend.close()
          await dispose()
        },
      }
    })
  })
  yield* outcomes('experiments', () =>
    experimentConformance('a worker with D1 and R2', async () => {
      served = createWorker<Env>({ backend: () => apart(), hosts: [host] })
      const { key } = await createBackend(apart()).keys.create('suite', new Map([['*', 'owner']]))
      // Without routes of our own each thing is a request, and many are under way at once.
      const options = { url: `https://${host}`, apiKey: key, fetch: onlyComet((request) => SELF.fetch(request)) }
      return { options, dispose }
    }),
  )
  yield* outcomes('main job', () => mainJobConformance('R2', async () => ({ store: r2Store(BUCKET), dispose })))
}

export default {
  async fetch(request: Request, env: Env, context: WorkerContext): Promise<Response> {
    if (new URL(request.url).host === host)
      return served?.(request, env, context) ?? new Response('Nobody is served.', { status: 503 })
    const { numRuns }: Task = await request.json()
    fc.configureGlobal({ numRuns })
    return inLines(async (answer) => {
      for await (const outcome of suites(env)) await answer(outcome)
      await answer({ done: true })
    })
  },
}
