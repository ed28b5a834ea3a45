import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { startedProcess } from './started.mjs'
import { startWorkerd } from './workerd.mjs'

/** A guard against hanging, not a measure: alone on two cores the slowest needs half a minute, and shared machines may be twenty times slower for a while. */
const PATIENCE_MS = 600_000

/**
 * Gives a task to a runtime, and every answer to `take` as it comes.
 *
 * @param {object} runtime one of `findRuntimes`; of a browser, with its `session`, one of `openBrowser`
 * @param {Record<string, { folder: string, modules: string[] }>} bundles of each kind, the entry first
 * @throws when the runtime cannot be started, crashes or hangs
 */
export async function ask(runtime, bundles, task, take) {
  const read = async (lines) => {
    for await (const line of createInterface({ input: lines })) take(JSON.parse(line))
  }
  if (runtime.session) await askBrowser(runtime, task, take)
  else if (runtime.command) await askProcess(runtime, bundles[runtime.bundle], task, read)
  else await askWorkerd(runtime, bundles.workerd, task, read)
}

async function askBrowser({ session, place }, task, take) {
  await session.ask(place, task, PATIENCE_MS, take)
  if (task.do === 'run') take({ done: true })
}

async function askProcess({ program, name, command }, { folder, modules }, task, read) {
  await mkdir(task.scratch, { recursive: true })
  const file = join(task.scratch, 'task.json')
  await writeFile(file, JSON.stringify(task))
  const [binary, ...options] = command(program, task.scratch)
  const child = spawn(binary, [...options, join(folder, modules[0]), file], {
    cwd: task.scratch,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const end = startedProcess(child)
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? code))
  })
  const patience = setTimeout(end, PATIENCE_MS)
  try {
    const [how] = await Promise.all([ended, read(child.stdout)])
    if (how !== 0) throw new Error(`${name} ended with ${how}.`)
  } finally {
    clearTimeout(patience)
    await end()
  }
}

async function askWorkerd({ program }, { folder, modules }, task, read) {
  const { url, stop } = await startWorkerd(program, folder, modules)
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const { status, body } = await fetch(url, { method: 'POST', body: JSON.stringify(task), signal })
    if (status !== 200) throw new Error(`workerd answered ${status}.`)
    await read(Readable.fromWeb(body))
  } finally {
    await stop()
  }
}
