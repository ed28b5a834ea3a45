// `npm run test:runtimes`: the conformance suites in every runtime, and what each has written read by all. With the beginnings of names: in those. One that could
// not be had is told; it is a failure in CI, and with TIDEMARK_RUNTIMES=required.
import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ask } from './ask.mjs'
import { openBrowser } from './ask-browser.mjs'
import { runBindings } from './bindings.mjs'
import { bundleSuites } from './bundle.mjs'
import { companionTests } from './companions.mjs'
import { denoExample } from './example-deno.mjs'
import { workerExample } from './example-worker.mjs'
import { importCost } from './import-cost.mjs'
import { tellOutcome } from './matrix.mjs'
import { findRuntimes } from './runtimes.mjs'
import { serverTests } from './servers.mjs'
import { endAll, endAllWithUs } from './started.mjs'

/** Cases of each property: a tenth of what Node's own tests take, since all runtimes together try more. */
const NUM_RUNS = 10
/** There are nine rows of browsers. */
const NUM_RUNS_IN_BROWSERS = 3

/** Programs that people copy, each run in the runtime it is for. */
const examples = { Deno: denoExample, workerd: workerExample }

const here = fileURLToPath(new URL('.', import.meta.url))
const names = process.argv.slice(2).map((name) => name.toLowerCase())

// What it cannot install is told as missing below.
spawnSync(process.execPath, [join(here, '../../scripts/install.mjs'), 'test/runtimes'], { stdio: 'inherit' })
const browsers = ['Chromium', 'Firefox', 'WebKit'].filter(
  (name) => names.length === 0 || names.some((one) => one.startsWith(name.toLowerCase())),
)
if (browsers.length > 0)
  spawnSync(process.execPath, [join(here, '../browsers/install.mjs'), ...browsers], { stdio: 'inherit' })

const runtimes = findRuntimes().filter(
  ({ name }) => names.length === 0 || names.some((one) => name.toLowerCase().startsWith(one)),
)
const found = runtimes.filter(({ missing }) => missing === undefined)
const rows = new Map(runtimes.map((runtime) => [runtime, { ...runtime, outcomes: [], notes: [], ms: 0 }]))
let cost
/** What is done by turns. Each browser is one, with all of its rows, and comes first: it takes longest. */
const turns = [
  ...browsers.map((name) => found.filter(({ browser }) => browser?.name === name)),
  ...found.filter(({ browser }) => !browser).map((runtime) => [runtime]),
]
/** Open browsers, by their names. */
const sessions = new Map()
const bundles = {}
// The page that starts a service worker has a bundle of its own.
for (const kind of found.flatMap(({ bundle, browser }) => (browser ? ['browser', bundle] : [bundle])))
  bundles[kind] ??= await bundleSuites(kind)
