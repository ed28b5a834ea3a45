// The build for runtimes without files, `dist/portable`. Nothing in it reads files: bundlers for browsers stop at `node:fs`, also behind an import that never
// happens. The conditions in package.json choose between the builds; all subpaths of a program come from the same one.
//
// What `index.js` always needs is one module, because bundlers make a chunk of each set of modules that are needed together, and twenty small ones weigh a third more
// than one. Everything else comes in the parts in which it is loaded, so that a program takes and loads only what it meets.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as esbuild, transform } from 'esbuild'
import { rollup } from 'rollup'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = join(root, 'dist/portable')
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const entries = Object.values(exports).flatMap(
  (target) => /^\.\/dist\/portable\/(.+)\.js$/.exec(target.default)?.[1] ?? [],
)

/** What each of these needs at once is one module, as far as those before it do not have it. */
const parts = {
  core: 'index.js',
  experiment: 'experiment.js',
  reading: 'client/versions/read-version.js',
  writing: 'client/upload/writing.js',
  arrow: 'codecs/arrow/arrow.js',
  backend: 'backend/backend.js',
  logging: 'backend/routes/log-routes.js',
  listing: 'backend/routes/artifact-routes.js',
}

/** Libraries that are no ES modules, which a page without a bundler cannot load: they come with the build, each behind the import that loads it. */
const taken = ['picomatch/posix.js', 'ignore']

const compiled = mkdtempSync(join(tmpdir(), 'tidemark-portable-'))
try {
  compile()
  leaveOutFiles()
  for (const name of taken) await take(name)
  rmSync(out, { recursive: true, force: true })
  await bundle()
  await inOne(join(compiled, 'content/aside-worker.js'), join(out, 'aside-worker.js'), 'fflate', { minify: true })
} finally {
  rmSync(compiled, { recursive: true, force: true })
}

function compile() {
  const options = ['-p', 'tsconfig.portable.json', '--outDir', compiled]
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('The portable build does not compile: see above.')
}

function leaveOutFiles() {
  for (const path of readdirSync(compiled, { recursive: true, encoding: 'utf8' })) {
    // Asked for only where `hasFiles()` says so, or where its absence is caught.
    if (/(^|[\\/])(fs(-[^\\/]*)?|[^\\/]*-fs)\.js$/.test(path))
      replace(path, "throw new Error('This build of tidemark is for runtimes without files.')\n")
  }
  replace('platform/files.js', 'export const hasFiles = () => false\n')
}

function replace(path, text) {
  writeFileSync(join(compiled, path), text)
  rmSync(join(compiled, `${path}.map`))
}

/** A library as an ES module, with the licence it asks to be kept with. */
function take(name) {
  const [packageName] = name.split('/')
  return inOne(name, takenFile(name), packageName)
}

/** A module with all that it imports in it, and the licence of the package that is. */
async function inOne(entry, outfile, packageName, options) {
  const folder = dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`))
  const licence = readdirSync(folder).find((file) => file.startsWith('LICENSE'))
  const text = readFileSync(join(folder, licence), 'utf8').trim().replaceAll('*/', '* /')
  await esbuild({
    entryPoints: [entry],
    absWorkingDir: root,
    nodePaths: [join(root, 'node_modules')],
    outfile,
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    banner: { js: `/*! ${packageName}\n\n${text}\n*/` },
    logLevel: 'error',
    ...options,
  })
}

function takenFile(name) {
  return join(compiled, 'taken', `${name.split('/')[0]}.js`)
}

async function bundle() {
  const partOf = new Map()
  for (const [part, entry] of Object.entries(parts))
    for (const path of alwaysLoaded(join(compiled, entry))) if (!partOf.has(path)) partOf.set(path, part)
  const build = await rollup({
    input: Object.fromEntries(entries.map((name) => [name, join(compiled, `${name}.js`)])),
    plugins: [{ name: 'taken', resolveId: (id) => (taken.includes(id) ? takenFile(id) : null) }, mapped(), minified()],
    external: (id) => !id.startsWith('.') && !id.startsWith(compiled) && !taken.includes(id),
    treeshake: { moduleSideEffects: false },
    onwarn: (warning) => {
      if (warning.code !== 'CIRCULAR_DEPENDENCY') throw new Error(warning.message)
    },
  })
  await build.write({
    dir: out,
    format: 'esm',
    chunkFileNames: '[name]-[hash].js',
    sourcemap: true,
    // Of files that only this script made; all others are in `src`.
    sourcemapPathTransform: (source) => source.replace(/^.*\/tidemark-portable-[^/]*\//, '../../src/'),
    hoistTransitiveImports: false,
    manualChunks: (id) => partOf.get(id),
  })
  await build.close()
}

/** Maps lead back to TypeScript; what a library or this script wrote has none. */
function mapped() {
  return {
    name: 'mapped',
    load(id) {
      if (!existsSync(`${id}.map`)) return null
      return { code: readFileSync(id, 'utf8'), map: JSON.parse(readFileSync(`${id}.map`, 'utf8')) }
    },
  }
}

/** Pages without a bundler, and wrangler, load these files as they are. */
function minified() {
  return {
    name: 'minified',
    renderChunk: (code) => transform(code, { minify: true, format: 'esm', target: 'es2022', sourcemap: true }),
  }
}

/** The modules that are loaded before the first line of a program runs; without stores, of which a program has one. */
function alwaysLoaded(entry) {
  const found = new Set([entry])
  for (const path of found) {
    const text = readFileSync(path, 'utf8')
    for (const [, imported] of text.matchAll(/^(?:import|export)[^;]*?from ["'](\.[^"']+)["']/gm))
      found.add(join(path, '..', imported))
  }
  return new Set([...found].filter((path) => !path.startsWith(join(compiled, 'stores'))))
}
