import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

/** Bundles a worker written in TypeScript into one file that plain Node runs, and gives its path. */
export async function bundleWorker(name: string, folder: string): Promise<string> {
  await build({
    configFile: false,
    logLevel: 'error',
    // The folder is outside this package: nothing could be imported from there.
    ssr: { noExternal: true },
    build: {
      ssr: fileURLToPath(new URL(name, import.meta.url)),
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'worker.mjs', format: 'esm' } },
    },
  })
  return `${folder}/worker.mjs`
}

/** Starts a worker, without the options this test runner was started with. */
export function startWorker(path: string, args: readonly string[]): ChildProcess {
  return fork(path, args, { execArgv: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
}
