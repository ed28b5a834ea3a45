import { defineConfig } from 'tsup'

// One config with shared chunks: entries built apart would each get their own error classes, and `instanceof` would fail across subpaths.
export default defineConfig({
  entry: [
    'src/index.ts',
    'src/stores/fs.ts',
    'src/stores/memory.ts',
    'src/stores/r2.ts',
    'src/stores/d1.ts',
    'src/stores/indexeddb.ts',
    'src/stores/opfs.ts',
    'src/backend/backend.ts',
    'src/server/node.ts',
    'src/server/deno.ts',
    'src/server/bun.ts',
    'src/server/worker.ts',
    'src/cli/main.ts',
  ],
  format: 'esm',
  target: 'es2022',
  dts: true,
  clean: true,
  sourcemap: true,
  splitting: true,
  treeshake: true,
  removeNodeProtocol: false,
  external: [/^node:/],
})
