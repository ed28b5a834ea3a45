import { fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./job-process.mjs', import.meta.url))

// A spread above this says that something else was running: more rounds then.
const wideSpread = 0.3
const mostRounds = 9

/**
 * Runs jobs of a module in turn, A B A B, each in a process of its own that stays alive, so that code is warm and neither's memory is the other's.
 * Gives for each job the median time in ms, the median time of its processor (less of a matter of who else is running) and what its last sample returned.
 *
 * `jobs` of the module: name -> async (context) => ({ before?, sample, after? }); only `sample` is timed.
 */
export async function race(module, names, { rounds = 5, warmUps = 1, context = {} } = {}) {
  return inFolder(async (folder) => {
    const racers = []
    try {
      for (const name of names) racers.push(await start(module, name, { ...context, folder }))
      for (let round = 0; round < warmUps; round++) for (const racer of racers) await racer.sample()
      const times = racers.map(() => [])
      const cpus = racers.map(() => [])
      const facts = []
      for (let round = 0; round < rounds || (round < mostRounds && times.some(isSpread)); round++) {
        for (const [i, racer] of racers.entries()) {
          const { ms, cpu, result } = await racer.sample()
          times[i].push(ms)
          cpus[i].push(cpu)
          facts[i] = result
        }
      }
      return Object.fromEntries(
        names.map((name, i) => [
          name,
          { ...summary(times[i]), cpu: median(cpus[i].sort((a, b) => a - b)), ...facts[i] },
        ]),
      )
    } finally {
      for (const racer of racers) await racer.stop()
    }
  })
}

/** Runs one job once, in a fresh process: for figures of memory. */
export async function runOnce(module, name, context = {}) {
  return inFolder(async (folder) => {
    const racer = await start(module, name, { ...context, folder })
    try {
      const { ms, result } = await racer.sample()
      return { median: ms, ...result }
    } finally {
      await racer.stop()
    }
  })
}

const folders = new Set()

/** Gives the task a folder of its own, which is gone afterwards, also when the bench is interrupted. */
export async function inFolder(task) {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-bench-'))
  folders.add(folder)
  try {
    return await task(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
    folders.delete(folder)
  }
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
    process.exit(code)
  })
}

async function start(module, name, context) {
  const child = fork(program, [module, name, JSON.stringify(context)], {
    execArgv: ['--expose-gc', ...(process.env.TIDEMARK_BENCH_PROFILE ? ['--cpu-prof'] : [])],
    serialization: 'advanced',
  })
  let answer
  child.on('message', (message) => answer(message))
  child.on('exit', (code) => answer?.({ error: `its process ended with code ${code}` }))
  const ask = async (message) => {
    const answered = new Promise((resolve) => {
      answer = resolve
    })
    child.send(message)
    const { error, ...result } = await answered
    if (error) throw new Error(`The job '${name}' failed: ${error}`)
    return result
  }
  await ask('prepare')
  return {
    sample: () => ask('sample'),
    stop: async () => {
      if (child.exitCode !== null) return
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

function summary(times) {
  const sorted = times.toSorted((a, b) => a - b)
  return { median: median(sorted), low: sorted[0], high: sorted.at(-1), rounds: sorted.length }
}

function median(sorted) {
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

// The middle half, so that one pause of the machine does not count.
function isSpread(times) {
  const sorted = times.toSorted((a, b) => a - b)
  const quarter = sorted.length >> 2
  return (sorted[sorted.length - 1 - quarter] - sorted[quarter]) / median(sorted) > wideSpread
}
