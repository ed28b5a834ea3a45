import { randomBytes } from 'node:crypto'
import {
  appendFile,
  chmod,
  link,
  mkdir,
  readdir,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { comparePaths } from '../../src/paths.ts'
import { fileSource, statPath, walkFolder } from '../../src/sources/paths-fs.ts'
import { bytesOf, pathsOf, tempFolder, textsOf } from './temp-folder.ts'

const root = process.getuid?.() === 0

async function openDescriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length
}

describe('walkFolder', () => {
  it('gives path, size, time, media type and bytes, sorted by the whole path', async () => {
    const folder = await tempFolder({
      'a.txt': 'A',
      'a/x.csv': 'x',
      'a-b': 'ab',
      'a/b/c.json': '{}',
      empty: '',
      '.env': 'dot',
      gone: null,
    })
    const files = []
    for await (const file of walkFolder(folder)) files.push(file)
    expect(files.map((file) => file.path)).toEqual(['.env', 'a-b', 'a.txt', 'a/b/c.json', 'a/x.csv', 'empty'])
    expect(files[3]).toMatchObject({ name: 'c.json', size: 2, mediaType: 'application/json' })
    expect(files[3]?.modified).toBeGreaterThan(Date.now() - 60_000)
    expect(await textsOf(walkFolder(folder))).toEqual({
      '.env': 'dot',
      'a-b': 'ab',
      'a.txt': 'A',
      'a/b/c.json': '{}',
      'a/x.csv': 'x',
      empty: '',
    })
  })

  it('orders 2,000 files as a plain sort of their paths does, with awkward names', async () => {
    const names = ['\uff5e', '\u{1f600}', 'a', 'a b', 'a.', 'é', 'Z', '_', '-', '0', '~x'].filter(
      (name) => name !== 'a.',
    )
    const files: Record<string, string> = {}
    for (let i = 0; i < 2000; i++) {
      const pick = (n: number) => names[Math.floor(i / n) % names.length] ?? ''
      files[
        [pick(1), pick(10), i % 3 === 0 ? undefined : pick(100), `${pick(7)}${i}.txt`]
          .filter((s) => s !== undefined)
          .join('/')
      ] = `${i}`
    }
    const folder = await tempFolder(files)
    const found = await textsOf(walkFolder(folder))
    expect(Object.keys(found)).toEqual(Object.keys(files).sort(comparePaths))
    expect(found).toEqual(files)
  })

  it('stores one spelling of a name and refuses two files that share it', async () => {
    const folder = await tempFolder({ 'cafe\u0301/a.txt': 'a' })
    expect(await textsOf(walkFolder(folder))).toEqual({ 'caf\u00e9/a.txt': 'a' })
    await mkdir(join(folder, 'caf\u00e9'))
    await writeFile(join(folder, 'caf\u00e9/b.txt'), 'b')
    await expect(pathsOf(walkFolder(folder))).rejects.toMatchObject({
      code: 'duplicate-path',
      fields: { path: 'caf\u00e9' },
    })
  })

  it.each(['a\\b', 'con', 'nul.txt', 'x.', 'x ', 'a\nb', 'C:'])(
    'refuses the name %j, naming it and the way out',
    async (name) => {
      const folder = await tempFolder({ [name]: 'x', ok: 'y' })
      const walked = pathsOf(walkFolder(folder))
      await expect(walked).rejects.toMatchObject({ code: 'invalid-path' })
      await expect(walked).rejects.toThrow('leave it out with ignore')
    },
  )

  it('refuses a name that is not UTF-8, and keeps a replacement character that is', async () => {
    const folder = await tempFolder({ 'a\ufffd': 'fine' })
    expect(await textsOf(walkFolder(folder))).toEqual({ 'a\ufffd': 'fine' })
    await writeFile(Buffer.concat([Buffer.from(`${folder}/b`), Buffer.from([0xff])]), 'bad')
    await expect(pathsOf(walkFolder(folder))).rejects.toMatchObject({ code: 'invalid-path' })
  })

  it('reads a large file in pieces whose buffers it uses again', async () => {
    const bytes = randomBytes(3 * 1024 * 1024 + 17)
    const folder = await tempFolder({ 'big.bin': bytes, 'small.bin': bytes.subarray(0, 256 * 1024) })
    for await (const file of walkFolder(folder)) {
      expect(Buffer.compare(await bytesOf(file), bytes.subarray(0, file.size))).toBe(0)
      expect(Buffer.compare(await bytesOf(file), bytes.subarray(0, file.size))).toBe(0)
    }
  })

  it('holds no file open between files, nor after leaving early', async () => {
    const folder = await tempFolder(
      Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, randomBytes(i % 2 === 0 ? 10 : 900_000)])),
    )
    const before = await openDescriptors()
    for await (const file of walkFolder(folder)) {
      for await (const _ of file.open()) break
    }
    for await (const file of walkFolder(folder)) {
      await bytesOf(file)
      break
    }
    await expect.poll(openDescriptors).toBe(before)
  })

  it('stops when the signal is aborted', async () => {
    const folder = await tempFolder({ a: 'a', b: randomBytes(2_000_000), c: 'c' })
    const controller = new AbortController()
    const read = async () => {
      for await (const file of walkFolder(folder, { signal: controller.signal })) {
        for await (const _ of file.open(controller.signal)) if (file.path === 'b') controller.abort()
      }
    }
    await expect(read()).rejects.toMatchObject({ code: 'aborted' })
    await expect(pathsOf(walkFolder(folder, { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: 'aborted',
    })
  })
})

