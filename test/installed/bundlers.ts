import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { build as esbuild } from 'esbuild'
import { build as viteBuild } from 'vite'

/** Bundles `entry` for a page into `entry.js` and what that loads, in the folder `out`. */
export type Bundler = (entry: string, out: string) => Promise<void>

export const withVite: Bundler = async (entry, out) => {
  await viteBuild({
    configFile: false,
    root: dirname(entry),
    logLevel: 'error',
    base: './',
    build: {
      outDir: out,
      rollupOptions: { input: entry, output: { entryFileNames: 'entry.js' } },
    },
  })
}

export const withEsbuild: Bundler = async (entry, out) => {
  await esbuild({
    entryPoints: { entry },
    outdir: out,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    logLevel: 'error',
  })
}

export const withEsbuildInOne: Bundler = async (entry, out) => {
  await esbuild({
    entryPoints: { entry },
    outdir: out,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    logLevel: 'error',
  })
}

/** webpack as it is out of the box, for pages; from the folder of the runtimes, since nothing else of this package needs it. */
export const withWebpack: Bundler = async (entry, out) => {
  const webpack: Webpack = createRequire(new URL('../runtimes/package.json', import.meta.url))('webpack')
  const compiler = webpack({
    mode: 'production',
    target: 'web',
    context: dirname(entry),
    entry,
    output: { path: join(out), filename: 'entry.js' },
  })
  await new Promise<void>((resolve, reject) =>
    compiler.run((error, stats) => {
      const errors = stats?.hasErrors() || stats?.hasWarnings() ? new Error(stats.toString('errors-warnings')) : error
      compiler.close(() => (errors ? reject(errors) : resolve()))
    }),
  )
}

type Webpack = (options: object) => {
  run(done: (error: Error | null, stats?: Stats) => void): void
  close(done: () => void): void
}

interface Stats {
  hasErrors(): boolean
  hasWarnings(): boolean
  toString(what: string): string
}
