import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as tidemark from '../src/index.ts'
import { blocksOf, docstringExamples, documents, type Example, pageExamples, relativeLinks } from './doc-examples.ts'
import { tempFolder } from './sources/temp-folder.ts'

const root = resolve(import.meta.dirname, '..')
const examples = [...pageExamples(), ...docstringExamples(Object.keys(tidemark))]

// Below node_modules, where the dependencies are found.
let folder: string

const fileOf = (example: Example) => `${example.name.replaceAll(/[^\w]/g, '-')}.${example.language}`
const builtOf = (example: Example) => join(folder, 'built', fileOf(example).replace(/\.\w+$/, '.mjs'))

beforeAll(async () => {
  folder = await mkdtemp(join(root, 'node_modules/.tidemark-docs-'))
  for (const example of examples) await writeFile(join(folder, fileOf(example)), example.code)
  await bundle()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function bundle(): Promise<void> {
  const entries = examples.map((example) => [fileOf(example).replace(/\.\w+$/, ''), join(folder, fileOf(example))])
  await build({
    configFile: false,
    logLevel: 'error',
    root,
    resolve: {
      alias: [
        { find: /^tidemark$/, replacement: join(root, 'src/index.ts') },
        { find: /^tidemark\/stores\/(\w+)$/, replacement: join(root, 'src/stores/$1.ts') },
        { find: /^tidemark\/server\/(\w+)$/, replacement: join(root, 'src/server/$1.ts') },
        { find: /^tidemark\/backend$/, replacement: join(root, 'src/backend/backend.ts') },
      ],
    },
    build: {
      ssr: true,
      outDir: join(folder, 'built'),
      target: 'node20',
      rollupOptions: {
        input: { ...Object.fromEntries(entries), cli: join(root, 'src/cli/main.ts') },
        output: { entryFileNames: '[name].mjs', chunkFileNames: 'chunks/[name]-[hash].mjs', format: 'esm' },
      },
    },
  })
}

/** What readers are assumed to have around: photos, and the command on their PATH. */
async function surroundings() {
  const cwd = await tempFolder({
    'photos/a.jpg': 'not really a photo',
    'photos/2024/b.jpg': 'nor is this',
    'photos/c.jpeg': 'this is none either',
    'photos/d.tmp': 'left out',
  })
  const bin = await tempFolder()
  await chmod(join(folder, 'built/cli.mjs'), 0o755)
  await symlink(join(folder, 'built/cli.mjs'), join(bin, 'tidemark'))
  await writeFile(join(bin, 'npx'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 })
  return { cwd, env: { PATH: `${bin}:${process.env.PATH}`, HOME: cwd } }
}

const run = promisify(execFile)

/** A command that goes on until Ctrl-C: that comes once it has said where it serves. */
async function serve(command: string, where: { cwd: string; env: NodeJS.ProcessEnv }): Promise<void> {
  const child = spawn('sh', ['-c', command], { ...where, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  for await (const text of child.stdout.setEncoding('utf8')) {
    said += text
    if (/Ctrl-C/.test(said) && child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
  }
  await ended
  expect(said).toMatch(/serves .* at http:\/\/127\.0\.0\.1:\d+/)
}

describe('examples', () => {
  test('there are some: pages and docstrings are found', () => {
    const names = examples.map(({ name }) => name)
    expect(names).toContain('README.md')
    expect(names.filter((name) => name.startsWith('src/')).length).toBeGreaterThan(15)
    expect(new Set(examples.map(fileOf)).size).toBe(examples.length)
  })

  test.each(examples)('of $name run', async (example) => {
    const { cwd, env } = await surroundings()
    await run(process.execPath, [builtOf(example)], { cwd, env })
    for (const command of example.commands)
      if (/\btidemark start\b/.test(command)) await serve(command, { cwd, env })
      else await run('sh', ['-c', command], { cwd, env })
  })

  test('in plain JavaScript are that: Node 20 reads them as they stand', () => {
    for (const example of examples.filter(({ language }) => language === 'js')) {
      const file = join(folder, `plain-${fileOf(example)}`.replace(/js$/, 'mjs'))
      ts.sys.writeFile(file, example.code)
      expect(spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' }).stderr, example.name).toBe('')
    }
  })

  test('have no type errors', () => {
    const typed = examples.filter(({ language }) => language === 'ts').map((example) => join(folder, fileOf(example)))
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent(
      { compilerOptions: config.compilerOptions, files: typed },
      ts.sys,
      root,
    )
    const program = ts.createProgram(typed, {
      ...options,
      noUnusedLocals: false,
      paths: {
        tidemark: [join(root, 'src/index.ts')],
        'tidemark/stores/*': [join(root, 'src/stores/*.ts')],
        'tidemark/server/*': [join(root, 'src/server/*.ts')],
        'tidemark/backend': [join(root, 'src/backend/backend.ts')],
      },
    })
    const errors = typed.flatMap((file) => {
      const source = program.getSourceFile(file)
      return source ? [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)] : []
    })
    expect(
      errors.map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`),
    ).toEqual([])
  })

  test('a failing one is noticed', async () => {
    const file = join(folder, 'failing.mjs')
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, "throw new Error('stale')\n")
    await expect(run(process.execPath, [file])).rejects.toThrow('stale')
  })
})

describe.each(documents())('%s', (name) => {
  const text = readFileSync(join(root, name), 'utf8')

  test('has no dead link', () => {
    const anchors = Array.from(text.matchAll(/^#+ (.*)$/gm), ([, title]) =>
      title
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    )
    for (const link of relativeLinks(text)) {
      const [path, anchor] = link.split('#')
      if (path) expect(existsSync(join(root, dirname(name), path)), link).toBe(true)
      else expect(anchors, link).toContain(anchor)
    }
  })

  test('leaves no block out', () => {
    for (const { info } of blocksOf(text)) expect(info).toBe('')
  })
})