describe('links', () => {
  it('takes a link that stays inside as what it points to', async () => {
    const folder = await tempFolder({ 'data/a.txt': 'A', 'other/b.txt': 'B' })
    await symlink('data/a.txt', join(folder, 'link.txt'))
    await symlink('../data', join(folder, 'other/linked'))
    await link(join(folder, 'data/a.txt'), join(folder, 'hard.txt'))
    expect(await textsOf(walkFolder(folder))).toEqual({
      'data/a.txt': 'A',
      'hard.txt': 'A',
      'link.txt': 'A',
      'other/b.txt': 'B',
      'other/linked/a.txt': 'A',
    })
  })

  it('walks a folder that is itself named by a link', async () => {
    const outer = await tempFolder({ 'real/a.txt': 'A' })
    await symlink('real', join(outer, 'link'))
    expect(await textsOf(walkFolder(join(outer, 'link')))).toEqual({ 'a.txt': 'A' })
  })

  it.each(['file', 'folder'])('refuses a link to a %s outside, unless it is ignored', async (what) => {
    const outside = await tempFolder({ 'secret/x': 'secret' })
    const folder = await tempFolder({ 'sub/a': 'A' })
    await symlink(join(outside, what === 'file' ? 'secret/x' : 'secret'), join(folder, 'sub/leak'))
    const walked = pathsOf(walkFolder(folder))
    await expect(walked).rejects.toMatchObject({
      code: 'link-leaves-folder',
      fields: { path: 'sub/leak', reason: 'outside' },
    })
    await expect(walked).rejects.toThrow('Leave it out with ignore')
    expect(await pathsOf(walkFolder(folder, { ignore: 'sub/leak' }))).toEqual(['sub/a'])
  })

  it('is not fooled by a sibling folder with a longer name', async () => {
    const outer = await tempFolder({ 'in/a': 'A', 'in-secret/x': 'secret' })
    await symlink('../in-secret/x', join(outer, 'in/leak'))
    await expect(pathsOf(walkFolder(join(outer, 'in')))).rejects.toMatchObject({ code: 'link-leaves-folder' })
  })

  it.each([
    ['to itself', [['loop', 'loop']]],
    ['to its folder', [['sub/up', '.']]],
    ['to the top', [['sub/up', '..']]],
    [
      'of two links',
      [
        ['sub/x', '../two'],
        ['two/y', '../sub'],
      ],
    ],
  ])('finds a cycle %s', async (_, links) => {
    const folder = await tempFolder({ 'sub/a': 'A', 'two/b': 'B' })
    for (const [path = '', target = ''] of links) await symlink(target, join(folder, path))
    await expect(pathsOf(walkFolder(folder))).rejects.toMatchObject({ code: 'link-leaves-folder' })
  })

  it('names a broken link', async () => {
    const folder = await tempFolder({ a: 'A' })
    await symlink('nowhere', join(folder, 'dangling'))
    await expect(pathsOf(walkFolder(folder))).rejects.toMatchObject({
      code: 'link-broken',
      fields: { path: 'dangling' },
    })
    expect(await pathsOf(walkFolder(folder, { ignore: ['dangling'] }))).toEqual(['a'])
  })
})

