import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { startWorkerd } from './workerd.mjs'

const times = 7

// A worker's first line runs when its first request comes: until then it is not counted.
const workers = {
  nothing: "export default { fetch: () => new Response('0') }",
  tidemark: `import { connect } from 'tidemark'
    export default { fetch: () => new Response(String(connect.length)) }`,
  backend: `import * as tidemark from 'tidemark'
    import { createBackend } from 'tidemark/backend'
    export default { fetch: () => new Response(String([tidemark.connect, createBackend].length)) }`,
}

/**
 * Milliseconds of processor time from start to first answer, the median of several: of an empty worker; of one that has `tidemark` beside it and does not import it, for workerd compiles every
 * module that is there; of one that imports it, in one module with all that is in it; of one that imports its backend too. `undefined` where the kernel does not say how long a process ran.
 */
export async function importCost({ program }, scratch) {
  if (!existsSync('/proc/self/schedstat')) return undefined
  const folder = await mkdtemp(join(scratch, 'import-'))
  for (const [name, contents] of Object.entries(workers))
    await build({
      stdin: { contents, resolveDir: fileURLToPath(new URL('../size', import.meta.url)) },
      outfile: join(folder, `${name}.mjs`),
      bundle: true,
      minify: true,
      format: 'esm',
      conditions: ['workerd', 'worker', 'browser'],
      logLevel: 'error',
    })
  const median = async (...modules) => {
    const each = []
    for (let i = 0; i < times; i++) each.push(await once(program, folder, modules))
    return each.sort((a, b) => a - b)[times >> 1]
  }
  const empty = await median('nothing.mjs')
  const beside = await median('nothing.mjs', 'tidemark.mjs')
  const imported = await median('tidemark.mjs')
  const withBackend = await median('backend.mjs')
  const { size } = await stat(join(folder, 'tidemark.mjs'))
  return { empty, beside, imported, withBackend, size }
}

async function once(program, folder, modules) {
  const { url, pid, stop } = await startWorkerd(program, folder, modules)
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
