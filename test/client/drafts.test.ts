import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Artifact, type LoggedArtifact } from '../../src/index.ts'
import { begin, bytesOf, places, temporaryFolder } from './world.ts'

async function contents(logged: LoggedArtifact): Promise<Record<string, string>> {
  const map = new Map<string, Uint8Array>()
  await logged.download(map)
  return Object.fromEntries([...map].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]))
}

async function three(): Promise<Artifact> {
  const artifact = new Artifact('data', 'dataset', { metadata: { source: 'field' }, description: 'three letters' })
  for (const name of ['a', 'b', 'c'])
    await artifact.add(bytesOf(name), { logicalPath: `letters/${name}`, metadata: { name } })
  return artifact
}

describe.each(places)('drafts and differences on $place', ({ open }) => {
  it('a draft begins as its version, and keeps what is not changed', async () => {
    const { experiment } = await begin({ store: await open() })
    const first = await experiment.logArtifact(await three())
    const draft = await first.newDraft()
    expect(draft.assets.map(({ logicalPath, size, type }) => [logicalPath, size, type])).toEqual([
      ['letters/a', 1, 'file'],
      ['letters/b', 1, 'file'],
      ['letters/c', 1, 'file'],
    ])
    expect(draft.remove('letters/b')).toBe(1)
    await draft.add(bytesOf('new'), { logicalPath: 'letters/d' })
    await expect(draft.add(bytesOf('!'), { logicalPath: 'letters/a' })).rejects.toMatchObject({ code: 'asset-exists' })
    await draft.add(bytesOf('A'), { logicalPath: 'letters/a', overwrite: true })
    const second = await experiment.logArtifact(draft)
    expect(second).toMatchObject({ index: 1, metadata: { source: 'field' }, description: 'three letters' })
    expect(await contents(second)).toEqual({ 'letters/a': 'A', 'letters/c': 'c', 'letters/d': 'new' })
    expect(await contents(first)).toEqual({ 'letters/a': 'a', 'letters/b': 'b', 'letters/c': 'c' })
    expect((await second.getAsset('letters/c')).metadata).toEqual({ name: 'c' })
    expect(await second.verify()).toMatchObject({ ok: true, files: 3 })

    const diff = await first.diff(second)
    expect(diff.added.map(({ path }) => path)).toEqual(['letters/d'])
    expect(diff.removed).toMatchObject([{ path: 'letters/b', size: 1, type: 'file', metadata: { name: 'b' } }])
    expect(diff.changed).toMatchObject([{ path: 'letters/a', before: { size: 1 }, after: { size: 1 } }])
    expect(await second.diff(second)).toEqual({ added: [], removed: [], changed: [] })
  })

  it('a draft of an old version and of nothing but links', async () => {
    const { experiment } = await begin({ store: await open() })
    const first = await experiment.logArtifact(await three())
    await experiment.uploadArtifact('data', 'something else')
    expect(await contents(await experiment.logArtifact(await first.newDraft()))).toEqual(await contents(first))

    const links = await new Artifact('links', 'dataset').addRemote('s3://bucket/a')
    const logged = await experiment.logArtifact(links)
    const draft = await logged.newDraft()
    expect(draft.assets).toMatchObject([{ logicalPath: 'a', remote: true, link: 's3://bucket/a' }])
    expect((await experiment.logArtifact(draft)).index).toBe(0)
  })

  it('an unchanged draft is its version, and a draft has its base', async () => {
    const { experiment } = await begin({ store: await open() })
    const first = await experiment.logArtifact(await three())
    expect((await experiment.logArtifact(await first.newDraft())).index).toBe(0)
    await expect(experiment.logArtifact(await first.newDraft(), { base: first })).rejects.toMatchObject({
      code: 'invalid-option',
    })
  })

  it('a version of another store is compared, and neither base nor draft where another has its name', async () => {
    const { experiment } = await begin({ store: await open() })
    const { tidemark: elsewhere, experiment: other } = await begin()
    const first = await experiment.logArtifact(await three())
    const table = await experiment.uploadArtifact('table', [{ id: 1, name: 'one' }])
    const name = new Artifact('other', 'dataset')
    await name.add(bytesOf('a'), { logicalPath: 'letters/a' })
    const gone = await (await other.logArtifact(name)).newDraft()
    await expect(experiment.logArtifact(gone)).rejects.toMatchObject({ code: 'base-gone' })

    const foreign = await other.uploadArtifact('data', 'something else', { type: 'dataset' })
    await other.uploadArtifact('table', [{ id: 1, name: 'two' }])
    await expect(other.logArtifact(await first.newDraft())).rejects.toMatchObject({ code: 'other-store' })
    await expect(other.logArtifact(await three(), { base: first })).rejects.toMatchObject({ code: 'other-store' })
    expect((await elsewhere.getArtifact('data')).index).toBe(0)
    const diff = await first.diff(foreign)
    expect([diff.added.length, diff.removed.length]).toEqual([1, 3])
    const [changed] = (await table.diff(await elsewhere.getArtifact('table'))).changed
    expect(await changed.table()).toMatchObject({ cellsByColumn: { name: 1 } })
  })

  it('compares a folder with a version', async () => {
    const { experiment } = await begin({ store: await open() })
    const logged = await experiment.logArtifact(await three())
    const out = join(await temporaryFolder(), 'out')
    await logged.download(out)
    await writeFile(join(out, 'letters/a'), 'x')
    await writeFile(join(out, 'letters/b'), 'longer')
    await rm(join(out, 'letters/c'))
    await mkdir(join(out, 'more'))
    await writeFile(join(out, 'more/d'), 'd')
    expect(await logged.verify(out)).toMatchObject({
      ok: false,
      different: ['letters/a', 'letters/b'],
      missing: ['letters/c'],
      extra: ['more/d'],
    })
  })

  it('finds files in a folder that adding the folder would leave out', async () => {
    const { experiment } = await begin({ store: await open() })
    const artifact = new Artifact('config', 'dataset')
    const paths = ['.git/hooks/run', '.tidemarkignore', 'deep/.DS_Store', 'logs/a.log']
    for (const path of paths) await artifact.add(bytesOf('*.log'), { logicalPath: path })
    const logged = await experiment.logArtifact(artifact)
    const out = await temporaryFolder()
    await logged.download(out)
    await writeFile(join(out, '.git/HEAD'), 'not an asset')
    await symlink('/nowhere', join(out, '.git/hooks/broken'))
    expect(await logged.verify(out)).toMatchObject({ ok: true, files: 4, extra: [] })
    await writeFile(join(out, '.git/hooks/run'), 'other')
    await rm(join(out, 'deep/.DS_Store'))
    expect(await logged.verify(out)).toMatchObject({
      ok: false,
      different: ['.git/hooks/run'],
      missing: ['deep/.DS_Store'],
      extra: [],
    })
  })
})

