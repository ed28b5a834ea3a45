import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fsStore } from '../../src/stores/fs.ts'
import type { Store } from '../../src/stores/store.ts'
import { all, read, text } from '../conformance/store.ts'
import { storeModel } from '../conformance/store-model.ts'
import { bundleWorker } from './bundle.ts'
import { faultyIo, linkless } from './faulty-io.ts'
import { filesBelow, inNewFolder } from './new-folder.ts'

let folder: Awaited<ReturnType<typeof inNewFolder>>
let path: string
let store: Store
beforeEach(async () => {
  folder = await inNewFolder()
  path = folder.path
  store = fsStore(path)
})
afterEach(() => folder.remove())

describe('the folder', () => {
  it('is made by the first put, not by reading', async () => {
    expect(await store.get('a')).toBeUndefined()
    expect(await store.list('')).toEqual({ entries: [] })
    await store.delete('a')
    expect(await filesBelow(dirname(path))).toEqual([])
    await store.put('a', text('x'))
    expect(await readFile(join(path, 'tidemark-store'), 'utf8')).toBe('tidemark-store 1\n')
    expect(read(await store.get('a'))).toBe('x')
  })

  it('is seen by a reader that was there before it', async () => {
    expect(await store.get('a')).toBeUndefined()
    await fsStore(path).put('a', text('x'))
    expect(read(await store.get('a'))).toBe('x')
  })

  it('may be deep, and may be reached through a link', async () => {
    await fsStore(join(path, 'x/y/z')).put('a', text('deep'))
    await symlink(join(path, 'x/y'), join(dirname(path), 'link'))
    expect(read(await fsStore(join(dirname(path), 'link/z')).get('a'))).toBe('deep')
  })

  it('that is a file is refused, also when the file is above it', async () => {
    await writeFile(path, 'a file')
    for (const where of [path, join(path, 'below')]) {
      const refusal = { name: 'InvalidInputError', code: 'store-path-is-file' }
      await expect(fsStore(where).put('a', text('x'))).rejects.toMatchObject(refusal)
      await expect(fsStore(where).get('a')).rejects.toMatchObject(refusal)
      await expect(fsStore(where).list('')).rejects.toMatchObject(refusal)
      await expect(fsStore(where).delete('a')).rejects.toMatchObject(refusal)
    }
    expect(await readFile(path, 'utf8')).toBe('a file')
  })

  it('that holds other things is refused and left alone; what systems leave there does not count', async () => {
    await mkdir(path)
    await writeFile(join(path, '.DS_Store'), 'x')
    expect(await fsStore(path).get('a')).toBeUndefined()
    await writeFile(join(path, 'thesis.tex'), 'x')
    for (const verb of [() => store.put('a', text('x')), () => store.get('a')])
      await expect(verb()).rejects.toMatchObject({ name: 'InvalidInputError', code: 'store-folder-not-empty' })
    expect(await filesBelow(path)).toEqual(['.DS_Store', 'thesis.tex'])
    await rm(join(path, 'thesis.tex'))
    // The same store works once the reason is gone.
    await store.put('a', text('x'))
    expect(read(await store.get('a'))).toBe('x')
  })

  it('of a newer format is refused, of a damaged one too', async () => {
    await store.put('a', text('x'))
    await writeFile(join(path, 'tidemark-store'), 'tidemark-store 2\n')
    await expect(fsStore(path).get('a')).rejects.toMatchObject({
      name: 'UnsupportedError',
      code: 'store-format-too-new',
    })
    await expect(fsStore(path).put('a', text('y'))).rejects.toMatchObject({ code: 'store-format-too-new' })
    await writeFile(join(path, 'tidemark-store'), 'tidemark-st')
    await expect(fsStore(path).get('a')).rejects.toMatchObject({ name: 'CorruptionError', code: 'store-damaged' })
  })

  it('is opened by many at once', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => fsStore(path).put(`a/${i}`, text(`${i}`), { ifAbsent: true })),
    )
    expect(await all(store, '', 1000)).toHaveLength(20)
  })

  it('that is removed while it is open is an empty store', async () => {
    await store.put('dir/a', text('x'))
    await rm(path, { recursive: true })
    expect(await store.get('dir/a')).toBeUndefined()
    expect(await store.list('')).toEqual({ entries: [] })
    await store.put('dir/a', text('y'), { ifAbsent: true })
    expect(read(await fsStore(path).get('dir/a'))).toBe('y')
  })

  it('may be moved and copied while nobody writes', async () => {
    await store.put('a', text('1'))
    await store.put('a', text('2'))
    await store.put('b', text('x'))
    await store.delete('b')
    await rename(path, `${path}-moved`)
    const moved = fsStore(`${path}-moved`)
    expect(read(await moved.get('a'))).toBe('2')
    expect(await moved.get('b')).toBeUndefined()
  })

  it.each(['', 'a\0b', '~', '~/store', '~\\store'])('refuses the path %j', (where) => {
    expect(() => fsStore(where)).toThrow(expect.objectContaining({ code: 'invalid-store-path' }))
  })
})

