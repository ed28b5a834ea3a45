import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

/** The command line as a child process: what a person runs. */
export interface Program {
  run(args: readonly string[], options: RunOptions): Promise<Ended>
  /** Starts it; for those who want to interrupt it. */
  start(args: readonly string[], options: RunOptions): { child: ChildProcess; ended: Promise<Ended> }
  remove(): Promise<void>
}

export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Bundles the source, so that the tests never run a stale build. Below node_modules, where the dependencies are found. */
export async function bundleProgram(): Promise<Program> {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const folder = await mkdtemp(join(root, 'node_modules/.tidemark-cli-'))
  await build({
    configFile: false,
    logLevel: 'error',
    root,
    build: {
      ssr: join(root, 'src/cli/main.ts'),
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'main.mjs', chunkFileNames: '[name]-[hash].mjs', format: 'esm' } },
    },
  })
  const start: Program['start'] = (args, { cwd, env }) => {
    const { PATH = '', HOME = cwd } = process.env
    const child = spawn(process.execPath, [join(folder, 'main.mjs'), ...args], { cwd, env: { PATH, HOME, ...env } })
    return { child, ended: ending(child) }
  }
  return {
    start,
    run: (args, options) => start(args, options).ended,
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

function ending(child: ChildProcess): Promise<Ended> {
  let out = ''
  let err = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
  })
}
