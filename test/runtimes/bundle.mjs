import { readdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** @type {Record<string, import('esbuild').BuildOptions>} */
const kinds = {
  // Node, Deno and Bun: they resolve packages by themselves, each by its own conditions.
  files: { entryPoints: [here('main-fs.ts')], platform: 'node', packages: 'external' },
  // Everything in modules of its own, packages by the conditions that wrangler uses.
  workerd: {
    entryPoints: [here('main-worker.ts')],
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*'],
  },
}

kinds.bindings = { ...kinds.workerd, entryPoints: [here('main-bindings.ts')] }

/** Bundles the suites for one kind of runtime, and gives the folder and the names of the modules in it, the entry first. */
export async function bundleSuites(kind) {
  // Inside the package: what is not bundled is looked for from there.
  const folder = here(`.out/${kind}`)
  await rm(folder, { recursive: true, force: true })
  await build({
    ...kinds[kind],
    outdir: folder,
    entryNames: 'main',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is only imported when it is needed stays in a file of its own, and is only loaded then.
    splitting: true,
    format: 'esm',
    target: 'es2022',
    alias: { vitest: here('test-api.ts') },
    logLevel: 'error',
  })
  const names = (await readdir(folder)).filter((name) => name.endsWith('.mjs'))
  return { folder, modules: ['main.mjs', ...names.filter((name) => name !== 'main.mjs')] }
}
