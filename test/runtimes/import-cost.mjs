import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { startWorkerd } from './workerd.mjs'

const times = 7

// A worker's first line runs when its first request comes: until then it is not counted.
const workers = {
  nothing: "export default { fetch: () => new Response('0') }",
  tidemark: `import * as tidemark from 'tidemark'
    import { createBackend } from 'tidemark/backend'
    export default { fetch: () => new Response(String([tidemark.connect, createBackend].length)) }`,
}

/**
 * Milliseconds of processor time that workerd takes to load `tidemark` and its backend in one module, with all that is in them: the difference to an empty worker, from start to first answer,
 * the median of several. `undefined` where the kernel does not say how long a process ran.
 */
export async function importCost({ program }, scratch) {
  if (!existsSync('/proc/self/schedstat')) return undefined
  const folder = await mkdtemp(join(scratch, 'import-'))
  const taken = []
  for (const [name, contents] of Object.entries(workers)) {
    await mkdir(join(folder, name))
    await build({
      stdin: { contents, resolveDir: fileURLToPath(new URL('../size', import.meta.url)) },
      outfile: join(folder, name, 'worker.mjs'),
      bundle: true,
      minify: true,
      format: 'esm',
      conditions: ['workerd', 'worker', 'browser'],
      logLevel: 'error',
    })
    const each = []
    for (let i = 0; i < times; i++) each.push(await once(program, join(folder, name)))
    taken.push(each.sort((a, b) => a - b)[times >> 1])
  }
  const [empty, full] = taken
  return full - empty
}

async function once(program, folder) {
  const { url, pid, stop } = await startWorkerd(program, folder, ['worker.mjs'])
  try {
    await (await fetch(url)).text()
    return processorMs(pid)
  } finally {
    await stop()
  }
}

/** The first number of `schedstat` is nanoseconds on a processor (Documentation/scheduler/sched-stats.rst of Linux). */
function processorMs(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`)
  const ns = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]))
  return ns.reduce((sum, one) => sum + one, 0) / 1e6
}
