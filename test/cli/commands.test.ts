import { createHash, randomBytes } from 'node:crypto'
import { appendFile, open, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { version } from '../../package.json'
import { tempFolder } from '../sources/temp-folder.ts'
import { filesBelow } from '../stores/new-folder.ts'
import { bundleProgram, type Ended, type Program, type RunOptions } from './program.ts'

let program: Program

beforeAll(async () => {
  program = await bundleProgram()
})
afterAll(() => program.remove())

type Files = Parameters<typeof tempFolder>[0]

const photos: Files = { 'photos/a.txt': 'first', 'photos/deep/b.txt': 'second', 'notes.md': '# Notes\n' }

/** A folder with files, in which commands run. */
async function place(files: Files = photos) {
  const cwd = await tempFolder(files)
  const run = (args: readonly string[], options: Partial<RunOptions> = {}) => program.run(args, { cwd, ...options })
  const ok = async (...args: string[]): Promise<string> => {
    const ended = await run(args)
    expect(ended, args.join(' ')).toMatchObject({ code: 0, err: '' })
    return ended.out
  }
  const json = async (...args: string[]) => JSON.parse(await ok(...args, '--json'))
  return { cwd, run, ok, json }
}

function lines(text: string): string[] {
  return text.trimEnd().split('\n')
}

/** The error that --json prints. */
function errorOf({ err }: Ended): { name: string; code: string; message: string } {
  return JSON.parse(err).error
}

describe('put', () => {
  test('stores a folder: one asset for each file, at the top', async () => {
    const { ok, json } = await place()
    expect(await ok('put', 'flowers', 'photos', '--type', 'dataset', '--alias', 'golden')).toMatch(
      /^Stored flowers v0 \(1\.0\.0\): 2 assets, 11 B, \d+ B newly stored, \d+ ms\nAliases: golden\n$/,
    )
    const { type, aliases, assets } = await json('ls', 'flowers:golden')
    expect({ type, aliases }).toEqual({ type: 'dataset', aliases: ['golden'] })
    expect(assets.map(({ path }: { path: string }) => path)).toEqual(['a.txt', 'deep/b.txt'])
  })

  test('stores only what is new, and nothing when nothing is', async () => {
    const { cwd, ok, json } = await place()
    await writeFile(join(cwd, 'photos/large.bin'), randomBytes(60_000))
    await ok('put', 'flowers', 'photos')
    expect(await ok('put', 'flowers', 'photos')).toMatch(/^Nothing new: flowers v0 \(1\.0\.0\) holds the same 3 assets/)
    await appendFile(join(cwd, 'photos/a.txt'), ' and more')
    const second = await json('put', 'flowers', 'photos')
    expect(second).toMatchObject({ index: 1, version: '2.0.0', created: true, count: 3 })
    expect(second.bytesStored).toBeLessThan(2000)
    expect(await json('put', 'flowers', 'photos')).toMatchObject({ index: 1, created: false, bytesStored: 0 })
  })

  test('keeps the names of several paths, and the bare name of a file', async () => {
    const { json } = await place()
    const pathsOf = async (name: string) =>
      (await json('ls', `${name}:latest`)).assets.map(({ path }: { path: string }) => path)
    await json('put', 'several', 'photos', 'notes.md')
    expect(await pathsOf('several')).toEqual(['notes.md', 'photos/a.txt', 'photos/deep/b.txt'])
    await json('put', 'one', 'photos/deep/b.txt')
    expect(await pathsOf('one')).toEqual(['b.txt'])
  })

  test('takes a pattern, and leaves out what is ignored', async () => {
    const { json } = await place()
    const pathsOf = async (...args: string[]) => {
      const { name } = await json('put', ...args)
      return (await json('ls', `${name}:latest`)).assets.map(({ path }: { path: string }) => path)
    }
    expect(await pathsOf('texts', '**/*.txt')).toEqual(['photos/a.txt', 'photos/deep/b.txt'])
    expect(await pathsOf('some', 'photos', '--ignore', 'deep/')).toEqual(['a.txt'])
  })

  test('keeps everything that is said about a version', async () => {
    const { json } = await place()
    const about = ['--tag', 'raw', '--tag', 'field', '--metadata', '{"source":"field","n":[1]}', '--version', '3.1.0']
    const project = ['--project', 'garden', '--workspace', 'team', '--description', 'Petals']
    expect(await json('put', 'flowers', 'notes.md', ...about, ...project)).toMatchObject({
      workspace: 'team',
      project: 'garden',
      version: '3.1.0',
      versionTags: ['raw', 'field'],
      metadata: { source: 'field', n: [1] },
      description: 'Petals',
      type: 'data',
    })
    expect(await json('ls', 'team/flowers')).toHaveLength(1)
    expect(await json('ls', 'flowers', '--workspace', 'team')).toHaveLength(1)
  })

  test('an artifact keeps its type', async () => {
    const { run, json } = await place()
    await json('put', 'flowers', 'photos', '--type', 'dataset')
    expect(await json('put', 'flowers', 'notes.md')).toMatchObject({ index: 1, type: 'dataset' })
    expect(await run(['put', 'flowers', 'photos', '--type', 'model'])).toMatchObject({ code: 4 })
  })
})

describe('get', () => {
  test('makes the same folder again, under the name of the artifact', async () => {
    const { cwd, ok } = await place()
    await ok('put', 'flowers', 'photos')
    expect(await ok('get', 'flowers')).toMatch(/^Wrote flowers v0 \(1\.0\.0\) to flowers: 2 files, 11 B, \d+ ms\n$/)
    expect(await filesBelow(join(cwd, 'flowers'))).toEqual(['a.txt', 'deep', join('deep', 'b.txt')])
    expect(await readFile(join(cwd, 'flowers/deep/b.txt'), 'utf8')).toBe('second')
    expect(await ok('get', 'flowers')).toContain('0 files, 0 B, 2 files there already')
  })

  test('an older version, one folder of it, elsewhere', async () => {
    const { cwd, ok, json } = await place()
    await ok('put', 'flowers', 'photos')
    await writeFile(join(cwd, 'photos/deep/b.txt'), 'changed')
    await ok('put', 'flowers', 'photos')
    const got = await json('get', 'flowers:v0', 'old/place', '--path', 'deep')
    expect(got).toMatchObject({ index: 0, written: ['deep/b.txt'], kept: [], bytes: 6, folder: join(cwd, 'old/place') })
    expect(await readFile(join(cwd, 'old/place/deep/b.txt'), 'utf8')).toBe('second')
    expect(await filesBelow(join(cwd, 'old/place'))).toEqual(['deep', join('deep', 'b.txt')])
  })

  test('leaves a file alone that differs, unless told otherwise', async () => {
    const { cwd, run, ok } = await place()
    await ok('put', 'flowers', 'photos')
    const own = join(cwd, 'flowers/a.txt')
    await ok('get', 'flowers', '--path', 'a.txt')
    await writeFile(own, 'my own')
    const failed = await run(['get', 'flowers'])
    expect(failed.code).toBe(4)
    expect(failed.err).toMatch(/^tidemark: .*'a\.txt'.*--overwrite/)
    expect(failed.err).not.toContain("overwrite: '")
    expect(await filesBelow(join(cwd, 'flowers'))).toEqual(['a.txt'])
    expect(await ok('get', 'flowers', '--overwrite', 'preserve')).toContain('1 file there already')
    expect(await readFile(own, 'utf8')).toBe('my own')
    await ok('get', 'flowers', '--overwrite', 'overwrite')
    expect(await readFile(own, 'utf8')).toBe('first')
  })

  test('says when a prefix matches nothing, and when a name cannot be a folder', async () => {
    const { run, ok } = await place()
    await ok('put', 'flowers', 'photos')
    await ok('put', 'nul', 'photos')
    expect(errorOf(await run(['get', 'flowers', '--path', 'missing', '--json']))).toMatchObject({
      code: 'asset-not-found',
    })
    const refused = await run(['get', 'nul'])
    expect(refused).toMatchObject({ code: 2 })
    expect(refused.err).toContain("tidemark get 'nul' DIR")
  })
})

describe('ls', () => {
  test('lists artifacts, versions and assets as aligned tables', async () => {
    const { cwd, ok } = await place()
    await ok('put', 'flowers', 'photos', '--type', 'dataset', '--alias', 'golden')
    await ok('put', 'notes', 'notes.md', '--tag', 'draft')
    await appendFile(join(cwd, 'notes.md'), 'more')
    await ok('put', 'notes', 'notes.md')
    const [titles, flowers, notes] = lines(await ok('ls'))
    expect(titles.split(/\s{2,}/)).toEqual([
      'NAME',
      'TYPE',
      'LATEST',
      'VERSIONS',
      'ASSETS',
      'SIZE',
      'LOGGED',
      'ALIASES',
    ])
    expect(flowers).toMatch(/^flowers {2}dataset {2}v0 \(1\.0\.0\) +1 +2 +11 B {2}[\d-]+ [\d:]+ {2}golden=v0$/)
    expect(notes).toMatch(/^notes {4}data {5}v1 \(2\.0\.0\) +2 +1 +12 B {2}[\d-]+ [\d:]+$/)
    expect(lines(await ok('ls', '--type', 'dataset'))).toHaveLength(2)
    expect(lines(await ok('ls', 'notes')).map((line) => line.split(/\s{2,}/)[0])).toEqual(['VERSION', 'v1', 'v0'])
    const assets = lines(await ok('ls', 'flowers:latest'))
    expect(assets[0]).toBe('flowers v0 (1.0.0): 2 assets, 11 B')
    const digest = createHash('sha256').update('second').digest('hex')
    expect(assets[3]).toBe(`deep/b.txt  file   6 B  ${digest.slice(0, 12)}`)
  })

  test('says so when there is nothing', async () => {
    const { ok, run } = await place()
    await ok('put', 'flowers', 'photos')
    expect(await ok('ls', '--workspace', 'empty')).toContain('There are no artifacts yet')
    expect(await ok('ls', '--type', 'modle')).toBe("There are no artifacts of type 'modle'.\n")
    expect(await run(['ls', 'flowers', '--type', 'data'])).toMatchObject({ code: 2 })
    expect(await run(['ls', 'flours'])).toMatchObject({ code: 3 })
  })

  test('in another folder makes no store', async () => {
    const { cwd, run } = await place({})
    for (const args of [['ls'], ['get', 'x'], ['verify'], ['gc'], ['diff', 'x', 'y'], ['ls', '--store', 'typo']])
      expect(await run(args)).toMatchObject({ code: 3, err: expect.stringContaining('There is no store in') })
    expect(await filesBelow(cwd)).toEqual([])
  })

  test('is quiet when the reader leaves', async () => {
    const { cwd, ok } = await place(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`f/file-${i}`, ''])))
    await ok('put', 'many', 'f')
    const { child, ended } = program.start(['ls', 'many:latest'], { cwd })
    child.stdout?.destroy()
    expect(await ended).toMatchObject({ code: 0, err: '' })
  })
})