describe('what cannot be read', () => {
  it('refuses a socket, and leaves it alone when ignored', async () => {
    const folder = await tempFolder({ a: 'A' })
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve))
    try {
      await expect(pathsOf(walkFolder(folder))).rejects.toMatchObject({ code: 'not-a-file' })
      expect(await pathsOf(walkFolder(folder, { ignore: 'socket' }))).toEqual(['a'])
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  })

  it('names an unreadable file and folder; root reads them', async () => {
    const folder = await tempFolder({ 'a/secret.txt': 'S', 'b/x': 'X' })
    await chmod(join(folder, 'a/secret.txt'), 0)
    await chmod(join(folder, 'b'), 0)
    if (root) {
      expect(await textsOf(walkFolder(folder))).toEqual({ 'a/secret.txt': 'S', 'b/x': 'X' })
    } else {
      await expect(textsOf(walkFolder(folder, { ignore: 'b/' }))).rejects.toMatchObject({
        code: 'file-unreadable',
        category: 'PermissionError',
      })
      await expect(pathsOf(walkFolder(folder))).rejects.toMatchObject({ code: 'file-unreadable' })
    }
    await chmod(join(folder, 'b'), 0o700)
  })

  it('refuses a device and a file without a size', async () => {
    await expect(fileSource('/dev/null')).rejects.toMatchObject({ code: 'not-a-file' })
    await expect(bytesOf(await fileSource('/proc/self/status'))).rejects.toMatchObject({ code: 'file-changed' })
  })

  it('says what is missing', async () => {
    const folder = await tempFolder({ a: 'A' })
    await expect(pathsOf(walkFolder(join(folder, 'none')))).rejects.toMatchObject({
      code: 'file-not-found',
      category: 'NotFoundError',
    })
    await expect(pathsOf(walkFolder(join(folder, 'a')))).rejects.toMatchObject({ code: 'not-a-folder' })
    await expect(fileSource(folder)).rejects.toMatchObject({ code: 'not-a-file' })
    await expect(fileSource(join(folder, 'a/b'))).rejects.toMatchObject({ code: 'file-not-found' })
    expect(await statPath('x'.repeat(5000))).toBeUndefined()
    expect(await statPath('a\0b')).toBeUndefined()
  })
})

describe('a file that changes while it is read', () => {
  const size = 2_000_000
  const changes: [string, (path: string) => Promise<unknown>][] = [
    ['grows', (path) => appendFile(path, 'x')],
    ['shrinks', (path) => truncate(path, size - 1)],
    ['is emptied', (path) => truncate(path, 0)],
    ['is touched', (path) => utimes(path, 1, 1)],
  ]
  it.each(changes)('is an error when it %s', async (_, change) => {
    const folder = await tempFolder({ 'sub/big': randomBytes(size) })
    const read = async () => {
      for await (const file of walkFolder(folder)) {
        let first = true
        for await (const _ of file.open()) {
          if (first) await change(join(folder, 'sub/big'))
          first = false
        }
      }
    }
    await expect(read()).rejects.toMatchObject({
      code: 'file-changed',
      category: 'ConflictError',
      fields: { path: 'sub/big' },
    })
  })

  it('is an error when its size is not the announced one any more', async () => {
    const folder = await tempFolder({ a: 'before' })
    const file = await fileSource(join(folder, 'a'))
    await writeFile(join(folder, 'a'), 'afterwards')
    await expect(bytesOf(file)).rejects.toMatchObject({ code: 'file-changed' })
  })

  it('is read whole when it is replaced by a rename', async () => {
    const old = randomBytes(size)
    const folder = await tempFolder({ big: old, new: 'new' })
    const file = await fileSource(join(folder, 'big'))
    const pieces = []
    for await (const piece of file.open()) {
      if (pieces.length === 0) await rename(join(folder, 'new'), join(folder, 'big'))
      pieces.push(piece.slice())
    }
    expect(Buffer.compare(Buffer.concat(pieces), old)).toBe(0)
  })

  it('is an error when it vanishes, relative to what was given', async () => {
    const folder = await tempFolder({ 'sub/a': 'A' })
    const file = await fileSource(join(folder, 'sub/a'))
    await rm(join(folder, 'sub/a'))
    await expect(bytesOf(file)).rejects.toMatchObject({ code: 'file-vanished', category: 'NotFoundError' })

    const many = await tempFolder(
      Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`sub/${String(i).padStart(3, '0')}`, 'x'])),
    )
    const walked = async () => {
      for await (const found of walkFolder(many)) if (found.path === 'sub/000') await rm(join(many, 'sub/099'))
    }
    await expect(walked()).rejects.toMatchObject({ code: 'file-vanished', fields: { path: 'sub/099' } })
  })

  it('does not follow a link that took its place', async () => {
    const folder = await tempFolder({ a: 'A', secret: 'S' })
    const file = await fileSource(join(folder, 'a'))
    await rm(join(folder, 'a'))
    await symlink('secret', join(folder, 'a'))
    await expect(bytesOf(file)).rejects.toMatchObject({ category: 'InvalidInputError' })
  })
})
