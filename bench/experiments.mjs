// A server and its client, two processes on one machine: metrics in batches, and many small files against one multipart request each.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { openAsBlob } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Artifact, connect } from 'tidemark'
import { makeFiles } from './lib/data.mjs'
import { inFolder, race } from './lib/race.mjs'
import { countRow, timeRow } from './lib/results.mjs'

export const question = 'What do metrics and many small files cost over HTTP?'

const files = 10_000
const size = 4096
const points = 500_000
const series = 10

// As browsers do.
const requestsInFlight = 6

const quiet = { keepActive: false, logCode: false, logSystemDetails: false }

async function openServer(folder) {
  const store = join(folder, `server-${process.pid}-${Math.random().toString(36).slice(2)}`)
  const child = fork(fileURLToPath(new URL('./lib/server-process.mjs', import.meta.url)), [store], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [{ url }] = await once(child, 'message')
  const tidemark = await connect({ url })
  return {
    url,
    tidemark,
    close: async () => {
      await tidemark.close()
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
      await rm(store, { recursive: true, force: true })
    },
  }
}

export const jobs = {
  async metrics({ folder }) {
    const server = await openServer(folder)
    return {
      sample: async () => {
        const experiment = await server.tidemark.createExperiment(quiet)
        for (let step = 0; step < points / series; step++)
          for (let metric = 0; metric < series; metric++)
            experiment.logMetric(`metric ${metric}`, Math.sin(step * (metric + 1)), { step })
        await experiment.flush()
      },
    }
  },
  async tidemark({ source, folder }) {
    const server = await openServer(folder)
    let experiment
    let round = 0
    return {
      before: async () => {
        experiment = await server.tidemark.createExperiment(quiet)
      },
      sample: async () => {
        const artifact = new Artifact(`files ${round++}`, 'dataset')
        await artifact.add(source, { logicalPath: 'files' })
        await experiment.logArtifact(artifact)
      },
    }
  },
  async multipart({ source, folder }) {
    const server = await openServer(folder)
    const names = await readdir(source, { recursive: true, withFileTypes: true })
    const paths = names.filter((one) => one.isFile()).map((one) => join(one.parentPath ?? one.path, one.name))
    let key
    let round = 0
    const rest = `${server.url}/api/rest/v2`
    const post = async (path, body) => {
      const headers = { 'content-type': 'application/json' }
      return (await fetch(rest + path, { method: 'POST', headers, body: JSON.stringify(body) })).json()
    }
    return {
      before: async () => {
        key = (await server.tidemark.createExperiment(quiet)).key
      },
      sample: async () => {
        const { artifactVersionId } = await post('/write/artifacts/upsert', {
          experimentKey: key,
          artifactName: `files ${round++}`,
          artifactType: 'dataset',
        })
        let next = 0
        const worker = async () => {
          while (next < paths.length) {
            const at = next++
            const form = new FormData()
            form.append('file', await openAsBlob(paths[at]), 'file')
            const search = new URLSearchParams({ experimentKey: key, artifactVersionId, fileName: `files/${at}` })
            const answer = await fetch(`${rest}/write/experiment/upload-asset?${search}`, {
              method: 'POST',
              body: form,
            })
            if (answer.status !== 200) throw new Error(await answer.text())
            await answer.arrayBuffer()
          }
        }
        await Promise.all(Array.from({ length: requestsInFlight }, worker))
        await post('/write/artifacts/state', { artifactVersionId, experimentKey: key, state: 'CLOSED' })
      },
    }
  },
}

export async function run() {
  return inFolder(async (folder) => {
    const source = join(folder, 'source')
    await makeFiles(source, files, size)
    const { metrics } = await race(import.meta.url, ['metrics'], { rounds: 3 })
    const { tidemark, multipart } = await race(import.meta.url, ['tidemark', 'multipart'], {
      rounds: 1,
      warmUps: 0,
      context: { source },
    })
    return [
      countRow('100,000 metric points, batched, durable', {
        value: Math.round(metrics.median / (points / 100_000)),
        bar: 1000,
        unit: 'ms',
      }),
      timeRow('10,000 files of 4 KiB, logArtifact over HTTP', {
        ours: tidemark,
        against: 'one multipart request each',
        theirs: multipart,
        bar: 0.1,
      }),
    ]
  })
}
