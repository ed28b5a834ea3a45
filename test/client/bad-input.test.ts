import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Artifact, arrays, type Experiment, type Tidemark } from '../../src/index.ts'
import { begin, bytesOf, temporaryFolder, untyped } from './world.ts'

async function nothingLogged(tidemark: Tidemark): Promise<void> {
  expect(await tidemark.getArtifacts().toArray()).toEqual([])
}

describe('values that cannot be stored', () => {
  class Model {
    weights = 1
  }
  const cycle: Record<string, unknown> = { name: 'x' }
  cycle.deep = { back: cycle }

  it.each([
    ['a function', () => 1, /function/],
    [
      'a function in a dict',
      { settings: { layers: [1, { activation: () => 1 }] } },
      /settings\.layers\[1\]\.activation/,
    ],
    ['a class instance', new Model(), /Model/],
    ['a class instance in a dict', { model: new Model() }, /model/],
    ['a cycle', cycle, /deep\.back/],
    ['a promise', Promise.resolve(1), /[Aa]wait/],
    ['undefined', undefined, /undefined/],
    ['a symbol', Symbol('x'), /symbol/],
    ['a RegExp in a dict', { pattern: /x/ }, /pattern/],
    ['a getter that throws', throwing(), /the disk of the getter/],
    ['a getter that throws in rows', [{ a: 1 }, throwing()], /the disk of the getter/],
    ['a proxy that throws', new Proxy({ a: 1 }, { ownKeys: () => throwing().value }), /the disk of the getter/],
    ['a revoked proxy', revoked(), /revoked/],
    ['a revoked proxy in a dict', { deep: { down: revoked() } }, /revoked/],
  ])('%s', async (_, value, message) => {
    const { tidemark, experiment } = await begin()
    await expect(experiment.uploadArtifact('x', value)).rejects.toThrow(message)
    await expect(experiment.uploadArtifact('x', value)).rejects.toMatchObject({ category: 'InvalidInputError' })
    await nothingLogged(tidemark)
  })

  it.each([
    ['a dict', { layers: [1, { activation: () => 0 }] }, 'value.layers[1].activation is a function'],
    ['rows', [{ a: 1 }, { a: 'one' }], "Column 'a' holds values of two types: rows[1].a"],
    ['a getter that throws', throwing(), 'The value could not be read'],
  ])('with the asset among many, and the place in it: %s', async (_, value, message) => {
    const { tidemark, experiment } = await begin()
    const artifact = new Artifact('many', 'dataset')
    await artifact.add('fine', { logicalPath: 'fine.txt' })
    await artifact.add(value, { logicalPath: 'bad/one' })
    await expect(experiment.logArtifact(artifact)).rejects.toMatchObject({
      category: 'InvalidInputError',
      fields: { asset: 'bad/one' },
      message: expect.stringContaining(`bad/one: ${message}`),
    })
    await expect(experiment.uploadArtifact('named', value)).rejects.toMatchObject({ fields: { asset: 'named' } })
    await nothingLogged(tidemark)
  })

  it.each([
    // Progress is told every 100 ms at most: what is read faster than that is read before it can be taken away.
    ['arrays', 48_000_000, (data: Uint8Array) => arrays({ a: new Float32Array(1_000_000), b: data })],
    ['an image', 9_000_000, (data: Uint8Array) => ({ width: 1000, height: 3000, data })],
  ])('transferred elsewhere while it is read: %s', async (_, size, make) => {
    const { tidemark, experiment } = await begin()
    const data = new Uint8Array(size).map((_, at) => (at * at) >> 7)
    const logging = experiment.uploadArtifact('gone', make(data), {
      onProgress: ({ bytes }) => {
        if (bytes > 0 && data.length > 0) structuredClone(data, { transfer: [data.buffer] })
      },
    })
    // As it is noticed first: by reading it, or by what was read of it before.
    await expect(logging).rejects.toMatchObject({
      code: expect.stringMatching(/^(value-unreadable|zip-bytes-changed)$/),
    })
    await nothingLogged(tidemark)
  })
})

