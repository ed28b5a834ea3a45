/** Runs in workerd: takes a task as the body of a request, and answers with one line of JSON for each answer. */
import { describe, expect, it } from 'vitest'
import { connect } from '../../src/connect.ts'
import { close, createExperiment } from '../../src/index.ts'
import { createGuard } from '../../src/server/guard.ts'
import { openStore } from '../../src/stores/open.ts'
import { type Serve, servedConformance, servedMainJob } from '../conformance/served.ts'
import { writeFixedValues } from './exchange.ts'
import { inLines } from './in-lines.ts'
import { type MoreSuites, runSuites } from './suites.ts'
import type { Task } from './task.ts'
import { withoutNode } from './without-node.ts'

interface Env {
  /** This worker, reached as from outside: each request is one of its own. */
  readonly SELF: { fetch(request: Request): Promise<Response> }
}

const host = 'worker.example'
let served: ((request: Request) => Promise<Response>) | undefined

const withoutFiles = ({ SELF }: Env): MoreSuites => ({
  'main job': () => servedMainJob('the fetch of a worker', servedBy(SELF)),
  experiments: () => servedConformance('the fetch of a worker', servedBy(SELF)),
  runtime() {
    describe('this runtime', () => {
      withoutNode()

      it('keeps what has no other place in memory, with one warning', async () => {
        const warnings: unknown[] = []
        const { warn } = console
        console.warn = (message: unknown) => void warnings.push(message)
        try {
          const experiment = await createExperiment({ project: 'flowers' })
          const logged = await experiment.uploadArtifact('settings', { lr: 1 })
          expect(await logged.get()).toEqual({ lr: 1 })
          await experiment.end()
          await createExperiment()
          await close()
        } finally {
          console.warn = warn
        }
        expect(warnings).toEqual([expect.stringContaining('memory')])
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
})

function servedBy(self: Env['SELF']): Serve {
  const serve = async (fetch: (request: Request) => Promise<Response>) => {
    served = createGuard({ hosts: [host] }, fetch)
    return {
      url: `https://${host}`,
      fetch: (request: Request) => self.fetch(request),
      async close() {
        served = undefined
      },
    }
  }
  // As `createWorker` does it.
  return Object.assign(serve, { apart: true as const })
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).host === host)
      return served?.(request) ?? new Response('Nobody is served.', { status: 503 })
    const task: Task = await request.json()
    return inLines(async (answer) => {
      if (task.do === 'write') await answer(await writeFixedValues())
      else {
        for await (const outcome of runSuites(task, withoutFiles(env))) await answer(outcome)
        await answer({ done: true })
      }
    })
  },
}
