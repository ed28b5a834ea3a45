import { symlinkSync, writeFileSync } from 'node:fs'
import { access, chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Artifact, type LoggedArtifact, memoryStore, type Store } from '../../src/index.ts'
import type { StoredValue } from '../../src/stores/store.ts'
import { FolderHandle } from './folder-handle.ts'
import { begin, bytesOf, noise, sameBytes, temporaryFolder, untyped, watchedStore } from './world.ts'

async function logged(contents: Record<string, string | Uint8Array>): Promise<LoggedArtifact> {
  const { experiment } = await begin()
  const artifact = new Artifact('data', 'dataset')
  for (const [path, content] of Object.entries(contents))
    await artifact.add(typeof content === 'string' ? bytesOf(content) : content, { logicalPath: path })
  return experiment.logArtifact(artifact)
}

async function tree(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort()
}

const large = new Uint8Array(700_000).map((_, index) => (index * index) >>> 7)

describe('a download into a folder', () => {
  it('writes everything, large and small, and says what it wrote', async () => {
    const artifact = await logged({ 'a.txt': 'a', 'deep/er/b.bin': large, empty: '' })
    const target = join(await temporaryFolder(), 'not/yet/there')
    expect(await artifact.download(target)).toEqual({
      written: ['a.txt', 'deep/er/b.bin', 'empty'],
      kept: [],
      remote: [],
      bytes: large.length + 1,
    })
    expect(await tree(target)).toEqual(['a.txt', 'deep', 'deep/er', 'deep/er/b.bin', 'empty'])
    expect(sameBytes(await readFile(join(target, 'deep/er/b.bin')), large)).toBe(true)
    expect((await stat(join(target, 'empty'))).size).toBe(0)
    expect(await artifact.download(pathToFileURL(target))).toMatchObject({
      written: [],
      kept: ['a.txt', 'deep/er/b.bin', 'empty'],
    })
  })

  it('takes a part by its prefix, and one asset', async () => {
    const artifact = await logged({ 'a/1': '1', 'a/2': '2', ab: '3' })
    const map = new Map<string, Uint8Array>()
    expect((await artifact.download(map, { pathPrefix: 'a' })).written).toEqual(['a/1', 'a/2'])
    expect((await artifact.download(new Map(), { pathPrefix: 'a/' })).written).toEqual(['a/1', 'a/2'])
    expect((await artifact.download(new Map(), { pathPrefix: 'ab' })).written).toEqual(['ab'])
    const target = await temporaryFolder()
    expect((await (await artifact.getAsset('a/2')).download(target)).written).toEqual(['a/2'])
    expect(await tree(target)).toEqual(['a', 'a/2'])
  })

  it('takes a prefix in any spelling of its letters', async () => {
    const artifact = await logged({ 'caf\u00e9/1': '1', other: '2' })
    const pathPrefix = 'cafe\u0301'
    expect((await artifact.download(new Map(), { pathPrefix })).written).toEqual(['caf\u00e9/1'])
    expect((await artifact.toZip({ pathPrefix })).size).toBeGreaterThan(22)
  })

  it('names what is near when the prefix leads to nothing, and leaves no folder', async () => {
    const artifact = await logged({ 'photos/1': '1', ab: '3' })
    const target = join(await temporaryFolder(), 'new')
    for (const pathPrefix of ['photo', 'photos/1/x', '..'])
      await expect(artifact.download(target, { pathPrefix })).rejects.toMatchObject({
        code: 'asset-not-found',
        category: 'NotFoundError',
      })
    await expect(artifact.download(target, { pathPrefix: 'photo' })).rejects.toThrow(/photos/)
    await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('fail: a file that differs stops everything before anything is written', async () => {
    const artifact = await logged({ a: 'a', b: 'b', c: 'c' })
    const target = await temporaryFolder()
    await writeFile(join(target, 'a'), 'a')
    await writeFile(join(target, 'b'), 'B')
    await expect(artifact.download(target)).rejects.toMatchObject({
      code: 'file-exists',
      category: 'ConflictError',
      fields: { path: 'b' },
    })
    expect(await tree(target)).toEqual(['a', 'b'])
    expect(await readFile(join(target, 'b'), 'utf8')).toBe('B')
  })

  it('preserve: what is there stays, whatever it holds', async () => {
    const artifact = await logged({ a: 'a', b: 'b' })
    const target = await temporaryFolder()
    await writeFile(join(target, 'b'), 'B')
    expect(await artifact.download(target, { overwrite: 'preserve' })).toMatchObject({ written: ['a'], kept: ['b'] })
    expect(await readFile(join(target, 'b'), 'utf8')).toBe('B')
  })

  it('overwrite: what differs is replaced', async () => {
    const artifact = await logged({ a: 'a', b: 'b' })
    const target = await temporaryFolder()
    await writeFile(join(target, 'a'), 'a')
    await writeFile(join(target, 'b'), 'B, and longer')
    expect(await artifact.download(target, { overwrite: 'overwrite' })).toMatchObject({ written: ['b'], kept: ['a'] })
    expect(await readFile(join(target, 'b'), 'utf8')).toBe('b')
  })

  it('never goes through a link in the target', async () => {
    const artifact = await logged({ 'out/a': 'a', b: 'b' })
    const elsewhere = await temporaryFolder()
    for (const overwrite of ['fail', 'preserve', 'overwrite'] as const) {
      const target = await temporaryFolder()
      await symlink(elsewhere, join(target, 'out'))
      await expect(artifact.download(target, { overwrite })).rejects.toMatchObject({
        code: 'link-in-target',
        category: 'PermissionError',
      })
      expect(await tree(target)).toEqual(['out'])
      const other = await temporaryFolder()
      await symlink(join(elsewhere, 'victim'), join(other, 'b'))
      await expect(artifact.download(other, { overwrite })).rejects.toMatchObject({ code: 'link-in-target' })
    }
    expect(await tree(elsewhere)).toEqual([])
  })

  it('refuses a file where a folder should be, and the other way round', async () => {
    const artifact = await logged({ 'a/b': 'b' })
    const target = await temporaryFolder()
    await writeFile(join(target, 'file'), '')
    await expect(artifact.download(join(target, 'file'))).rejects.toMatchObject({ code: 'target-is-file' })
    await expect(artifact.download(join(target, 'file/below'))).rejects.toMatchObject({ code: 'target-is-file' })
    await writeFile(join(target, 'a'), '')
    // No rule of overwriting helps.
    await expect(artifact.download(target, { overwrite: 'overwrite' })).rejects.toMatchObject({
      code: 'file-exists',
      message: expect.stringMatching(/^'a\/b' .* the file 'a' is in its place\. Remove that/),
    })
    await rm(join(target, 'a'))
    await mkdir(join(target, 'a/b'), { recursive: true })
    await expect(artifact.download(target, { overwrite: 'overwrite' })).rejects.toMatchObject({
      code: 'file-exists',
      message: expect.stringMatching(/^'a\/b' .* a folder or a special file is in its place\. Remove that/),
    })
  })

  it('refuses paths that the file system takes for one, and no others', async () => {
    const artifact = await logged({ 'Photos/a': '1', 'photos/A': '2', 'photos/b': '3' })
    const target = await temporaryFolder()
    await writeFile(join(target, 'probe'), '')
    const folds = await access(join(target, 'PROBE')).then(
      () => true,
      () => false,
    )
    await rm(join(target, 'probe'))
    if (folds) await expect(artifact.download(target)).rejects.toMatchObject({ code: 'paths-collide' })
    else expect((await artifact.download(target)).written).toEqual(['Photos/a', 'photos/A', 'photos/b'])
    expect(await tree(target)).toEqual(folds ? [] : ['Photos', 'Photos/a', 'photos', 'photos/A', 'photos/b'])
    await rm(target, { recursive: true })
    // What a browser hands over may be on any file system.
    const folder = new FolderHandle()
    await expect(artifact.download(untyped(folder))).rejects.toMatchObject({ code: 'paths-collide' })
    expect(await folder.contents()).toEqual({})
    expect((await artifact.download(target, { pathPrefix: 'Photos' })).written).toEqual(['Photos/a'])
    // In memory every path is its own.
    const map = new Map<string, Uint8Array>()
    expect((await artifact.download(map)).written).toHaveLength((await artifact.getAssets()).length)
    expect(map.size).toBe((await artifact.getAssets()).length)
  })

  it('leaves nothing behind when it is aborted, wherever it is', async () => {
    let onGet: (() => void) | undefined
    const { experiment } = await begin({ store: watchedStore((verb) => verb === 'get' && onGet?.()) })
    const artifact = new Artifact('data', 'dataset')
    for (let n = 0; n < 40; n++) {
      await artifact.add(noise(n % 10 === 0 ? 1_200_000 : 20_000, n), { logicalPath: `folder ${n % 7}/${n}` })
    }
    const stored = await experiment.logArtifact(artifact)
    const parent = await temporaryFolder()
    let stops = 0
    for (let done = false; !done; stops++) {
      const controller = new AbortController()
      let gets = 0
      onGet = () => void (++gets > stops && controller.abort())
      const outcome = stored.download(join(parent, 'new'), { signal: controller.signal })
      if (
        await outcome.then(
          () => true,
          () => false,
        )
      )
        done = true
      else {
        await expect(outcome).rejects.toMatchObject({ code: 'aborted', category: 'AbortedError' })
        expect(await tree(parent)).toEqual([])
      }
      onGet = undefined
    }
    expect(stops).toBeGreaterThan(3)
    expect(await stored.verify(join(parent, 'new'))).toMatchObject({ ok: true, files: 40 })
  })

  it('applies the rule to a file that appears while it downloads', async () => {
    const artifact = await logged({ a: 'a', b: 'b' })
    for (const [overwrite, kept] of [
      ['fail', 'theirs'],
      ['preserve', 'theirs'],
      ['overwrite', 'a'],
    ] as const) {
      const target = await temporaryFolder()
      const onProgress = () => writeFileSync(join(target, 'a'), 'theirs')
      const outcome = artifact.download(target, { overwrite, onProgress: once(onProgress) })
      if (overwrite === 'fail')
        await expect(outcome).rejects.toMatchObject({ code: 'file-exists', fields: { path: 'a' } })
      else await outcome
      expect(await readFile(join(target, 'a'), 'utf8')).toBe(kept)
      expect(await tree(target)).toEqual(overwrite === 'fail' ? ['a'] : ['a', 'b'])
    }
  })

  it('does not go through a link that appears while it downloads', async () => {
    const artifact = await logged({ 'deep/a': 'a' })
    const elsewhere = await temporaryFolder()
    const target = await temporaryFolder()
    const onProgress = once(() => symlinkSync(elsewhere, join(target, 'deep')))
    await expect(artifact.download(target, { onProgress })).rejects.toMatchObject({ code: 'link-in-target' })
    expect(await tree(elsewhere)).toEqual([])
  })

  it('names a folder that cannot be written', async () => {
    const artifact = await logged({ a: 'a' })
    const target = await temporaryFolder()
    await chmod(target, 0o500)
    // Permissions do not bind root.
    if (process.getuid?.() === 0) expect((await artifact.download(target)).written).toEqual(['a'])
    else await expect(artifact.download(target)).rejects.toMatchObject({ code: 'target-refused' })
  })

  it('makes the folder of an artifact without assets', async () => {
    const { experiment } = await begin()
    const artifact = await experiment.logArtifact(new Artifact('nothing', 'dataset'))
    const target = join(await temporaryFolder(), 'empty')
    expect(await artifact.download(target)).toMatchObject({ written: [], bytes: 0 })
    expect(await tree(target)).toEqual([])
  })
})

function methods(store: Store): Store {
  return {
    uri: store.uri,
    get: store.get.bind(store),
    put: store.put.bind(store),
    delete: store.delete.bind(store),
    list: store.list.bind(store),
  }
}

/** A large value with its last bytes turned over. */
function flipped(stored: StoredValue | undefined, damaged: boolean): StoredValue | undefined {
  if (!stored || !damaged || stored.bytes.length < 100_000) return stored
  return { ...stored, bytes: stored.bytes.map((byte, at) => (at > stored.bytes.length - 9 ? ~byte : byte)) }
}

function once(work: () => void): () => void {
  let done = false
  return () => {
    if (!done) work()
    done = true
  }
}

describe('a download elsewhere', () => {
  it('into a Map, with the same rules', async () => {
    const artifact = await logged({ a: 'a', b: 'b' })
    const map = new Map([['b', bytesOf('B')]])
    await expect(artifact.download(map)).rejects.toMatchObject({ code: 'file-exists' })
    expect([...map.keys()]).toEqual(['b'])
    expect(await artifact.download(map, { overwrite: 'overwrite' })).toMatchObject({ written: ['a', 'b'] })
    expect(map).toEqual(
      new Map([
        ['b', bytesOf('b')],
        ['a', bytesOf('a')],
      ]),
    )
  })

  it('into a folder that a browser handed over', async () => {
    const artifact = await logged({ 'deep/er/a': 'a', b: 'b' })
    const folder = new FolderHandle()
    expect(await artifact.download(untyped(folder))).toMatchObject({ written: ['b', 'deep/er/a'], bytes: 2 })
    expect(await folder.contents()).toEqual({ b: 'b', 'deep/': '', 'deep/er/': '', 'deep/er/a': 'a' })
    expect(await artifact.download(untyped(folder))).toMatchObject({ written: [], kept: ['b', 'deep/er/a'] })

    const other = await logged({ 'deep/er/a': 'A', c: 'c' })
    await expect(other.download(untyped(folder))).rejects.toMatchObject({
      code: 'file-exists',
      fields: { path: 'deep/er/a' },
    })
    expect(await other.download(untyped(folder), { overwrite: 'preserve' })).toMatchObject({
      written: ['c'],
      kept: ['deep/er/a'],
    })
    expect(await other.download(untyped(folder), { overwrite: 'overwrite' })).toMatchObject({
      written: ['deep/er/a'],
      kept: ['c'],
    })
    expect(await folder.contents()).toMatchObject({ 'deep/er/a': 'A', b: 'b', c: 'c' })
    await expect((await logged({ deep: 'x' })).download(untyped(folder))).rejects.toMatchObject({ code: 'file-exists' })
  })

  it('takes away what it made in such a folder when it fails', async () => {
    let damaged = false
    const store = memoryStore()
    const { experiment } = await begin({
      store: { ...methods(store), get: async (...args) => flipped(await store.get(...args), damaged) },
    })
    const artifact = new Artifact('data', 'dataset')
    await artifact.add(bytesOf('fine'), { logicalPath: 'new/fine' })
    await artifact.add(noise(9_000_000, 5), { logicalPath: 'new/zz' })
    const stored = await experiment.logArtifact(artifact)
    const folder = new FolderHandle()
    await (await folder.getDirectoryHandle('kept', { create: true })).getFileHandle('mine', { create: true })
    await stored.getAssets()
    damaged = true
    await expect(stored.download(untyped(folder))).rejects.toMatchObject({ category: 'CorruptionError' })
    expect(await folder.contents()).toEqual({ 'kept/': '', 'kept/mine': '' })
  })

  it('goes to the folder of a file: URL, also as a string', async () => {
    const target = join(await temporaryFolder(), 'ü b')
    await (await logged({ a: 'a' })).download(pathToFileURL(target).href)
    expect(await tree(target)).toEqual(['a'])
  })

  it('refuses what is no place', async () => {
    const artifact = await logged({ a: 'a' })
    await expect(artifact.verify('/no/such folder')).rejects.toMatchObject({ code: 'file-not-found' })
    await expect(artifact.verify('no such folder')).rejects.toMatchObject({ code: 'file-not-found' })
    for (const target of ['', 7, null, new URL('https://host/x'), {}, '~', '~/out', 'https://host/x', 's3://bucket/x'])
      await expect(artifact.download(untyped(target))).rejects.toMatchObject({
        code: 'invalid-target',
      })
    await expect(artifact.download('/tmp/x', untyped({ overwrite: true }))).rejects.toMatchObject({
      code: 'invalid-option',
    })
    await expect(artifact.download('/tmp/x', untyped({ overwite: 'fail' }))).rejects.toThrow(/Did you mean overwrite/)
  })
})
