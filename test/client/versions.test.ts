import { describe, expect, it } from 'vitest'
import { type AddOptions, Artifact, type ArtifactOptions, type Experiment, file, text } from '../../src/index.ts'
import { begin, places } from './world.ts'

async function log(experiment: Experiment, content: unknown, options?: ArtifactOptions) {
  const artifact = new Artifact('data', 'dataset', options)
  await artifact.add(content, { logicalPath: 'content' })
  return experiment.logArtifact(artifact)
}

describe.each(places)('versions on $place', ({ open }) => {
  it('count up: index and semantic version', async () => {
    const { tidemark, experiment } = await begin({ store: await open() })
    expect(await log(experiment, 'one')).toMatchObject({ index: 0, version: '1.0.0' })
    expect(await log(experiment, 'two')).toMatchObject({ index: 1, version: '2.0.0' })
    expect(await log(experiment, 'three', { version: '3.3.1' })).toMatchObject({ index: 2, version: '3.3.1' })
    expect(await log(experiment, 'four')).toMatchObject({ index: 3, version: '4.0.0' })
    await expect(log(experiment, 'five', { version: '3.3.1' })).rejects.toMatchObject({
      code: 'version-exists',
      category: 'ConflictError',
    })
    expect((await tidemark.getVersions('data').toArray()).map(({ index }) => index)).toEqual([3, 2, 1, 0])
    for (const [name, text] of [
      ['data', 'four'],
      ['data:latest', 'four'],
      ['data:v0', 'one'],
      ['data:2.0.0', 'two'],
      ['default/data:3.3.1', 'three'],
    ])
      expect(await (await tidemark.getArtifact(name)).get()).toBe(text)
    expect(await (await tidemark.getArtifact('data:v0', { versionOrAlias: 'v1' })).get()).toBe('two')
  })

  it('equal content with nothing new is the same version; new labels go to it; new metadata makes one', async () => {
    const { experiment } = await begin({ store: await open() })
    await log(experiment, 'same', { metadata: { by: 'hand' } })
    expect((await log(experiment, 'same', { metadata: { by: 'hand' } })).index).toBe(0)
    expect((await log(experiment, 'same')).index).toBe(0)
    const labelled = await log(experiment, 'same', { aliases: ['golden'], versionTags: ['seen'] })
    expect(labelled).toMatchObject({ index: 0, aliases: ['golden'], versionTags: ['seen'] })
    expect((await log(experiment, 'same', { metadata: { by: 'machine' } })).index).toBe(1)
    expect((await log(experiment, 'other')).index).toBe(2)
    // Back to older content: a version of its own, as time has gone on.
    expect((await log(experiment, 'same')).index).toBe(3)
  })

  it('equal bytes with something new about an asset are a version of their own', async () => {
    const { experiment } = await begin({ store: await open() })
    const add = async (value: unknown, options: AddOptions = {}) => {
      const artifact = new Artifact('about', 'dataset')
      await artifact.add('beside', { logicalPath: 'a.txt' })
      await artifact.add(value, { logicalPath: 'b.txt', ...options })
      const logged = await experiment.logArtifact(artifact)
      const { metadata, mediaType, type } = await logged.getAsset('b.txt')
      return [logged.index, type, mediaType, metadata]
    }
    const plain = text('1')
    const type = 'text/plain; charset=utf-8'
    expect(await add(plain)).toEqual([0, 'text', type, undefined])
    expect(await add(plain, { metadata: { unit: 'cm' } })).toEqual([1, 'text', type, { unit: 'cm' }])
    expect(await add(plain, { metadata: { unit: 'cm' } })).toEqual([1, 'text', type, { unit: 'cm' }])
    expect(await add(plain)).toEqual([1, 'text', type, { unit: 'cm' }])
    expect(await add(plain, { metadata: { unit: 'mm' } })).toEqual([2, 'text', type, { unit: 'mm' }])
    // The same bytes, but get() gives bytes and not a string.
    expect(await add(file(new TextEncoder().encode('1')))).toEqual([3, 'file', 'text/plain', undefined])
    expect(await add(file(new TextEncoder().encode('1'), { mediaType: 'text/csv' }))).toEqual([
      4,
      'file',
      'text/csv',
      undefined,
    ])
    const [older, newer, newest] = await Promise.all(
      ['v2', 'v3', 'v4'].map((one) => experiment.getArtifact(`about:${one}`)),
    )
    for (const [from, to] of [
      [older, newer],
      [newer, newest],
    ])
      expect((await from.diff(to)).changed.map(({ path }) => path)).toEqual(['b.txt'])
    // Compared with the latest version, whatever it is based on.
    const artifact = new Artifact('about', 'dataset')
    await artifact.add('beside', { logicalPath: 'a.txt', metadata: { by: 'hand' } })
    await artifact.add(file(new TextEncoder().encode('1'), { mediaType: 'text/csv' }), { logicalPath: 'b.txt' })
    expect((await experiment.logArtifact(artifact, { base: 'about:v0' })).index).toBe(5)
    expect((await experiment.logArtifact(artifact, { base: 'about:v0' })).index).toBe(5)
  })

  it('an alias lives on one version and moves', async () => {
    const { tidemark, experiment } = await begin({ store: await open() })
    await log(experiment, 'one', { aliases: ['best', 'first'] })
    await log(experiment, 'two', { aliases: ['best'] })
    expect((await tidemark.getArtifact('data:best')).index).toBe(1)
    expect((await tidemark.getArtifact('data:first')).aliases).toEqual(['first'])
    await expect(tidemark.getArtifact('data:worst')).rejects.toMatchObject({
      code: 'version-not-found',
      category: 'NotFoundError',
    })
  })

  it('labels are replaced as a whole, each list for itself', async () => {
    const { tidemark, experiment } = await begin({ store: await open() })
    const one = await log(experiment, 'one', { aliases: ['a', 'b'], versionTags: ['raw'] })
    await log(experiment, 'two', { aliases: ['c'] })
    await one.updateAliases(['b', 'c', 'd'])
    await one.updateVersionTags(['clean', 'checked'])
    await one.updateArtifactTags(['field'])
    const again = await tidemark.getArtifact('data:v0')
    for (const seen of [one, again]) {
      expect([...seen.aliases].sort()).toEqual(['b', 'c', 'd'])
      expect(seen.versionTags).toEqual(['clean', 'checked'])
      expect(seen.artifactTags).toEqual(['field'])
    }
    expect((await tidemark.getArtifact('data:v1')).aliases).toEqual([])
    expect((await tidemark.getArtifact('data:v1')).artifactTags).toEqual(['field'])
    await one.updateAliases([])
    expect((await tidemark.getArtifact('data:v0')).aliases).toEqual([])
    await expect(tidemark.getArtifact('data:d')).rejects.toMatchObject({ code: 'version-not-found' })
  })

  it('as JSON they tell all that they are', async () => {
    const { experiment } = await begin({ store: await open() })
    const logged = await log(experiment, 'one', { aliases: ['best'], versionTags: ['raw'], metadata: { by: 'hand' } })
    await logged.updateArtifactTags(['field'])
    const { name, version, digest } = logged
    expect(JSON.parse(JSON.stringify(logged))).toMatchObject({
      name,
      version,
      digest,
      index: 0,
      count: 1,
      aliases: ['best'],
      versionTags: ['raw'],
      artifactTags: ['field'],
      metadata: { by: 'hand' },
      createdAt: logged.createdAt.toISOString(),
    })
  })

  it('versions logged at once all come to be, each once', async () => {
    const { tidemark, experiment } = await begin({ store: await open() })
    const logged = await Promise.all(Array.from({ length: 8 }, (_, n) => log(experiment, `text ${n}`)))
    expect(logged.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    const texts = await Promise.all((await tidemark.getVersions('data').toArray()).map((one) => one.get()))
    expect(texts.sort()).toEqual(logged.map((_, n) => `text ${n}`))
  })

  it('artifacts of one name live apart in each workspace', async () => {
    const { tidemark, experiment } = await begin({ store: await open(), workspace: 'one' })
    const other = await tidemark.createExperiment({ workspace: 'two' })
    await log(experiment, 'in one')
    await log(other, 'in two')
    expect(await (await tidemark.getArtifact('data')).get()).toBe('in one')
    expect(await (await tidemark.getArtifact('two/data')).get()).toBe('in two')
    expect(await (await tidemark.getArtifact('two/data', { workspace: 'one' })).get()).toBe('in one')
    expect(await (await other.getArtifact('data')).get()).toBe('in two')
    expect(await tidemark.getArtifacts({ workspace: 'two' }).toArray()).toMatchObject([
      { workspace: 'two', name: 'data', latest: 0 },
    ])
    expect(await tidemark.getArtifacts({ type: 'model' }).toArray()).toEqual([])
  })

  it('the type is that of the artifact', async () => {
    const { experiment } = await begin({ store: await open() })
    await log(experiment, 'one')
    expect((await experiment.uploadArtifact('data', { now: 'json' })).type).toBe('dataset')
    await expect(experiment.uploadArtifact('data', 1, { type: 'model' })).rejects.toMatchObject({
      code: 'artifact-type-differs',
    })
  })

  it('only what is new is stored', async () => {
    const { experiment } = await begin({ store: await open() })
    const stored: number[] = []
    const onProgress = ({ phase, stored: bytes }: { phase: string; stored: number }) =>
      void (phase === 'done' && stored.push(bytes))
    const big = crypto.getRandomValues(new Uint8Array(60_000))
    const rows = new Uint8Array(big.length * 20)
    for (let n = 0; n < 20; n++)
      rows.set(
        big.map((byte) => byte ^ n),
        n * big.length,
      )
    await experiment.uploadArtifact('blob', rows, { onProgress })
    await experiment.uploadArtifact('blob', rows, { onProgress, metadata: { again: true } })
    const edited = rows.slice()
    edited[700_000] ^= 1
    await experiment.uploadArtifact('blob', edited, { onProgress })
    const [whole, nothing, edit] = stored
    expect(whole).toBeGreaterThan(rows.length)
    expect(nothing).toBe(0)
    expect(edit).toBeLessThan(8000)
    await experiment.uploadArtifact('blob', rows, { onProgress, base: 'blob:v0' })
    await experiment.uploadArtifact('blob', edited, { onProgress, base: null, metadata: { full: true } })
    expect(stored[3]).toBeLessThan(1000)
    expect(stored[4]).toBeGreaterThan(rows.length)
  })
})