describe('links inside', () => {
  const linked = { name: 'CorruptionError', code: 'store-has-link' }

  it('in place of a value are refused, whatever they lead to', async () => {
    const outside = join(dirname(path), 'secret')
    await writeFile(outside, 'secret')
    await store.put('dir/a', text('x'))
    const [file = ''] = (await readdir(join(path, 'data/dir'))).map((name) => join(path, 'data/dir', name))
    await rm(file)
    await symlink(outside, file)
    for (const each of [store, fsStore(path)]) {
      await expect(each.get('dir/a')).rejects.toMatchObject(linked)
      await expect(each.put('dir/a', text('y'))).rejects.toMatchObject(linked)
      await expect(each.delete('dir/a')).rejects.toMatchObject(linked)
      await expect(each.list('dir/')).rejects.toMatchObject(linked)
    }
    expect(await readFile(outside, 'utf8')).toBe('secret')
  })

  it.each(['data', 'data/dir', 'aside', 'data/dir/a#h'])('in place of the folder %s are refused', async (place) => {
    await store.put('dir/a', text('x'))
    await store.put('dir/a', text('y'))
    const outside = join(dirname(path), 'outside')
    await rename(join(path, place), outside)
    await symlink(outside, join(path, place))
    const before = await filesBelow(outside)
    const fresh = fsStore(path)
    await expect(fresh.put('dir/a', text('z'))).rejects.toMatchObject(linked)
    await expect(fresh.put('dir/new', text('z')).then(() => fresh.delete('dir/a'))).rejects.toMatchObject(linked)
    if (place !== 'aside') {
      await expect(fresh.get('dir/a')).rejects.toMatchObject(linked)
      await expect(fresh.list('dir')).rejects.toMatchObject(linked)
    }
    expect(await filesBelow(outside)).toEqual(before)
  })
})

