import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Artifact, type FileSource, memoryStore, type Store } from '../../src/index.ts'
import { begin, bytesOf, noise, open, places, sameBytes, temporaryFolder } from './world.ts'

describe.each(places)('deletion on $place', ({ open: store }) => {
  it('takes a version away, and keeps what others need', async () => {
    const { tidemark, experiment } = await begin({ store: await store() })
    const big = noise(400_000, 1)
    for (const name of ['one', 'two', 'three']) {
      const artifact = new Artifact('data', 'dataset', { aliases: [name] })
      await artifact.add(big, { logicalPath: 'shared' })
      await artifact.add(bytesOf(name), { logicalPath: 'own' })
      await experiment.logArtifact(artifact)
    }
    await (await tidemark.getArtifact('data:v0')).delete()
    await (await tidemark.getArtifact('data:v2')).delete()
    await tidemark.collectGarbage({ graceMs: 0 })
    expect((await tidemark.getArtifact('data')).index).toBe(1)
    for (const gone of ['data:v0', 'data:v2', 'data:one', 'data:three'])
      await expect(tidemark.getArtifact(gone)).rejects.toMatchObject({ code: 'version-not-found' })
    const left = await tidemark.getArtifact('data:two')
    expect(await left.verify()).toMatchObject({ ok: true, files: 2 })
    expect(sameBytes(await left.get('shared'), big)).toBe(true)
    await expect(left.delete().then(() => left.delete())).rejects.toMatchObject({ category: 'NotFoundError' })
    expect((await experiment.uploadArtifact('data', 'again')).index).toBe(3)
  })

  it('takes an artifact away with all its versions', async () => {
    const { tidemark, experiment } = await begin({ store: await store() })
    await experiment.uploadArtifact('data', 1)
    await experiment.uploadArtifact('data', 2)
    await tidemark.deleteArtifact('data')
    await expect(tidemark.getArtifact('data')).rejects.toMatchObject({ code: 'artifact-not-found' })
    await expect(tidemark.deleteArtifact('data')).rejects.toMatchObject({ code: 'artifact-not-found' })
    await expect(tidemark.deleteArtifact('data:v1')).rejects.toMatchObject({ code: 'invalid-name' })
    expect(await tidemark.getArtifacts().toArray()).toEqual([])
    expect((await experiment.uploadArtifact('data', 3)).index).toBe(2)
  })
})

it('what only a deleted version needed is freed, and a dry run frees nothing', async () => {
  const folder = join(await temporaryFolder(), 'store')
  const { tidemark, experiment } = await begin({ store: folder })
  const logged = await experiment.uploadArtifact('data', noise(3_000_000, 7))
  await experiment.uploadArtifact('other', noise(1_000_000, 8))
  await logged.delete()
  const before = await bytesBelow(folder)
  const planned = await tidemark.collectGarbage({ dryRun: true })
  expect(planned).toMatchObject({ packsDeleted: 1 })
  expect(await bytesBelow(folder)).toBe(before)
  expect(await tidemark.collectGarbage()).toEqual(planned)
  expect(await bytesBelow(folder)).toBeLessThan(before - 2_900_000)
  await expect(logged.get()).rejects.toMatchObject({
    code: 'pack-missing',
    message: expect.stringMatching(/of data:v0 is not in the store: a version that was deleted/),
  })
  expect(await (await tidemark.getArtifact('other')).verify()).toMatchObject({ ok: true })
})

describe('a version that is deleted while it is built upon', () => {
  /** A file that, when it is first read, calls `before`. */
  function fileThat(before: () => Promise<unknown>, content: Uint8Array): FileSource {
    let read = false
    return {
      name: 'data.bin',
      mediaType: 'application/octet-stream',
      async *open() {
        if (!read) await before()
        read = true
        yield content
      },
    }
  }

  it('is done without', async () => {
    const { tidemark, experiment } = await begin()
    const content = noise(500_000, 4)
    const first = await experiment.uploadArtifact('data', content)
    const vanish = async () => {
      await first.delete()
      await tidemark.collectGarbage({ graceMs: 0 })
    }
    const artifact = await new Artifact('data', 'data').add(fileThat(vanish, content), { logicalPath: 'data' })
    const second = await experiment.logArtifact(artifact)
    expect(second.index).toBe(1)
    expect(sameBytes(await second.get(), content)).toBe(true)
    expect(await second.verify()).toMatchObject({ ok: true })
  })

  it('ends a draft of it', async () => {
    const { tidemark, experiment } = await begin()
    const first = await experiment.uploadArtifact('data', noise(500_000, 4))
    const vanish = async () => {
      await first.delete()
      await tidemark.collectGarbage({ graceMs: 0 })
    }
    const draft = await first.newDraft()
    await draft.add(fileThat(vanish, bytesOf('more')), { logicalPath: 'more' })
    await expect(experiment.logArtifact(draft)).rejects.toMatchObject({ code: 'base-gone', category: 'ConflictError' })
    await expect(tidemark.getArtifact('data')).rejects.toMatchObject({ category: 'NotFoundError' })
  })
})