describe('diff', () => {
  test('tells path by path how one version becomes another', async () => {
    const { cwd, run, ok, json } = await place()
    await ok('put', 'flowers', 'photos')
    await writeFile(join(cwd, 'photos/a.txt'), 'first, longer')
    await writeFile(join(cwd, 'photos/new.txt'), 'x')
    await rm(join(cwd, 'photos/deep'), { recursive: true })
    await ok('put', 'flowers', 'photos')
    expect(lines(await ok('diff', 'flowers:v0', ':v1'))).toEqual([
      'flowers v0 (1.0.0) → flowers v1 (2.0.0)',
      '~ a.txt  5 B → 13 B',
      '- deep/b.txt  6 B',
      '+ new.txt  1 B',
      '1 added, 1 removed, 1 changed',
    ])
    expect(await run(['diff', 'flowers:v0', 'flowers', '--exit-code'])).toMatchObject({ code: 1, err: '' })
    expect(await run(['diff', 'flowers:v1', 'flowers', '--exit-code'])).toMatchObject({ code: 0 })
    const { added, removed, changed } = await json('diff', 'flowers:v0', ':latest')
    expect({ added, removed }).toMatchObject({
      added: [{ path: 'new.txt', size: 1 }],
      removed: [{ path: 'deep/b.txt' }],
    })
    expect(changed).toMatchObject([{ path: 'a.txt', before: { size: 5 }, after: { size: 13 } }])
  })
})

