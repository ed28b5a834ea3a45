// `npm run test:runtimes`: the conformance suites in every server runtime, and what each has written read by all. With the beginnings of names: in those. One that could
// not be had is told; it is a failure in CI, and with TIDEMARK_RUNTIMES=required.
import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ask } from './ask.mjs'
import { runBindings } from './bindings.mjs'
import { bundleSuites } from './bundle.mjs'
import { companionTests } from './companions.mjs'
import { denoExample } from './example-deno.mjs'
import { workerExample } from './example-worker.mjs'
import { importCost } from './import-cost.mjs'
import { tellOutcome } from './matrix.mjs'
import { findRuntimes } from './runtimes.mjs'
import { serverTests } from './servers.mjs'

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
const bundles = {}
for (const { bundle } of found) bundles[bundle] ??= await bundleSuites(bundle)
const top = await mkdtemp(join(tmpdir(), 'tidemark-runtimes-'))
try {
  const written = []
  await attempt('writes the fixed values', async (runtime, scratch) => {
    const folder = join(scratch, 'store')
    await ask(runtime, bundles, { do: 'write', numRuns: 1, scratch, folder, written: [] }, (answer) =>
      written.push({ by: runtime.name, ...answer }),
    )
  })
  await attempt('runs to the end', async (runtime, scratch) => {
    const readable = []
    for (const { folder, ...one } of written) {
      // A copy: a runtime may have been permitted its own folder only, and nobody is to change what the next one reads.
      const copy = join(scratch, `written-${readable.length}`)
      if (folder !== undefined && runtime.command) await cp(folder, copy, { recursive: true })
      readable.push({ ...one, ...(folder !== undefined && { folder: copy }) })
    }
    let done = false
    await ask(
      runtime,
      bundles,
      { do: 'run', numRuns: runtime.browser ? NUM_RUNS_IN_BROWSERS : NUM_RUNS, scratch, written: readable },
      (answer) => {
        if (answer.done) done = true
        else if (answer.note) rows.get(runtime).notes.push(answer.note)
        else rows.get(runtime).outcomes.push(answer)
      },
    )
    if (!done) throw new Error(`${runtime.name} stopped without a word.`)
  })
  await attempt('runs the suites over a bucket and a database', async (runtime) => {
    if (runtime.name === 'workerd') await runBindings(10, (outcome) => rows.get(runtime).outcomes.push(outcome))
  })
  await attempt('has its example', async (runtime, scratch) => {
    await outcomesOf(runtime, 'example', examples[runtime.name]?.(runtime, scratch) ?? [])
  })
  await attempt('takes down the program that it runs', async (runtime, scratch) => {
    if (runtime.command) await outcomesOf(runtime, 'runtime', companionTests(runtime, scratch))
  })
  await attempt('serves', async (runtime, scratch) => {
    if (runtime.command) await outcomesOf(runtime, 'server', serverTests(runtime, scratch))
  })
  await attempt('tells what an import costs', async (runtime, scratch) => {
    if (runtime.name === 'workerd') cost = await importCost(runtime, scratch)
  })
} finally {
  await rm(top, { recursive: true, force: true })
}
const strict = Boolean(process.env.CI) || process.env.TIDEMARK_RUNTIMES === 'required'
const report = tellOutcome([...rows.values()], { strict })
if (cost !== undefined) {
  const [all, compiling] = [cost.imported, cost.beside].map((ms) => (ms - cost.empty).toFixed(1))
  console.log(
    `workerd: importing tidemark and its backend takes ${all} ms of processor time, of which compiling ${Math.round(cost.size / 1000)} kB takes ${compiling}; a worker with nothing in it takes ${cost.empty.toFixed(1)}`,
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

/** Does it with each runtime that was found, as many at once as there are cores; what is thrown is a failed test of that runtime. */
async function attempt(name, task) {
  const queue = found.values()
  const work = async () => {
    for (const runtime of queue) {
      const row = rows.get(runtime)
      const begun = performance.now()
      try {
        await task(runtime, await mkdtemp(join(top, 'scratch-')))
      } catch (error) {
        row.outcomes.push({ room: 'runtime', name, ms: 0, error: String(error) })
      }
      row.ms += performance.now() - begun
    }
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, work))
}