const top = await mkdtemp(join(tmpdir(), 'tidemark-runtimes-'))
const tidy = () => rm(top, { recursive: true, force: true, maxRetries: 10 })
endAllWithUs(tidy)
try {
  const written = []
  await eachRuntime(async (runtime) => {
    await attempt(runtime, 'writes the fixed values', async (scratch) => {
      const folder = join(scratch, 'store')
      await give(runtime, { do: 'write', numRuns: 1, scratch, folder, written: [] }, (answer) =>
        written.push({ by: runtime.name, ...answer }),
      )
    })
  })
  await eachRuntime(async (runtime) => {
    const row = rows.get(runtime)
    await attempt(runtime, 'runs to the end', async (scratch) => {
      const numRuns = runtime.browser ? NUM_RUNS_IN_BROWSERS : NUM_RUNS
      const task = { do: 'run', numRuns, scratch, written: await readableBy(runtime, written, scratch) }
      let done = false
      await give(runtime, task, (answer) => {
        if (answer.done) done = true
        else if (answer.note) row.notes.push(answer.note)
        else row.outcomes.push(answer)
      })
      if (!done) throw new Error(`${runtime.name} stopped without a word.`)
      console.log(`${runtime.name} is done.`)
    })
    await attempt(runtime, 'has its example', async (scratch) => {
      await outcomesOf(runtime, 'example', examples[runtime.name]?.(runtime, scratch) ?? [])
    })
    if (runtime.bundle === 'files')
      await attempt(runtime, 'takes down the program that it runs', async (scratch) => {
        await outcomesOf(runtime, 'runtime', companionTests(runtime, scratch))
      })
    if (runtime.bundle === 'files')
      await attempt(runtime, 'serves', async (scratch) => {
        await outcomesOf(runtime, 'server', serverTests(runtime, scratch))
      })
    if (runtime.name !== 'workerd') return
    await attempt(runtime, 'runs the suites over a bucket and a database', async () => {
      await runBindings(10, (outcome) => row.outcomes.push(outcome))
    })
    await attempt(runtime, 'tells what an import costs', async (scratch) => {
      cost = await importCost(runtime, scratch)
    })
  })
} finally {
  await Promise.allSettled([...sessions.values()].map((session) => session.close()))
  await endAll()
  await tidy()
}
const strict = Boolean(process.env.CI) || process.env.TIDEMARK_RUNTIMES === 'required'
const report = tellOutcome([...rows.values()], { strict })
if (cost !== undefined) {
  const { imported, beside, withBackend, empty, size } = cost
  const [all, compiling, both] = [imported, beside, withBackend].map((ms) => (ms - empty).toFixed(1))
  console.log(
    `workerd: importing tidemark takes ${all} ms of processor time, of which compiling ${Math.round(size / 1000)} kB takes ${compiling}; with its backend ${both}; a worker with nothing in it takes ${empty.toFixed(1)}`,
  )
}
if (process.env.TIDEMARK_RUNTIMES_REPORT) await writeFile(process.env.TIDEMARK_RUNTIMES_REPORT, JSON.stringify(report))
process.exitCode = report.failed === 0 ? 0 : 1

async function outcomesOf(runtime, room, tests) {
  for (const [name, test] of tests) {
    const error = await test().then(
      () => undefined,
      (reason) => String(reason?.stack ?? reason),
    )
    rows.get(runtime).outcomes.push({ room, name, ...(error !== undefined && { error }) })
  }
}

/** What others have written, as this runtime can read it. */
async function readableBy(runtime, written, scratch) {
  const readable = []
  for (const { folder, ...one } of written) {
    // A copy: a runtime may have been permitted its own folder only, and nobody is to change what the next one reads.
    const copy = join(scratch, `written-${readable.length}`)
    if (folder !== undefined && runtime.bundle === 'files') await cp(folder, copy, { recursive: true })
    readable.push({ ...one, ...(folder !== undefined && { folder: copy }) })
  }
  return readable
}

/** Gives a task to a runtime: to a browser that is open already, for all that runs in it. */
async function give(runtime, task, take) {
  const { browser } = runtime
  if (!browser) return ask(runtime, bundles, task, take)
  const session = sessions.get(browser.name) ?? (await openBrowser(browser, bundles, task.scratch))
  sessions.set(browser.name, session)
  try {
    await ask({ ...runtime, session }, bundles, task, take)
  } catch (error) {
    // The next one gets a new browser.
    sessions.delete(browser.name)
    await session.close()
    throw error
  }
}

/** Does it with each runtime that was found, in as many turns at once as there are cores. */
async function eachRuntime(task) {
  const queue = turns.values()
  const work = async () => {
    for (const turn of queue) for (const runtime of turn) await task(runtime)
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, work))
}

/** What is thrown is a failed test of that runtime. */
async function attempt(runtime, name, task) {
  const row = rows.get(runtime)
  const begun = performance.now()
  try {
    await task(await mkdtemp(join(top, 'scratch-')))
  } catch (error) {
    row.outcomes.push({ room: 'runtime', name, ms: 0, error: String(error) })
  }
  row.ms += performance.now() - begun
}