describe('verify', () => {
  test('reads everything, and names what is damaged', async () => {
    const { cwd, run, ok, json } = await place()
    await writeFile(join(cwd, 'large.bin'), randomBytes(100_000))
    await ok('put', 'whole', 'photos')
    await ok('put', 'large', 'large.bin')
    expect(await ok('verify')).toMatch(
      /^✓ large v0 .*\n✓ whole v0 .*\nAll is well: 2 versions, 3 assets, 100 kB verified/,
    )
    expect(lines(await ok('verify', 'whole:v0'))).toHaveLength(2)
    await flip(await largestFile(join(cwd, '.tidemark')), 50_000)
    const damaged = await run(['verify'])
    expect(damaged).toMatchObject({ code: 7, err: '' })
    expect(damaged.out).toMatch(/^✗ large v0 .*\n {2}damaged large\.bin: .*\n✓ whole v0 .*\n1 version not as written/)
    const told = await run(['verify', 'large', '--json'])
    expect(told.code).toBe(7)
    expect(JSON.parse(told.out)).toMatchObject({
      ok: false,
      versions: [{ name: 'large', damaged: [{ path: 'large.bin' }] }],
    })
    expect(await json('verify', 'whole')).toMatchObject({ ok: true })
    expect(await run(['get', 'large'])).toMatchObject({ code: 7 })
    expect(await filesBelow(join(cwd, 'large'))).toEqual([])
  })

  test('compares a folder with a version', async () => {
    const { cwd, run, ok } = await place()
    await ok('put', 'flowers', 'photos')
    expect(await ok('verify', 'flowers', 'photos')).toContain('All is well')
    await writeFile(join(cwd, 'photos/a.txt'), 'other')
    await writeFile(join(cwd, 'photos/c.txt'), 'extra')
    await rm(join(cwd, 'photos/deep'), { recursive: true })
    const { code, out } = await run(['verify', 'flowers', 'photos'])
    expect(code).toBe(1)
    expect(lines(out).slice(1, 4)).toEqual(['  missing deep/b.txt', '  different a.txt', '  extra c.txt'])
  })
})

