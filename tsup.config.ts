import { defineConfig } from 'tsup'

const entries = [
  'index',
  'stores/fs',
  'stores/memory',
  'stores/r2',
  'stores/d1',
  'stores/indexeddb',
  'stores/opfs',
  'backend/backend',
  'server/node',
  'server/deno',
  'server/bun',
  'server/worker',
  'cli/main',
]

// One config with shared chunks: entries built apart would each get their own error classes, and `instanceof` would fail across subpaths.
export default defineConfig({
  // The worker lies beside the chunk that names it, where bundlers look for it.
  entry: {
    ...Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
    'aside-worker': 'src/content/aside-worker.ts',
  },
  format: 'esm',
  target: 'es2022',
  dts: {
    entry: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
    // `Symbol.asyncDispose`, which the usual libraries of TypeScript do not know.
    banner: '/// <reference lib="esnext.disposable" />',
  },
  clean: true,
  sourcemap: true,
  splitting: true,
  treeshake: true,
  removeNodeProtocol: false,
  external: [/^node:/],
})
