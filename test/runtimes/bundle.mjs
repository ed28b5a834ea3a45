import { readdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** @type {Record<string, import('esbuild').BuildOptions>} */
const kinds = {
  // Node, Deno and Bun: they resolve packages by themselves, each by its own conditions.
  files: { entryPoints: { main: here('main-fs.ts') }, platform: 'node', packages: 'external' },
  'happy-dom': { entryPoints: { main: here('main-happy-dom.ts') }, platform: 'node', packages: 'external' },
  // Everything in modules of its own, packages by the conditions that wrangler uses.
  workerd: {
    entryPoints: { main: here('main-worker.ts') },
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*'],
  },
  browser: {
    entryPoints: {
      main: here('main-browser.ts'),
      worker: here('main-web-worker.ts'),
      'aside-worker': here('../../src/content/aside-worker.ts'),
    },
    platform: 'browser',
    external: ['node:*'],
  },
  // In one file: a service worker may not import anything when it is needed.
  'service-worker': {
    entryPoints: { main: here('main-browser.ts'), 'service-worker': here('main-service-worker.ts') },
    platform: 'browser',
    plugins: [withoutNode()],
    splitting: false,
  },
}

/** What is for files only stays behind a dynamic import; in one file, that is a module that fails when it is first needed. */
function withoutNode() {
  return {
    name: 'without-node',
    setup(build) {
      build.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'without-node' }))
      build.onLoad({ filter: /./, namespace: 'without-node' }, ({ path }) => ({
        contents: `module.exports = {}; throw new Error('There is no ${path} here.')`,
      }))
    },
  }
}

kinds.bindings = { ...kinds.workerd, entryPoints: { main: here('main-bindings.ts') } }

/** Bundles the suites for one kind of runtime, and gives the folder and the names of the modules in it, the entry first. */
export async function bundleSuites(kind) {
  // Inside the package: what is not bundled is looked for from there.
  const folder = here(`.out/${kind}`)
  await rm(folder, { recursive: true, force: true })
  await build({
    outdir: folder,
    entryNames: '[name]',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is only imported when it is needed stays in a file of its own, and is only loaded then.
    splitting: true,
    format: 'esm',
    target: 'es2022',
    alias: { vitest: here('test-api.ts') },
    logLevel: 'error',
    ...kinds[kind],
  })
  const names = (await readdir(folder)).filter((name) => name.endsWith('.mjs'))
  return { folder, modules: ['main.mjs', ...names.filter((name) => name !== 'main.mjs')] }
}