describe('what lies on the disk', () => {
  const name = (key: string) => fsStore(path).put(key, text('x'))

  it('has names that Windows and macOS keep apart and allow', async () => {
    for (const key of [
      'Train',
      'train',
      'con',
      'nul.txt',
      'a.',
      'a ',
      '*?"<>|\\:',
      'é',
      'e\u0301',
      '漢'.repeat(128),
      'x'.repeat(1024),
    ])
      await name(key)
    const names = (await filesBelow(join(path, 'data'))).flatMap((file) => file.split('/'))
    for (const each of names) {
      expect(each).toMatch(/^[!#-)+-.0-9;=@a-z^_{}~]+$|^[a-z0-9%^_.#{}]+$/)
      expect(each).not.toMatch(/[A-Z<>:"|?*\\ ]|\.$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/)
      expect(each.length).toBeLessThanOrEqual(143)
    }
  })

  it('of files that are not ours is not listed', async () => {
    await store.put('dir/a', text('x'))
    for (const stray of ['.DS_Store', 'a', 'A#v', '%41#v', '%zz#v', '#v', '{a}#v', 'b#h'])
      await writeFile(join(path, 'data/dir', stray), 'stray')
    expect(await all(store, '', 1000)).toEqual(['dir/a'])
  })

  it('after a deletion takes hardly any room', async () => {
    await store.put('pack', new Uint8Array(1_000_000))
    await store.delete('pack')
    await store.put('later', new Uint8Array(1_000_000))
    await store.put('later', new Uint8Array(999_999))
    let size = 0
    for (const file of await filesBelow(path)) {
      const { isFile, size: bytes } = await stat(join(path, file)).then((found) => ({
        isFile: found.isFile(),
        size: found.size,
      }))
      if (isFile) size += bytes
    }
    expect(size).toBeLessThan(1_000_200)
  })

  it('is read in parts: a range reads no more than itself', async () => {
    await store.put('big', new Uint8Array(1_000_000).fill(7))
    let bytes = 0
    const io = faultyIo(() => undefined)
    const counting = fsStore(path, {
      io: {
        ...io,
        async open(file, mode) {
          const handle = await io.open(file, mode)
          return {
            ...handle,
            read: (into, offset, length, position) => {
              if (file.includes('big')) bytes += length
              return handle.read(into, offset, length, position)
            },
          }
        },
      },
    })
    await counting.get('big', { range: { start: 500_000, end: 500_100 } })
    expect(bytes).toBeLessThan(250)
  })

  it('cut short or of another kind is damage, never data', async () => {
    await store.put('a', text('1'))
    await store.put('a', text('2'))
    const token = (await readdir(join(path, 'data/a#h'))).find((each) => each.startsWith('now-')) ?? ''
    await rm(join(path, 'data/a#h', token))
    await expect(store.get('a')).rejects.toMatchObject({ name: 'CorruptionError', code: 'store-damaged' })
    await mkdir(join(path, 'data/b#v'))
    await expect(store.get('b')).rejects.toMatchObject({ name: 'CorruptionError', code: 'store-damaged' })
  })

  it('a value whose file is gone is damage, to whoever reads or lists it', async () => {
    await store.put('a', text('1'))
    await store.put('a', text('2'))
    const [value] = (await readdir(join(path, 'data/a#h'))).filter((name) => name.startsWith('v-'))
    await rm(join(path, 'data/a#h', value ?? ''))
    const lost = { name: 'CorruptionError', code: 'store-damaged', message: expect.stringContaining("'a'") }
    await expect(store.get('a')).rejects.toMatchObject(lost)
    await expect(store.list('')).rejects.toMatchObject(lost)
    await expect(store.list('', { values: true })).rejects.toMatchObject(lost)
    // It can be written anew.
    await store.put('a', text('3'))
    expect(read(await store.get('a'))).toBe('3')
  })

  it('lists without reading folders outside the prefix', async () => {
    for (const key of ['a/1', 'a/2', 'b/1', 'c/d/1']) await store.put(key, text('x'))
    const read: string[] = []
    const watching = fsStore(path, {
      io: faultyIo((call, where) => {
        if (call === 'readdir') read.push(where.slice(path.length + 1))
        return undefined
      }),
    })
    await watching.list('a/')
    await watching.list('c/d')
    expect(read.filter((where) => /^data\/(b|c#|a#)/.test(where))).toEqual([])
    read.length = 0
    await watching.list('', { after: 'b/1' })
    expect(read.filter((where) => /^data\/[ab]$/.test(where))).toEqual(['data/b'])
  })
})

describe('the sweep on opening', () => {
  const age = async (file: string, hours: number) => {
    const time = new Date(Date.now() - hours * 3_600_000)
    await utimes(file, time, time)
  }

  it('removes what was left aside over an hour ago, and nothing else', async () => {
    await store.put('a', text('x'))
    for (const left of ['old', 'young']) await writeFile(join(path, 'aside', left), 'x')
    await mkdir(join(path, 'aside/h-old'))
    await writeFile(join(path, 'aside/h-old/v-old'), 'x')
    for (const left of ['old', 'h-old']) await age(join(path, 'aside', left), 1.1)
    await age(join(path, 'aside/young'), 0.9)
    await fsStore(path).put('b', text('x'))
    expect(await readdir(join(path, 'aside'))).toEqual(['young'])
    expect(await all(store, '', 10)).toEqual(['a', 'b'])
  })

  it('forgets keys deleted over a day ago, unless they were written again', async () => {
    for (const key of ['first', 'later', 'again', 'young']) await store.put(key, text('x'))
    await store.put('later', text('y'))
    for (const key of ['first', 'later', 'again']) await store.delete(key)
    await store.put('again', text('z'))
    for (const note of await readdir(join(path, 'deleted'))) await age(join(path, 'deleted', note), 25)
    await store.delete('young')
    await fsStore(path).put('b', text('x'))
    expect((await readdir(join(path, 'data'))).filter((each) => each.endsWith('#h')).sort()).toEqual([
      'again#h',
      'young#h',
    ])
    expect(await readdir(join(path, 'deleted'))).toHaveLength(1)
    expect(read(await store.get('again'))).toBe('z')
    expect(await all(store, '', 10)).toEqual(['again', 'b'])
    for (const key of ['first', 'later']) {
      expect(await store.get(key)).toBeUndefined()
      await store.put(key, text('back'), { ifAbsent: true })
      expect(read(await store.get(key))).toBe('back')
    }
  })
})

it('close waits for what is under way and refuses what comes later', async () => {
  const puts = Array.from({ length: 60 }, (_, i) => store.put(`a/${i}`, text(`${i}`)))
  await store.close?.()
  expect(await all(fsStore(path), '', 100)).toHaveLength(60)
  await Promise.all(puts)
  await expect(store.get('a/1')).rejects.toMatchObject({ name: 'InvalidInputError', code: 'store-closed' })
})

it('works with very few files open at once', async () => {
  const worker = await bundleWorker('many-worker.ts', dirname(path))
  const { execPath, platform } = process
  // Node itself holds some twenty. Windows has no such limit; there it is 300 puts at once.
  const [command, args] =
    platform === 'win32'
      ? [execPath, [worker, path]]
      : ['sh', ['-c', 'ulimit -n 40 && exec "$@"', 'sh', execPath, worker, path]]
  const [code] = await once(spawn(command, args, { stdio: 'inherit' }), 'exit')
  expect(code).toBe(0)
  expect(await all(store, '', 1000)).toHaveLength(300)
})

describe('without hard links', () => {
  const open = async () => {
    const own = await inNewFolder()
    const io = linkless
    return { store: fsStore(own.path, { io }), again: async () => fsStore(own.path, { io }), dispose: own.remove }
  }
  storeModel('the folder store', open)

  it('20 creators: one succeeds', async () => {
    const stores = [fsStore(path, { io: linkless }), fsStore(path, { io: linkless })]
    const puts = Array.from({ length: 20 }, (_, i) => stores[i % 2]?.put('a', text(`${i}`), { ifAbsent: true }))
    const results = await Promise.allSettled(puts)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const winner = results.findIndex(({ status }) => status === 'fulfilled')
    expect(read(await stores[0]?.get('a'))).toBe(`${winner}`)
  })
})