describe('a pending artifact', () => {
  it('lists, removes and shares what it holds', async () => {
    const artifact = await three()
    await artifact.addRemote('https://host/deep/file.csv?x=1', { checksum: false, logicalPath: 'links/' })
    expect(artifact.assets.at(-1)).toMatchObject({
      logicalPath: 'links/file.csv',
      remote: true,
      size: 0,
      type: 'remote',
    })
    const other = new Artifact('other', 'dataset').addAsset(artifact.assets[0])
    expect(other.assets).toMatchObject([{ logicalPath: 'letters/a', metadata: { name: 'a' } }])
    expect(() => other.addAsset(artifact.assets[0])).toThrow(expect.objectContaining({ code: 'asset-exists' }))
    expect(artifact.remove('letters')).toBe(3)
    expect(() => artifact.remove('link')).toThrow(/Did you mean links\/file.csv/)
  })

  it('is logged with what is still being added, and fails with it', async () => {
    const { experiment } = await begin()
    const path = join(await temporaryFolder(), 'slow.txt')
    await writeFile(path, 'slow')
    const artifact = new Artifact('eager', 'dataset')
    const adding = [
      artifact.add(path),
      artifact.add({ a: 1 }, { logicalPath: 'a.json' }),
      artifact.addRemote('s3://b/k'),
    ]
    const logging = experiment.logArtifact(artifact)
    // Not awaited: the end waits for it.
    await experiment.end()
    expect((await (await logging).getAssets()).map(({ logicalPath }) => logicalPath)).toEqual([
      'a.json',
      'k',
      'slow.txt',
    ])
    await Promise.all(adding)

    const { tidemark, experiment: other } = await begin()
    const broken = artifact.add(`${path}.gone`)
    await Promise.all([
      expect(other.logArtifact(artifact)).rejects.toMatchObject({ code: 'file-not-found' }),
      expect(broken).rejects.toMatchObject({ code: 'file-not-found' }),
    ])
    await expect(tidemark.getArtifact('eager')).rejects.toMatchObject({ code: 'artifact-not-found' })
    expect((await other.logArtifact(artifact)).count).toBe(3)
  })

  it('can be logged twice, and logged again after a failure', async () => {
    const { experiment } = await begin()
    const dir = await temporaryFolder()
    await writeFile(join(dir, 'a.txt'), 'one')
    const artifact = await new Artifact('data', 'dataset').add(dir, { logicalPath: '' })
    expect((await experiment.logArtifact(artifact)).index).toBe(0)
    expect((await experiment.logArtifact(artifact)).index).toBe(0)
    await rm(join(dir, 'a.txt'))
    await expect(experiment.logArtifact(artifact)).rejects.toMatchObject({ code: 'file-vanished' })
    await writeFile(join(dir, 'a.txt'), 'another text')
    expect(await contents(await experiment.logArtifact(artifact))).toEqual({ 'a.txt': 'another text' })
  })

  it('takes folders and patterns as one asset for each file, without what is ignored', async () => {
    const dir = await temporaryFolder()
    await mkdir(join(dir, 'photos/deep'), { recursive: true })
    for (const name of ['a.jpg', 'b.tmp', 'deep/c.jpg', 'deep/secret.txt'])
      await writeFile(join(dir, 'photos', name), name)
    await writeFile(join(dir, 'photos/.tidemarkignore'), 'secret*\n')
    const all = await new Artifact('photos', 'dataset').add(join(dir, 'photos'), { ignore: '*.tmp' })
    expect(all.assets.map(({ logicalPath }) => logicalPath)).toEqual(['photos/a.jpg', 'photos/deep/c.jpg'])
    const some = await new Artifact('photos', 'dataset').add(join(dir, 'photos/**/*.jpg'), { logicalPath: 'jpegs' })
    expect(some.assets.map(({ logicalPath }) => logicalPath)).toEqual(['jpegs/a.jpg', 'jpegs/deep/c.jpg'])
    const one = await new Artifact('photos', 'dataset').add(join(dir, 'photos/a.jpg'), { logicalPath: 'top/' })
    expect(one.assets).toMatchObject([{ logicalPath: 'top/a.jpg', size: 5, localPath: join(dir, 'photos/a.jpg') }])
    const { experiment } = await begin()
    const stored = JSON.stringify(await (await experiment.logArtifact(one)).getAssets())
    expect(stored).not.toContain(dir)
  })
})