describe('gc', () => {
  test('frees nothing that a version needs', async () => {
    const { cwd, ok, json, run } = await place()
    await writeFile(join(cwd, 'large.bin'), randomBytes(100_000))
    await ok('put', 'large', 'large.bin')
    expect(await json('gc', '--grace', '0')).toMatchObject({ packsDeleted: 0, bytesFreed: 0, dryRun: false })
    expect(await ok('gc', '--dry-run')).toMatch(/^Would free 0 B: 0 packs deleted, \d+ kept, \d+ ms\n$/)
    expect(await json('verify')).toMatchObject({ ok: true })
    expect(await run(['gc', '--grace', 'soon'])).toMatchObject({ code: 2, err: expect.stringContaining('12h') })
  })
})

describe('errors', () => {
  test('are one line with the way out, and an exit code by category', async () => {
    const { cwd, run, ok } = await place()
    await ok('put', 'flowers', 'photos', '--version', '2.0.0')
    await symlink('/', join(cwd, 'photos/out'))
    const cases: [number, string[], RegExp][] = [
      [2, ['put', 'flowers'], /tidemark put NAME PATH\.\.\./],
      [2, ['putt', 'x', 'y'], /Did you mean put\?/],
      [2, ['ls', '--jsn'], /Did you mean --json\?/],
      [2, ['put', 'a:b', 'notes.md'], /a:b/],
      [2, ['put', 'x', 'notes.md', '--metadata', '{lr: 1}'], /--metadata takes a JSON object/],
      [2, ['put', 'x', 'notes.md', '--metadata', '[1]'], /--metadata takes a JSON object/],
      [2, ['put', 'x', 'notes.md', '--ignore', '*.tmp'], /--ignore is for folders/],
      [2, ['get', 'flowers', '--overwrite', 'always'], /fail, preserve, overwrite/],
      [3, ['put', 'x', 'missing.txt'], /There is no file or folder 'missing\.txt'/],
      [3, ['put', 'x', '*.nothing'], /No file matches the pattern '\*\.nothing'/],
      [3, ['get', 'nothing'], /nothing/],
      [3, ['get', 'flowers:v9'], /v9|9/],
      [4, ['put', 'flowers', 'notes.md', '--version', '2.0.0'], /2\.0\.0/],
      [4, ['put', 'x', 'photos/a.txt', 'photos/a.txt'], /a\.txt/],
      [8, ['ls', '--store', 's4://bucket'], /s4/],
    ]
    for (const [code, args, message] of cases) {
      const [ended, asJson] = await Promise.all([run(args), run([...args, '--json'])])
      expect(ended, args.join(' ')).toMatchObject({ code, out: '' })
      expect(ended.err, args.join(' ')).toMatch(message)
      expect(ended.err, args.join(' ')).toMatch(/^tidemark: [^\n]+\n$/)
      expect(asJson, args.join(' ')).toMatchObject({ code, out: '' })
      expect(errorOf(asJson).code, args.join(' ')).toMatch(/^[a-z]+(-[a-z]+)+$/)
    }
    const link = await run(['put', 'x', 'photos'])
    expect(link.code).not.toBe(0)
    expect(link.err).toContain('out')
    expect(lines(await ok('ls'))).toHaveLength(2)
  })

  test('a store that is a file is named', async () => {
    const { run } = await place()
    for (const args of [['ls'], ['put', 'x', 'notes.md']]) {
      const ended = await run([...args, '--store', 'notes.md'])
      expect(ended).toMatchObject({ code: 2, err: expect.stringContaining('notes.md') })
    }
  })

  test('show the stack only when asked', async () => {
    const { run } = await place()
    expect((await run(['get', 'x'])).err).not.toContain('    at ')
    expect((await run(['get', 'x'], { env: { DEBUG: '1' } })).err).toContain('    at ')
  })
})