function throwing(): { value: never } {
  return {
    get value(): never {
      throw new Error('the disk of the getter is gone')
    },
  }
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

describe('names, paths and options', () => {
  it.each(['', 'a/b/c', 'a\u0000b', '.', '..', 'x'.repeat(129), 7, null, undefined])('the name %j', async (name) => {
    const { tidemark, experiment } = await begin()
    await expect(experiment.uploadArtifact(untyped(name), 1)).rejects.toMatchObject({
      code: 'invalid-name',
      category: 'InvalidInputError',
    })
    expect(() => new Artifact(untyped(name), 'dataset')).toThrow(expect.objectContaining({ code: 'invalid-name' }))
    await expect(tidemark.createExperiment({ project: untyped(name ?? 5) })).rejects.toMatchObject({
      code: 'invalid-name',
    })
    await nothingLogged(tidemark)
  })

  it.each(['../x', '/etc/passwd', 'C:/x', 'a\\b', 'a//b', './a', 'con', 'nul.txt', 'a/../b', 'a.', 'a\u0007', '~/x'])(
    'the path %j',
    async (logicalPath) => {
      const artifact = new Artifact('data', 'dataset')
      await expect(artifact.add(bytesOf('x'), { logicalPath })).rejects.toMatchObject({
        code: 'invalid-path',
        category: 'InvalidInputError',
      })
      await expect(artifact.addRemote('s3://bucket/x', { logicalPath })).rejects.toMatchObject({ code: 'invalid-path' })
      expect(artifact.assets).toEqual([])
    },
  )

  it.each([
    ['createExperiment', (t: Tidemark) => t.createExperiment(untyped({ projekt: 'x' })), /Did you mean project/],
    [
      'createExperiment, nearly',
      (t: Tidemark) => t.createExperiment(untyped({ logSystemDetail: true })),
      /Did you mean logSystemDetails/,
    ],
    [
      'getArtifact',
      (t: Tidemark) => t.getArtifact('x', untyped({ versionOralias: 'v1' })),
      /Did you mean versionOrAlias/,
    ],
    ['getExperiments', (t: Tidemark) => t.getExperiments(untyped({ project: 'x' })), /projectId|projectName/],
    ['collectGarbage', (t: Tidemark) => t.collectGarbage(untyped({ dryrun: true })), /Did you mean dryRun/],
    ['callApi', async (t: Tidemark) => t.callApi('/x', untyped({ verb: 'GET' })), /verb/],
  ])('unknown options of %s', async (_, call, message) => {
    const { tidemark } = await begin()
    await expect(call(tidemark)).rejects.toMatchObject({
      code: 'unknown-option',
      message: expect.stringMatching(message),
    })
  })

  it.each([
    ['uploadArtifact', (e: Experiment) => e.uploadArtifact('x', 1, untyped({ meta: {} })), 'unknown-option'],
    ['its aliases', (e: Experiment) => e.uploadArtifact('x', 1, untyped({ aliases: 'best' })), 'invalid-option'],
    [
      'its metadata',
      (e: Experiment) => e.uploadArtifact('x', 1, { metadata: untyped({ a: { b: () => 1 } }) }),
      'invalid-metadata',
    ],
    ['logArtifact', (e: Experiment) => e.logArtifact(untyped({ name: 'x' })), 'invalid-artifact'],
    ['the base', (e: Experiment) => e.uploadArtifact('x', 1, { base: untyped({}) }), 'invalid-artifact'],
    ['a base that is not there', (e: Experiment) => e.uploadArtifact('x', 1, { base: 'x:v7' }), 'artifact-not-found'],
    ['an alias like a version', (e: Experiment) => e.uploadArtifact('x', 1, { aliases: ['v3'] }), 'invalid-alias'],
    [
      'a version that is none',
      async (e: Experiment) => e.logArtifact(new Artifact('x', 'y', { version: '1.0' })),
      'invalid-version',
    ],
  ])('%s', async (_, call, code) => {
    const { tidemark, experiment } = await begin()
    await expect(call(experiment)).rejects.toMatchObject({ code })
    await nothingLogged(tidemark)
  })

  it.each([
    ['a signal', (e: Experiment) => e.uploadArtifact('x', 1, { signal: untyped({}) })],
    ['progress', (e: Experiment) => e.uploadArtifact('x', 1, { onProgress: untyped('loud') })],
    ['what to ignore', async () => new Artifact('x', 'y').add('.', { ignore: untyped(5) })],
    [
      'whether to overwrite',
      async () => new Artifact('x', 'y').add(1, { logicalPath: 'a', overwrite: untyped('yes') }),
    ],
    ['whether to ask', async () => new Artifact('x', 'y').addRemote('s3://a/b', { checksum: untyped('no') })],
    ['a range', async (e: Experiment) => (await (await e.uploadArtifact('x', 1)).getAsset()).open({ start: -5 })],
    [
      'the end of a range',
      async (e: Experiment) => (await (await e.uploadArtifact('x', 1)).getAsset()).open({ end: untyped('7') }),
    ],
  ])('%s of the wrong type', async (_, call) => {
    const { experiment } = await begin()
    await expect(call(experiment)).rejects.toMatchObject({ code: 'invalid-option', category: 'InvalidInputError' })
  })

  it('unknown options of a version and its assets', async () => {
    const { experiment } = await begin()
    const logged = await experiment.uploadArtifact('x', 1)
    const asset = await logged.getAsset()
    const typo = untyped<object>({ sginal: 1 })
    for (const call of [
      () => logged.getAssets(typo),
      () => logged.getAsset('x.json', typo),
      () => logged.get('x.json', typo),
      () => logged.open('x.json', typo),
      () => logged.newDraft(typo),
      () => logged.diff(logged, typo),
      () => logged.delete(typo),
      () => asset.get(typo),
      async () => asset.open(typo),
      () => asset.download(new Map(), typo),
    ])
      await expect(call()).rejects.toMatchObject({
        code: 'unknown-option',
        message: expect.stringContaining('Did you mean signal?'),
      })
    expect(await logged.get()).toBe(1)
    for (const nothing of [undefined, null]) {
      const refused = { code: 'invalid-option' }
      await expect(logged.updateAliases(untyped(nothing))).rejects.toMatchObject(refused)
      await expect(logged.updateVersionTags(untyped(nothing))).rejects.toMatchObject(refused)
      expect(() => experiment.addTags(untyped(nothing))).toThrow(expect.objectContaining(refused))
    }
    await expect(logged.updateAliases(untyped('best'))).rejects.toMatchObject({
      message: expect.stringContaining('aliases must be'),
    })
    expect(() => new Artifact('x', untyped(undefined))).toThrow(/type name/)
    await expect(experiment.uploadArtifact('x', 1, { type: 'a/b' })).rejects.toThrow(/The type name 'a\/b'/)
    for (const path of [undefined, null, 5])
      expect(() => new Artifact('x', 'data').remove(untyped(path))).toThrow(
        expect.objectContaining({ code: 'invalid-option' }),
      )
  })

  it('metadata larger than a commit may be, that throws, and that holds itself', async () => {
    const { tidemark, experiment } = await begin()
    const huge = { text: 'x'.repeat(17 * 1024 * 1024) }
    await expect(experiment.uploadArtifact('x', 1, { metadata: huge })).rejects.toMatchObject({
      code: 'body-too-large',
      message: expect.stringContaining('metadata'),
    })
    await expect(experiment.uploadArtifact('x', 1, { metadata: throwing() })).rejects.toMatchObject({
      code: 'value-unreadable',
    })
    const self: Record<string, unknown> = {}
    self.self = self
    const error = await experiment.uploadArtifact('x', 1, { metadata: untyped(self) }).catch((caught) => caught)
    expect(error).toMatchObject({ code: 'invalid-metadata' })
    expect(error.message.length).toBeLessThan(400)
    await nothingLogged(tidemark)
  })

  it('metadata is copied, and names what is not JSON in it', async () => {
    const metadata = { deep: [{ when: 1 }] }
    const artifact = new Artifact('x', 'y', { metadata })
    metadata.deep[0].when = 2
    expect(artifact.metadata).toEqual({ deep: [{ when: 1 }] })
    expect(() => new Artifact('x', 'y', { metadata: untyped({ deep: [{ when: new Date() }] }) })).toThrow(
      /metadata\.deep\[0\]\.when/,
    )
    expect(() => new Artifact('x', 'y', { metadata: { a: Number.NaN } })).toThrow(/metadata\.a/)
    const { experiment } = await begin()
    const hostile = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}')
    const logged = await experiment.uploadArtifact('x', 1, { metadata: hostile })
    expect(JSON.stringify(logged.metadata)).toBe('{"__proto__":{"polluted":true},"constructor":1}')
    expect('polluted' in {}).toBe(false)
  })
})