async function bytesBelow(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const sizes = files
    .filter((file) => file.isFile())
    .map(async (file) => (await stat(join(file.parentPath, file.name))).size)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

describe('damage', () => {
  /** Flips one bit of the value under each key that matches. */
  async function damage(store: Store, prefix: string): Promise<void> {
    for (const { key } of (await store.list(prefix)).entries) {
      const bytes = (await store.get(key))?.bytes.slice()
      if (!bytes) continue
      bytes[bytes.length >> 1] ^= 4
      await store.put(key, bytes)
    }
  }

  it('in bytes is found, named, and never returned', async () => {
    const store = memoryStore()
    const { tidemark, experiment } = await begin({ store })
    const artifact = new Artifact('data', 'dataset')
    await artifact.add(noise(200_000, 3), { logicalPath: 'big' })
    await artifact.add(bytesOf('fine'), { logicalPath: 'small' })
    const logged = await experiment.logArtifact(artifact)
    await damage(store, 'packs/')
    await expect(logged.get('big')).rejects.toMatchObject({
      category: 'CorruptionError',
      message: expect.stringContaining('big'),
    })
    const map = new Map<string, Uint8Array>()
    await expect(logged.download(map)).rejects.toMatchObject({ category: 'CorruptionError' })
    expect(map.size).toBe(0)
    expect(await logged.verify()).toMatchObject({
      ok: false,
      files: 2,
      damaged: [{ path: 'big', code: 'chunk-damaged' }],
    })
    expect(await tidemark.verify('data').toArray()).toMatchObject([
      { name: 'data', index: 0, ok: false, damaged: [{ path: 'big' }] },
    ])
  })

  it('in a record is found too', async () => {
    const store = memoryStore()
    const { experiment } = await begin({ store })
    await experiment.uploadArtifact('data', { a: 1 })
    await damage(store, 'artifacts/default/data/v/')
    const tidemark = await open({ store })
    await expect(tidemark.getArtifact('data:v0')).rejects.toMatchObject({ category: 'CorruptionError' })
  })

  it('in one record keeps nobody from verifying the others', async () => {
    const store = memoryStore()
    const { experiment } = await begin({ store })
    for (let value = 0; value < 4; value++) await experiment.uploadArtifact('data', { value })
    await (await experiment.getArtifact('data:v0')).delete()
    await experiment.uploadArtifact('other', 1)
    await damage(store, 'artifacts/default/data/v/0000000002')
    const tidemark = await open({ store })
    const reports = await tidemark.verify().toArray()
    expect(reports.map(({ name, index, version, ok }) => [name, index, version, ok])).toEqual([
      ['data', 3, '4.0.0', true],
      ['data', 2, '', false],
      ['data', 1, '2.0.0', true],
      ['other', 0, '1.0.0', true],
    ])
    expect(reports[1].damaged).toMatchObject([{ path: '', code: 'record-damaged' }])
  })
})

it('verifies everything there is', async () => {
  const { tidemark, experiment } = await begin()
  await experiment.uploadArtifact('a', 1)
  await experiment.uploadArtifact('a', 2)
  await experiment.uploadArtifact('b', 'text')
  const reports = await tidemark.verify().toArray()
  expect(reports.map(({ name, index, ok, files }) => [name, index, ok, files])).toEqual([
    ['a', 1, true, 1],
    ['a', 0, true, 1],
    ['b', 0, true, 1],
  ])
  expect(await tidemark.verify('a:v0').toArray()).toMatchObject([{ name: 'a', index: 0, version: '1.0.0', ok: true }])
  await expect(tidemark.verify('c').toArray()).rejects.toMatchObject({ code: 'artifact-not-found' })
})

it('a pack that was cut short is damage: reported by verify, and never data', async () => {
  const store = memoryStore()
  const { tidemark, experiment } = await begin({ store })
  const logged = await experiment.uploadArtifact('data', noise(300_000, 5))
  const { entries } = await store.list('packs/', { values: true })
  for (const keep of [1000, 200_000]) {
    for (const { key, bytes } of entries) if (bytes) await store.put(key, bytes.slice(0, keep))
    await expect(logged.get()).rejects.toMatchObject({ category: 'CorruptionError', code: 'pack-damaged' })
    expect(await tidemark.verify().toArray()).toMatchObject([{ ok: false, damaged: [{ code: 'pack-damaged' }] }])
  }
})