describe('the program', () => {
  test('has help for everything, that tells of every option', async () => {
    const { ok } = await place({})
    const help = await ok('--help')
    for (const command of ['put', 'get', 'ls', 'diff', 'verify', 'gc']) {
      expect(help).toContain(`  ${command}`)
      expect(await ok(command, '--help')).toBe(await ok('help', command))
      expect(await ok(command, '--help')).toMatch(/^[A-Z].*\n\nUsage: tidemark/)
    }
    expect(await ok('get', '--help')).toContain('a folder here with the name of the artifact')
    expect(await ok()).toBe(help)
  })

  test('says its version', async () => {
    const { ok } = await place({})
    expect(await ok('--version')).toBe(`${version}\n`)
  })

  test('is plain where there is no terminal, and colours when told to', async () => {
    const { run, ok } = await place()
    const { out, err } = await run(['put', 'flowers', 'photos'])
    expect(out + err).not.toContain('\u001b')
    expect((await run(['ls'], { env: { FORCE_COLOR: '1' } })).out).toContain('\u001b[')
    expect((await run(['ls', '--json'], { env: { FORCE_COLOR: '1' } })).out).not.toContain('\u001b')
    expect(await ok('ls')).not.toContain('\u001b')
  })

  test('takes the store from the environment', async () => {
    const { cwd, run } = await place()
    const env = { TIDEMARK_STORE: 'elsewhere', TIDEMARK_WORKSPACE: 'team' }
    expect(await run(['put', 'flowers', 'photos'], { env })).toMatchObject({ code: 0 })
    expect(await readdir(cwd)).toContain('elsewhere')
    expect((await run(['ls', '--json'], { env })).out).toContain('"workspace": "team"')
  })

  test('does not say what the store is when it is in memory', async () => {
    const { cwd, ok } = await place()
    expect(await ok('put', 'flowers', 'photos', '--store', 'memory:')).toContain('Stored flowers v0')
    expect(await readdir(cwd)).toEqual(['notes.md', 'photos'])
  })
})