describe('assets', () => {
  it('two at one path', async () => {
    const artifact = new Artifact('data', 'dataset')
    await artifact.add(bytesOf('1'), { logicalPath: 'a/x' })
    await expect(artifact.add(bytesOf('2'), { logicalPath: 'a/x' })).rejects.toMatchObject({
      code: 'asset-exists',
      category: 'ConflictError',
      fields: { path: 'a/x' },
    })
    await artifact.add(bytesOf('3'), { logicalPath: 'a/x', overwrite: true })
    expect(artifact.assets).toMatchObject([{ logicalPath: 'a/x', overwrite: true }])
    const dir = await temporaryFolder()
    await writeFile(join(dir, 'w'), 'w')
    await writeFile(join(dir, 'x'), 'x')
    // One of them is taken: none is added.
    await expect(artifact.add(dir, { logicalPath: 'a' })).rejects.toMatchObject({ code: 'asset-exists' })
    expect(artifact.assets).toHaveLength(1)
  })

  it('one where another needs a folder', async () => {
    const { tidemark, experiment } = await begin()
    const artifact = new Artifact('data', 'dataset')
    for (const logicalPath of ['a', 'a-b', 'a/x', 'ab']) await artifact.add(bytesOf('1'), { logicalPath })
    await expect(experiment.logArtifact(artifact)).rejects.toMatchObject({
      code: 'asset-in-the-way',
      category: 'ConflictError',
      fields: { path: 'a', other: 'a/x' },
    })
    await nothingLogged(tidemark)
    artifact.remove('a/x')
    await artifact.add(bytesOf('2'), { logicalPath: 'a-b-c' })
    await artifact.add(bytesOf('2'), { logicalPath: 'ab-c/x' })
    // An object store may hold both, and nothing is ever written for a link.
    await artifact.addRemote('s3://bucket/a/linked', { logicalPath: 'a/linked' })
    expect((await experiment.logArtifact(artifact)).count).toBe(6)
  })

  it('a value without a place, and ignore where nothing can be ignored', async () => {
    const artifact = new Artifact('data', 'dataset')
    await expect(artifact.add({ a: 1 })).rejects.toMatchObject({ code: 'logical-path-missing' })
    await expect(artifact.add('photoz/a.jpg')).rejects.toMatchObject({
      code: 'logical-path-missing',
      message: expect.stringContaining("There is no file or folder 'photoz/a.jpg'"),
    })
    await expect(artifact.add({ a: 1 }, { logicalPath: 'a', ignore: '*' })).rejects.toMatchObject({
      code: 'invalid-option',
    })
    await artifact.add(new File(['x'], 'named.txt'))
    expect(artifact.assets.map(({ logicalPath }) => logicalPath)).toEqual(['named.txt'])
  })

  it('what is not there to read', async () => {
    const { experiment } = await begin()
    const artifact = new Artifact('data', 'dataset')
    for (const name of ['alpha.txt', 'beta.txt']) await artifact.add(bytesOf(name), { logicalPath: name })
    const logged = await experiment.logArtifact(artifact)
    await expect(logged.get('alpa.txt')).rejects.toMatchObject({
      code: 'asset-not-found',
      category: 'NotFoundError',
      message: expect.stringContaining('alpha.txt'),
    })
    await expect(logged.get('zzz')).rejects.toMatchObject({ message: expect.stringContaining('alpha.txt, beta.txt') })
    await expect(logged.get()).rejects.toMatchObject({
      code: 'path-needed',
      message: expect.stringContaining('alpha.txt'),
    })
    await expect(logged.get('../alpha.txt')).rejects.toMatchObject({ code: 'invalid-path' })
    await expect(experiment.getArtifact('nothing')).rejects.toMatchObject({ code: 'artifact-not-found' })
    await expect(experiment.getArtifact('data:v9')).rejects.toMatchObject({ code: 'version-not-found' })
    await expect(experiment.getArtifact('a/b/c')).rejects.toMatchObject({ code: 'invalid-name' })
  })

  it('links', async () => {
    const artifact = new Artifact('data', 'dataset')
    await expect(artifact.addRemote('not a uri')).rejects.toMatchObject({ code: 'invalid-uri' })
    await expect(artifact.addRemote('javascript:alert(1)')).rejects.toMatchObject({ code: 'invalid-uri' })
    await expect(artifact.addRemote('data:,x')).rejects.toMatchObject({ code: 'invalid-uri' })
    await expect(artifact.addRemote('https://me:secret@host/x')).rejects.toMatchObject({
      code: 'uri-has-credentials',
      message: expect.not.stringContaining('secret'),
    })
    await expect(artifact.addRemote('s3://bucket/', { sync: true })).rejects.toMatchObject({
      code: 'sync-unsupported',
      category: 'UnsupportedError',
    })
    await expect(artifact.addRemote('s3://bucket/', { maxObjects: 5 })).rejects.toMatchObject({
      code: 'sync-unsupported',
    })
    await expect(artifact.addRemote('s3://bucket/', { maxObjects: 0 })).rejects.toMatchObject({
      code: 'invalid-option',
    })
    await artifact.addRemote('s3://bucket')
    await artifact.addRemote('gs://bucket/deep/er.csv')
    expect(artifact.assets.map(({ logicalPath, link }) => [logicalPath, link])).toEqual([
      ['remote', 's3://bucket'],
      ['er.csv', 'gs://bucket/deep/er.csv'],
    ])
    const { experiment } = await begin()
    const logged = await experiment.logArtifact(artifact)
    await expect(logged.get('remote')).rejects.toMatchObject({ code: 'asset-is-remote', category: 'UnsupportedError' })
    expect(await logged.download(new Map())).toMatchObject({ written: [], remote: ['er.csv', 'remote'] })
  })
})

