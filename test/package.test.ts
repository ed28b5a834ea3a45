import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { parseAst } from 'vite'
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
    const packages = [...reached(installed('dist/index.js')).packages].map(packageOf)
    for (const heavy of ['apache-arrow', 'hash-wasm', 'yaml', 'ignore', 'picomatch'])
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
    const texts = filesBelow(installed('dist/portable'))
      .filter((path) => path.endsWith('.js'))
      .map((path) => readFileSync(installed(`dist/portable/${path}`), 'utf8'))
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

describe('installed', () => {
  test('the command line runs', async () => {
    const cli = installed(manifest.bin.tidemark)
    const { stdout } = await run(process.execPath, [cli, '--version'], { cwd: project })
    expect(stdout).toBe(`${manifest.version}\n`)
    await writeFile(join(project, 'data.csv'), 'a,b\n1,2\n')
    const put = await run(process.execPath, [cli, 'put', 'data', 'data.csv', '--store', 'cli'], { cwd: project })
    expect(put.stdout).toContain('Stored data v0 (1.0.0): 1 asset, 8 B')
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