describe('Ctrl-C', () => {
  // Longer than any machine reads it in, and of no size on the disk: no byte of it was written.
  const enormous = 64 * 2 ** 30

  test('ends a put with 130, and nothing is logged', async () => {
    const { cwd, json, ok } = await place()
    await ok('put', 'small', 'notes.md')
    await sparse(join(cwd, 'huge.bin'), enormous)
    const { child, ended } = program.start(['put', 'huge', 'huge.bin', '--store', 'new'], { cwd })
    await until(
      () => filesBelow(join(cwd, 'new')),
      (files) => files.some((file) => file.includes('experiments')),
    )
    // Into the middle of the file.
    await pause(300)
    child.kill('SIGINT')
    expect(await ended).toEqual({ code: 130, out: '', err: 'tidemark: Interrupted. What was begun is not visible.\n' })
    expect(await json('ls', '--store', 'new')).toEqual([])
    expect(await readdir(join(cwd, 'new', 'aside'))).toEqual([])
    expect(await json('ls')).toMatchObject([{ name: 'small' }])
  })

  test('ends a get with 130, and nothing of it is left', async () => {
    const { cwd, ok, run } = await place({})
    await sparse(join(cwd, 'large.bin'), 2 ** 30)
    await ok('put', 'large', 'large.bin')
    const { child, ended } = program.start(['get', 'large', 'target', '--json'], { cwd })
    await until(
      () => filesBelow(join(cwd, 'target')),
      (files) => files.length > 0,
    )
    child.kill('SIGINT')
    const { code, err } = await ended
    expect(code).toBe(130)
    expect(JSON.parse(err).error).toMatchObject({ name: 'AbortedError', code: 'aborted' })
    expect(await filesBelow(cwd)).not.toContain('target')
    expect((await run(['ls', '--json'])).code).toBe(0)
  })

  test('SIGTERM ends it too', async () => {
    const { cwd } = await place({})
    await sparse(join(cwd, 'huge.bin'), enormous)
    const { child, ended } = program.start(['put', 'huge', 'huge.bin'], { cwd })
    await until(
      () => filesBelow(join(cwd, '.tidemark')),
      (files) => files.length > 0,
    )
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 143, out: '' })
  })
})

async function sparse(path: string, size: number): Promise<void> {
  await writeFile(path, '')
  await truncate(path, size)
}

/** Looks again and again until it is so; the time limit of the test is the limit here too. */
async function until<T>(look: () => Promise<T>, so: (seen: T) => boolean): Promise<void> {
  let over = false
  onTestFinished(() => {
    over = true
  })
  while (!over && !so(await look())) await pause(5)
}

async function largestFile(folder: string): Promise<string> {
  const found = await Promise.all(
    (await readdir(folder, { recursive: true })).map(async (name) => {
      const path = join(folder, name)
      const facts = await stat(path)
      return { path, size: facts.isFile() ? facts.size : -1 }
    }),
  )
  return found.reduce((most, one) => (one.size > most.size ? one : most)).path
}

async function flip(path: string, at: number): Promise<void> {
  const handle = await open(path, 'r+')
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at)
  await handle.write(Buffer.from([buffer[0] ^ 1]), 0, 1, at)
  await handle.close()
}