describe('files', () => {
  it('a missing file, a pattern without a match', async () => {
    const dir = await temporaryFolder()
    const { tidemark, experiment } = await begin()
    await expect(experiment.uploadArtifact('x', join(dir, 'missing.csv'))).rejects.toMatchObject({
      code: 'file-not-found',
      category: 'NotFoundError',
    })
    await expect(experiment.uploadArtifact('x', `${dir}/*.csv`)).rejects.toMatchObject({
      code: 'glob-no-match',
      category: 'NotFoundError',
    })
    await expect(new Artifact('x', 'y').add(`${dir}/*.csv`)).rejects.toMatchObject({ code: 'glob-no-match' })
    await nothingLogged(tidemark)
  })

  it('a link that leaves the folder', async () => {
    const dir = await temporaryFolder()
    await mkdir(join(dir, 'in'))
    await symlink('/etc/hostname', join(dir, 'in/out'))
    const { tidemark, experiment } = await begin()
    await expect(experiment.uploadArtifact('x', join(dir, 'in'))).rejects.toMatchObject({ code: 'link-leaves-folder' })
    await expect(new Artifact('x', 'y').add(join(dir, 'in'))).rejects.toMatchObject({ code: 'link-leaves-folder' })
    await nothingLogged(tidemark)
  })

  it('a file that changes while it is read', async () => {
    const dir = await temporaryFolder()
    const path = join(dir, 'big.bin')
    await writeFile(path, new Uint8Array(6_000_000))
    const { tidemark, experiment } = await begin()
    // The file is looked at before the stream is read, and read after it.
    const artifact = new Artifact('x', 'y')
    await artifact.add(
      piecesAfter(() => truncate(path, 1000)),
      { logicalPath: 'first' },
    )
    await artifact.add(path)
    await expect(experiment.logArtifact(artifact)).rejects.toMatchObject({
      code: 'file-changed',
      category: 'ConflictError',
    })
    await nothingLogged(tidemark)
  })

  it('a stream that fails, and one that is read twice', async () => {
    const { tidemark, experiment } = await begin()
    const broken = new ReadableStream({
      pull(controller) {
        controller.error(new Error('the camera was unplugged'))
      },
    })
    await expect(experiment.uploadArtifact('x', broken)).rejects.toMatchObject({
      code: 'read-failed',
      category: 'UnavailableError',
      message: expect.stringContaining('the camera was unplugged'),
    })
    const once = new Artifact('x', 'y')
    await once.add(new Blob(['stream']).stream(), { logicalPath: 'stream' })
    await experiment.logArtifact(once)
    await expect(experiment.logArtifact(once)).rejects.toMatchObject({
      code: 'stream-used',
      category: 'InvalidInputError',
    })
    expect(await tidemark.getVersions('x').toArray()).toHaveLength(1)
  })
})

async function* piecesAfter(work: () => Promise<void>) {
  await work()
  yield bytesOf('pieces')
}
