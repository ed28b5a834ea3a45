import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { type ProgramName, programs } from './programs.ts'

/** What a program loads. Sizes are of all its modules, minified and each gzipped by itself, as they travel. */
export interface Measured {
  readonly bytes: number
  /** Of the modules that it loads before its first line runs. */
  readonly atStart: number
  readonly modules: readonly { readonly name: string; readonly bytes: number; readonly of: readonly string[] }[]
}

// Each module says that it was loaded; taken out again before it is weighed.
const mark = 'globalThis.loaded?.add(import.meta.url);'

/** Bundles a program the way a page's would be, runs it, and weighs what was loaded. */
export async function measure(name: ProgramName): Promise<Measured> {
  // Inside the package, where 'tidemark' is the package itself.
  const folder = await mkdtemp(join(import.meta.dirname, '.out-'))
  try {
    const { outputFiles, metafile } = await build({
      stdin: { contents: programs[name], resolveDir: import.meta.dirname, sourcefile: 'program.js' },
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      banner: { js: mark },
      bundle: true,
      splitting: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      platform: 'browser',
      metafile: true,
      write: false,
      logLevel: 'error',
    })
    await Promise.all(outputFiles.map(({ path, contents }) => writeFile(path, contents)))
    const loaded = new Set((await run(join(folder, 'stdin.mjs'))).map((url) => basename(new URL(url).pathname)))
    const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]))
    const modules = outputFiles
      .map(({ path, text }) => ({ name: basename(path), bytes: gzipSync(text.replace(mark, ''), { level: 9 }).length }))
      .filter((module) => loaded.has(module.name))
      .map((module) => ({ ...module, of: Object.keys(outputs.get(module.name)?.inputs ?? {}) }))
    const first = reached('stdin.mjs', outputs)
    return {
      bytes: sum(modules),
      atStart: sum(modules.filter((module) => first.has(module.name))),
      modules,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Outputs = ReadonlyMap<string, { readonly imports: readonly { path: string; kind: string }[] }>

function reached(entry: string, outputs: Outputs): Set<string> {
  const found = new Set([entry])
  for (const name of found)
    for (const { path, kind } of outputs.get(name)?.imports ?? [])
      if (kind === 'import-statement') found.add(basename(path))
  return found
}

async function run(entry: string): Promise<string[]> {
  const program = join(import.meta.dirname, 'run-program.mjs')
  const { stdout } = await promisify(execFile)(process.execPath, [program, entry], { maxBuffer: 2 ** 24 })
  const urls: unknown = JSON.parse(stdout)
  return Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : []
}

function sum(modules: readonly { readonly bytes: number }[]): number {
  return modules.reduce((total, { bytes }) => total + bytes, 0)
}
