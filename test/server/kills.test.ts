import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LogReply, SeriesReply } from '../../src/protocol/log.ts'
import { routes } from '../../src/protocol/routes.ts'
import { WireClient } from '../conformance/wire-client.ts'

const kills = Number(process.env.TIDEMARK_KILLS ?? 200)
// Answers that a server gives before it is killed; and a while more, so that it is in the middle of anything.
const mostAnswers = 24
const longestWhile = 8
// A version takes four requests, of one job in six: on a busy machine no server would live to see one closed. Every so many lives, one does.
const livesPerVersion = 10

// A guard against hanging: a minute on a quiet machine, ten on one that others use.
const longestRun = 1_200_000

const root = fileURLToPath(new URL('../..', import.meta.url))
const query = (values: Record<string, string>) => new URLSearchParams(values).toString()

/** What was answered 200, by the program that asked. */
interface Acknowledged {
  readonly experiments: string[]
  readonly steps: number[]
  readonly tags: string[]
  readonly assets: { name: string; bytes: Uint8Array }[]
  readonly closed: { version: string; text: string }[]
  html: string
}

describe(`a server that is killed ${kills} times`, () => {
  let folder: string
  let program: string
  let child: ChildProcess | undefined
  let client: WireClient
  let base: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-kills-'))
    program = await mkdtemp(join(root, 'node_modules/.tidemark-server-'))
    await build({
      configFile: false,
      logLevel: 'error',
      root,
      build: {
        ssr: join(root, 'test/server/server-process.ts'),
        outDir: program,
        emptyOutDir: false,
        target: 'node20',
        rollupOptions: { output: { entryFileNames: 'server.mjs', format: 'esm' } },
      },
    })
  })
  afterAll(async () => {
    child?.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
    await rm(program, { recursive: true, force: true })
  })

  async function start(): Promise<void> {
    child = fork(join(program, 'server.mjs'), [join(folder, 'store')], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const [{ url }] = await once(child, 'message')
    base = url
    client = new WireClient((request) => connecting(() => fetch(request.clone())), url)
  }

  async function kill(): Promise<void> {
    const killed = child
    if (!killed) return
    killed.kill('SIGKILL')
    await once(killed, 'exit')
  }

  const own = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const init = { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const reply = await connecting(() => fetch(base + path, { method, ...(body && init) }))
    const text = await reply.text()
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${text}`)
    return JSON.parse(text)
  }

  it(
    'has everything that it ever answered, and nothing by halves',
    async () => {
      const done: Acknowledged = { experiments: [], steps: [], tags: [], assets: [], closed: [], html: '' }
      await start()
      const key = String(
        (await client.post('/write/experiment/create', { workspaceName: 'team', projectName: 'p' })).experimentKey,
      )
      done.experiments.push(key)
      let [step, tag, file, page, version, sequence] = [0, 0, 0, 0, 0, 1]
      let unsure: string[] = []
      let alive = true
      let answers = 0
      let versions = 0
      let enough: () => void = () => undefined

      /** Repeats a job until the server is killed under it. What it throws then is what a client sees of that. */
      const until = async (job: () => Promise<unknown>) => {
        while (alive) {
          try {
            await job()
            if (--answers <= 0 && done.closed.length >= versions) enough()
          } catch (error) {
            if (alive && !isCutOff(error)) throw error
          }
        }
      }
      const logPoint = async () => {
        const at = step++
        const point = { experimentKey: key, metricName: 'm', metricValue: at, step: at, timestamp: at }
        await client.post('/write/experiment/metric', point)
        done.steps.push(at)
      }
      const jobs = [
        logPoint,
        logPoint,
        async () => {
          // Sent again until it is answered: it counts once.
          const columns = {
            name: 'batched',
            values: Array.from({ length: 50 }, (_, at) => sequence * 50 + at),
            timestamps: Array(50).fill(1),
          }
          await own<LogReply>('POST', routes.log(key), { writer: 'writer-1', sequence, metrics: [columns] })
          sequence++
        },
        async () => {
          const name = `tag ${tag++}`
          await client.post('/write/experiment/tags', { experimentKey: key, addedTags: [name] })
          done.tags.push(name)
          const html = `page ${page++}`
          unsure.push(html)
          await client.post('/write/experiment/html', { experimentKey: key, html, override: true, timestamp: 1 })
          done.html = html
          unsure = []
        },
        async () => {
          const name = `file ${file++}`
          const bytes = new Uint8Array(20_000).fill(file)
          await client.upload(
            '/write/experiment/upload-asset',
            { experimentKey: key, fileName: name },
            { file: { name: 'x', type: 'x/y', bytes } },
          )
          done.assets.push({ name, bytes })
          done.experiments.push(
            String(
              (await client.post('/write/experiment/create', { workspaceName: 'team', projectName: 'p' }))
                .experimentKey,
            ),
          )
        },
        async () => {
          const text = `content ${version++}`
          const made = await client.post('/write/artifacts/upsert', {
            artifactName: 'a',
            artifactType: 't',
            experimentKey: key,
            alias: ['best'],
          })
          const id = String(made.artifactVersionId)
          for (const name of ['one', 'two'])
            await client.upload(
              '/write/experiment/upload-asset',
              { experimentKey: key, fileName: name, artifactVersionId: id },
              { file: { name, type: 'text/plain', bytes: new TextEncoder().encode(text) } },
            )
          await client.post('/write/artifacts/state', { artifactVersionId: id, experimentKey: key, state: 'CLOSED' })
          done.closed.push({ version: String(made.currentVersion), text })
        },
      ]

      const check = async (whole: boolean) => {
        const { values } = await client.get<{ values: { name: string; valueMax: string }[] }>(
          '/experiment/metrics/summary',
          { experimentKey: key },
        )
        const greatest = Number(values.find(({ name }) => name === 'm')?.valueMax ?? -1)
        expect(greatest).toBeGreaterThanOrEqual(Math.max(-1, ...done.steps.slice(-5)))
        expect([...unsure, done.html]).toContain((await client.get('/experiment/html', { experimentKey: key })).html)
        const newest = done.closed.at(-1)
        if (newest) await checkVersion(newest)
        if (!whole) return
        const { metrics } = await client.get<{ metrics: { step: number }[] }>('/experiment/metrics/get-metric', {
          experimentKey: key,
          metricName: 'm',
        })
        const steps = metrics.map((one) => one.step)
        expect(new Set(steps).size).toBe(steps.length)
        const missing = new Set(steps)
        expect(done.steps.filter((one) => !missing.has(one))).toEqual([])
        const series = await own<SeriesReply>('GET', `${routes.series(key)}?name=batched`)
        const batched = Array.from({ length: series.count }, (_, at) => 50 + at)
        expect(series.values).toEqual(batched)
        // The last one may have been stored without being answered.
        expect([(sequence - 1) * 50, sequence * 50]).toContain(series.count)
        expect((await client.get('/experiment/tags', { experimentKey: key })).tags).toEqual(
          expect.arrayContaining(done.tags),
        )
        const { experiments } = await client.get<{ experiments: { experimentKey: string }[] }>('/experiments', {
          workspaceName: 'team',
          projectName: 'p',
        })
        expect(experiments.map(({ experimentKey }) => experimentKey)).toEqual(expect.arrayContaining(done.experiments))
        const { assets } = await client.get<{ assets: { assetId: string; fileName: string }[] }>(
          '/experiment/asset/list',
          { experimentKey: key },
        )
        const ids = new Map(assets.map(({ fileName, assetId }) => [fileName, assetId]))
        for (const { name, bytes } of done.assets)
          expect(
            (await client.bytes('/experiment/asset/get-asset', { experimentKey: key, assetId: ids.get(name) ?? '' }))
              .bytes,
          ).toEqual(bytes)
        for (const one of done.closed) await checkVersion(one)
      }
      const checkVersion = async ({ version: number, text }: { version: string; text: string }) => {
        const { files } = await client.get<{ files: { fileName: string; assetId: string }[] }>(
          `/artifacts/version/files?${query({ workspace: 'team', artifactName: 'a', version: number })}`,
        )
        expect(files.map(({ fileName }) => fileName)).toEqual(['one', 'two'])
        for (const { assetId } of files)
          expect(
            new TextDecoder().decode(
              (await client.bytes('/experiment/asset/get-asset', { experimentKey: key, assetId })).bytes,
            ),
          ).toBe(text)
      }

      for (let killed = 0; killed < kills; killed++) {
        alive = true
        answers = Math.floor(Math.random() * mostAnswers)
        versions = killed % livesPerVersion === 0 ? done.closed.length + 1 : 0
        const ripe = new Promise<void>((resolve) => {
          enough = resolve
        })
        const working = Promise.all(jobs.map(until))
        await ripe
        await new Promise((resolve) => setTimeout(resolve, Math.random() * longestWhile))
        alive = false
        await kill()
        await working
        await start()
        if (killed % 5 === 4) await check(killed % 100 === 99)
      }
      await check(true)
      // Whoever closed a version that was never answered has it, or has it not: the newest that can be seen is whole.
      const latest = await client.get<{ artifactVersion: string; alias: string[] }>(
        `/artifacts/version?${query({ artifactName: 'a', workspace: 'team', versionOrAlias: 'best' })}`,
      )
      expect(latest.alias).toEqual(['best', 'Latest'])
      expect(done.steps.length).toBeGreaterThan(kills)
      expect(done.closed.length).toBeGreaterThanOrEqual(Math.ceil(kills / livesPerVersion))
    },
    longestRun,
  )
})

// On a crowded machine a connection is sometimes reset before it is one: nothing was sent then.
const mostConnects = 3

async function connecting(ask: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (attempt === mostConnects || !isConnecting(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

function isConnecting(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return typeof cause === 'object' && cause !== null && 'syscall' in cause && cause.syscall === 'connect'
}

function isCutOff(error: unknown): boolean {
  return error instanceof TypeError
}
