import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { build as esbuild } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import ts from 'typescript'
import { parseAst, build as viteBuild } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../package.json'
import { installPacked } from './packed.mjs'

const root = resolve(import.meta.dirname, '..')
const run = promisify(execFile)

/** The folder of a project that has the packed package installed, and the tarball. */
let project: string
let tarball: Uint8Array
const installed = (path = '') => join(project, 'node_modules/tidemark', path)

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'tidemark-test-'))
  tarball = await installPacked(project)
}, 300_000)
afterAll(() => rm(project, { recursive: true, force: true }))

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
}

describe('the package', () => {
  test('holds what it should and nothing else', () => {
    const files = filesBelow(installed())
    const outside = files.filter((path) => !path.startsWith('dist/'))
    expect(outside.toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'docs/spec.md', 'package.json'])
    expect(files.filter((path) => !/^dist\/[\w/-]+\.(js|js\.map|d\.ts)$/.test(path))).toEqual(outside)
  })

  test('names no place of the machine it was built on', () => {
    const places = [root, homedir(), tmpdir(), '/home/', '/Users/'].filter((place) => place.length > 1)
    const found = filesBelow(installed()).flatMap((path) => {
      const text = readFileSync(installed(path), 'utf8')
      return places.filter((place) => text.includes(place)).map((place) => `${path}: ${place}`)
    })
    expect(found).toEqual([])
  })

  test('has no fault that publint knows', async () => {
    const { messages } = await publint({ pkgDir: installed(), strict: true, pack: false })
    const pkg: Record<string, unknown> = manifest
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  test('has types that are right', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(tarball))
    const problems = analysis.types ? analysis.problems : [{ kind: 'no types at all' }]
    // ES modules only, for Node 20 and newer: `require` of it is not promised, and resolution that knows no `exports` is older than that.
    const promised = problems.filter(
      (problem) =>
        !(
          'resolutionKind' in problem &&
          (problem.resolutionKind === 'node10' || problem.resolutionKind === 'node16-cjs')
        ),
    )
    expect(promised).toEqual([])
  })

  test('has a file for everything it exports and runs', () => {
    const targets = [
      ...Object.values(manifest.exports).flatMap((target) =>
        typeof target === 'string' ? [target] : Object.values(target),
      ),
      ...Object.values(manifest.bin),
    ]
    expect(targets.length).toBeGreaterThan(8)
    for (const target of targets) expect(existsSync(installed(target)), target).toBe(true)
    expect(readFileSync(installed(manifest.bin.tidemark), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
  })

  test('reaches Node only behind dynamic imports', () => {
    for (const entry of ['dist/index.js', 'dist/stores/memory.js', 'dist/backend/backend.js']) {
      const { files, packages } = reached(installed(entry))
      expect(files.size).toBeGreaterThan(0)
      expect([...packages].filter((name) => !Object.hasOwn(manifest.dependencies, packageOf(name)))).toEqual([])
    }
    expect([...reached(installed('dist/stores/fs.js')).packages]).toContain('node:fs')
  })

  test('loads nothing heavy before it is needed', () => {
    const { packages } = reached(installed('dist/index.js'))
    for (const heavy of ['apache-arrow', 'hash-wasm', 'yaml', 'ignore', 'picomatch/posix.js'])
      expect(packages).not.toContain(heavy)
  })

  test('has a build for runtimes without files, chosen where no other is named', () => {
    const { '.': main, ...others } = manifest.exports
    for (const target of [main, ...Object.values(others)]) {
      if (typeof target === 'string' || !target.default.startsWith('./dist/portable/')) continue
      const full = target.default.replace('/portable/', '/')
      const portable = target.default
      // The order decides: a bundler for a page or a worker may name `node` or `deno` as well, none of those three names `browser`.
      expect(Object.entries(target)).toEqual([
        ['types', full.replace(/js$/, 'd.ts')],
        ...['workerd', 'worker', 'browser'].map((condition) => [condition, portable]),
        ...['deno', 'bun', 'node'].map((condition) => [condition, full]),
        ['default', portable],
      ])
    }
    expect(main.default).toBe('./dist/portable/index.js')
    const texts = filesBelow(installed('dist/portable')).map((path) =>
      readFileSync(installed(`dist/portable/${path}`), 'utf8'),
    )
    expect(texts.filter((text) => /(from|import\() ?['"](node:|yaml)/.test(text))).toEqual([])
  })

  test('has one set of classes for all its entries', async () => {
    const program = `import { ConflictError, memoryStore } from 'tidemark'
      import { memoryStore as other } from 'tidemark/stores/memory'
      import { fsStore } from 'tidemark/stores/fs'
      import { createBackend } from 'tidemark/backend'
      const store = fsStore('store')
      await store.put('a', new Uint8Array(1))
      const error = await store.put('a', new Uint8Array(1), { ifAbsent: true }).catch((error) => error)
      console.log(memoryStore === other, error instanceof ConflictError, typeof createBackend)`
    expect(await runInProject(program)).toBe('true true function\n')
  })
})

describe('installed elsewhere', () => {
  test('a six-line program runs', async () => {
    const program = `import { createExperiment } from 'tidemark'
      const experiment = await createExperiment({ project: 'flowers' })
      await experiment.uploadArtifact('settings', { lr: 1e-3, layers: [64, 64] })
      const again = await experiment.getArtifact('settings')
      console.log(again.version, JSON.stringify(await again.get()))
      await experiment.end()`
    expect(await runInProject(program)).toBe('1.0.0 {"lr":0.001,"layers":[64,64]}\n')
  })

  test.each([
    ['Vite', bundleWithVite],
    ['esbuild, into one module', bundleWithEsbuild],
  ])('%s bundles it for a page, with nothing of Node in it', async (name, bundle) => {
    const folder = join(project, name.replace(/\W.*/, ''))
    await mkdir(folder)
    const entry = join(folder, 'entry.mjs')
    await writeFile(
      entry,
      `import { connect } from 'tidemark'
      async function main() {
        const tidemark = await connect({ store: 'memory:' })
        const experiment = await tidemark.createExperiment()
        const logged = await experiment.uploadArtifact('rows', [{ id: 1, label: 'rose' }])
        console.log(logged.version, (await logged.get()).getChild('label').get(0))
        await experiment.end()
        await tidemark.close()
      }
      main()`,
    )
    const out = join(folder, 'out')
    await bundle(entry, out)
    const texts = filesBelow(out).map((path) => readFileSync(join(out, path), 'utf8'))
    expect(texts.filter((text) => /(from|import\() ?["'](node:|yaml|[\w@])/.test(text))).toEqual([])
    expect((await run(process.execPath, [join(out, 'entry.mjs')], { cwd: folder })).stdout).toBe('1.0.0 rose\n')
  })

  test('the command line runs', async () => {
    const cli = installed(manifest.bin.tidemark)
    const { stdout } = await run(process.execPath, [cli, '--version'], { cwd: project })
    expect(stdout).toBe(`${manifest.version}\n`)
    await writeFile(join(project, 'data.csv'), 'a,b\n1,2\n')
    const put = await run(process.execPath, [cli, 'put', 'data', 'data.csv', '--store', 'cli'], { cwd: project })
    expect(put.stdout).toContain('Stored data v0 (1.0.0): 1 asset, 8 B')
  })

  test.each([
    ['NodeNext', ts.ModuleKind.NodeNext, ts.ModuleResolutionKind.NodeNext],
    ['Bundler', ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler],
  ])('its types serve a project with %s resolution', async (_, module, moduleResolution) => {
    const file = join(project, 'program.ts')
    await writeFile(
      file,
      `import { Artifact, type ConnectOptions, connect, type LoggedArtifact, NotFoundError, type Store } from 'tidemark'
      import { fsStore } from 'tidemark/stores/fs'
      const options: ConnectOptions = { store: fsStore('x') }
      const tidemark = await connect(options)
      const experiment = await tidemark.createExperiment()
      const logged: LoggedArtifact = await experiment.logArtifact(new Artifact('a', 'b'))
      export const index: number = logged.index
      // @ts-expect-error: a version is text
      export const wrong: number = logged.version
      export const error: Error = new NotFoundError('x', { code: 'y' })
      export const store: Store = fsStore('y')
`,
    )
    const program = ts.createProgram([file], {
      module,
      moduleResolution,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.asynciterable.d.ts', 'lib.esnext.disposable.d.ts'],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: [],
    })
    const errors = ts
      .getPreEmitDiagnostics(program)
      // Those of the packages it depends on are theirs.
      .filter((one) => !one.file || one.file.fileName.startsWith(project))
      .map(
        ({ file: where, messageText }) => `${where?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
      )
    expect(errors).toEqual([])
  })
})

describe('npm start', () => {
  test('does the main job, and everything read back is the same', async () => {
    const temporary = join(project, 'start')
    await mkdir(temporary)
    const env = { PATH: process.env.PATH, TMPDIR: temporary, TEMP: temporary }
    const { stdout } = await run(process.execPath, ['examples/node/main-job.mjs'], { cwd: root, env })
    expect(stdout).toContain('read back and are equal to the original, bit for bit.')
    expect(stdout.match(/✓/g)?.length).toBe(23)
    expect(stdout).not.toContain('✗')
    expect(stdout).not.toContain('\u001b')
    const lines = Array.from(stdout.matchAll(/^ {2}npx tidemark (.*)$/gm), ([, line]) => line)
    expect(lines.length).toBeGreaterThan(3)
    // What it invites to try next works on that very store.
    for (const line of lines)
      await run(process.execPath, [join(root, manifest.bin.tidemark), ...line.split(' ')], { cwd: root, env })
  })
})

async function bundleWithVite(entry: string, out: string): Promise<void> {
  await viteBuild({
    configFile: false,
    root: dirname(entry),
    logLevel: 'error',
    build: {
      outDir: out,
      target: 'es2022',
      // What asks the page for its modules ahead of time needs a page.
      modulePreload: false,
      rollupOptions: {
        input: entry,
        output: { entryFileNames: 'entry.mjs', chunkFileNames: '[name]-[hash].mjs' },
      },
    },
  })
}

async function bundleWithEsbuild(entry: string, out: string): Promise<void> {
  const outfile = join(out, 'entry.mjs')
  await esbuild({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'browser', logLevel: 'error' })
}

async function runInProject(program: string): Promise<string> {
  const file = join(project, 'program.mjs')
  await writeFile(file, program)
  return (await run(process.execPath, [file], { cwd: project })).stdout
}

/** What a module loads at once, and what is loaded with it. */
function reached(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>()
  const packages = new Set<string>()
  const visit = (path: string) => {
    if (files.has(path)) return
    files.add(path)
    for (const node of parseAst(readFileSync(path, 'utf8')).body) {
      if (!('source' in node) || !node.source) continue
      const name = String(node.source.value)
      if (name.startsWith('.')) visit(resolve(dirname(path), name))
      else packages.add(name)
    }
  }
  visit(entry)
  return { files, packages }
}

function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/')
}
