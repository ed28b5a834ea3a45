import { expect, it } from 'vitest'
import { type Wire, workspace } from './wire.ts'
import type { Json } from './wire-client.ts'

/** Models and their registry, as Comet's Java and Python clients ask for them. */
export function wireModels(wire: Wire): void {
  const element = (fileName: string, text: string, groupingName = 'net') =>
    wire.client.upload(
      '/write/experiment/upload-asset',
      { experimentKey: wire.key, type: 'model-element', groupingName, fileName },
      { file: { name: 'x.bin', type: 'application/octet-stream', bytes: new TextEncoder().encode(text) } },
    )

  it('models: registered under a name, version by version, and downloaded', async () => {
    await element('weights/a.bin', 'aaaa')
    await element('../../b.bin', 'b')
    await element('c', 'c', 'other net')
    const { models } = await wire.read<{ models: Json[] }>('model')
    expect(models).toMatchObject([
      { modelName: 'net', experimentKey: wire.key, registryRecords: [] },
      { modelName: 'other net' },
    ])
    const [{ experimentModelId }] = models
    const first = await wire.client.post('/write/registry-model', {
      experimentModelId,
      registryModelName: 'flower-net',
      description: 'names flowers',
      isPublic: false,
      version: '1.0.0',
      stages: ['staging'],
    })
    expect(first).toEqual({ registryModelId: expect.any(String), registryModelItemId: expect.any(String) })
    // What comes later is no part of what was registered.
    await element('later.bin', 'later')
    const item = {
      experimentModelId,
      registryModelName: 'flower-net',
      version: '1.1.0',
      comment: 'more',
      stages: ['production'],
    }
    await wire.client.post('/write/registry-model/item', item)
    const named = { workspaceName: workspace, modelName: 'flower-net' }
    const details = await wire.client.get<{ versions: { version: string; assets: Json[] }[] }>(
      '/registry-model/details',
      named,
    )
    expect(details).toMatchObject({
      registryModelId: first.registryModelId,
      modelName: 'flower-net',
      description: 'names flowers',
      isPublic: false,
      versions: [
        { version: '1.1.0', comment: 'more', stages: ['production'], experimentModel: { experimentKey: wire.key } },
        { version: '1.0.0', stages: ['staging'], registryModelItemId: first.registryModelItemId },
      ],
    })
    expect(details.versions.map(({ assets }) => assets.length)).toEqual([3, 2])
    expect(await wire.client.get('/registry-model', { workspaceName: workspace })).toMatchObject({
      registryModels: [{ modelName: 'flower-net', numberOfVersions: 2, lastVersion: '1.1.0' }],
    })
    expect((await wire.read<{ models: Json[] }>('model')).models[0]).toMatchObject({
      registryRecords: [{ registryModelName: 'flower-net', version: '1.0.0' }, { version: '1.1.0' }],
    })
    const zips: [path: string, query: Record<string, string>, contained: string[]][] = [
      ['/registry-model/item/download', { ...named, version: '1.0.0' }, ['weights/a.bin']],
      ['/registry-model/item/download', { ...named, stage: 'production' }, ['weights/a.bin', 'later.bin']],
      ['/experiment/model/download', { experimentKey: wire.key, modelName: 'other net' }, ['c']],
    ]
    for (const [path, query, contained] of zips) {
      const { type, bytes } = await wire.client.bytes(path, query)
      expect(type).toBe('application/zip')
      const text = new TextDecoder('latin1').decode(bytes)
      expect(text.slice(0, 2)).toBe('PK')
      for (const name of contained) expect(text).toContain(name)
      // No name leads out of the folder.
      expect(text).not.toContain('..')
    }
    await wire.client.post('/write/registry-model/update', {
      registryModelId: first.registryModelId,
      description: 'names more flowers',
      isPublic: true,
    })
    expect(await wire.client.get('/registry-model/details', named)).toMatchObject({
      description: 'names more flowers',
      isPublic: true,
    })
    expect(await wire.client.refusal('/write/registry-model/item', item)).toMatchObject({
      status: 400,
      code: 'model-version-exists',
    })
    expect(
      await wire.client.refusal('/write/registry-model/item', { ...item, registryModelName: 'none' }),
    ).toMatchObject({
      sdk: 42008,
    })
    expect(await wire.client.refusal('/write/registry-model', { ...item, version: 'v2' })).toMatchObject({
      code: 'invalid-version',
    })
    expect(await wire.client.refusal('/write/registry-model', { ...item, experimentModelId: 'eA' })).toMatchObject({
      status: 400,
    })
    expect(
      await wire.client.refusal('/write/registry-model/update', { registryModelId: first.registryModelId }),
    ).toMatchObject({
      sdk: 42006,
    })
    for (const query of ['modelName=none', 'modelName=flower-net&version=9.0.0'])
      expect(
        await wire.client.failure(
          wire.client.reply('GET', `/registry-model/item/download?workspaceName=${workspace}&${query}`),
        ),
        query,
      ).toMatchObject({ status: 400, sdk: 42008 })
    // What is registered outlives its assets and its experiment.
    const { assets } = await wire.client.get<{ assets: { assetId: string; fileName: string }[] }>(
      '/experiment/model/asset/list',
      { experimentKey: wire.key, modelName: 'net' },
    )
    expect(assets.map(({ fileName }) => fileName)).toEqual(['weights/a.bin', '../../b.bin', 'later.bin'])
    await wire.client.get('/write/experiment/asset/delete', {
      experimentKey: wire.key,
      assetId: assets[0].assetId,
    })
    await wire.client.get('/write/experiment/delete', { experimentKey: wire.key })
    const after = await wire.client.get<{ versions: { assets: Json[] }[] }>('/registry-model/details', named)
    expect(after.versions.map((one) => one.assets.length)).toEqual([3, 2])
    const { bytes } = await wire.client.bytes('/registry-model/item/download', { ...named, version: '1.0.0' })
    expect(new TextDecoder('latin1').decode(bytes)).toContain('aaaa')
  })

  it('models: notes, names, comments, stages; deleted version by version, and as a whole', async () => {
    await element('a.bin', 'aaaa')
    const { models } = await wire.read<{ models: Json[] }>('model')
    const [{ experimentModelId }] = models
    const registerAs = (registryModelName: string, version: string, path = '') =>
      wire.client.post(`/write/registry-model${path}`, { experimentModelId, registryModelName, version })
    const { registryModelId } = await registerAs('net', '1.0.0')
    const { registryModelItemId } = await registerAs('net', '2.0.0', '/item')
    await registerAs('other', '1.0.0')
    expect(await wire.client.get('/registry-model/count', { workspaceName: workspace })).toEqual({
      registryModelCount: 2,
    })
    const named = { workspaceName: workspace, modelName: 'net' }
    expect(await wire.client.get('/registry-model/notes', named)).toEqual({ notes: '' })
    await wire.client.post('/write/registry-model/notes', {
      workspaceName: workspace,
      registryModelName: 'net',
      notes: '# wet',
    })
    expect(await wire.client.get('/registry-model/notes', named)).toEqual({ notes: '# wet' })
    await wire.client.post('/write/registry-model/item/update', {
      registryModelItemId,
      comment: 'better',
      stages: ['staging'],
    })
    const modelItemId = String(registryModelItemId)
    for (const stage of ['production', 'production', 'tried'])
      await wire.client.get('/write/registry-model/item/stage', { modelItemId, stage })
    await wire.client.get('/write/registry-model/item/stage/delete', { modelItemId, stage: 'tried' })
    expect(await wire.client.get('/registry-model/details', named)).toMatchObject({
      versions: [{ version: '2.0.0', comment: 'better', stages: ['staging', 'production'] }, { version: '1.0.0' }],
    })
    expect(await wire.client.refusal('/write/registry-model/item/update', { registryModelItemId })).toMatchObject({
      sdk: 42006,
    })
    expect(
      await wire.client.refusal('/write/registry-model/update', { registryModelId, registryModelName: 'other' }),
    ).toMatchObject({
      status: 400,
      code: 'model-exists',
    })
    await wire.client.post('/write/registry-model/update', { registryModelId, registryModelName: 'net of nets' })
    const renamed = { workspaceName: workspace, modelName: 'net of nets' }
    expect(await wire.client.get('/registry-model/notes', renamed)).toEqual({ notes: '# wet' })
    const gone = async (path: string, query: Record<string, string>) =>
      expect(
        await wire.client.failure(wire.client.reply('GET', `${path}?${new URLSearchParams(query)}`)),
        path,
      ).toMatchObject({ status: 400, sdk: 42008 })
    await gone('/registry-model/notes', named)
    await gone('/write/registry-model/item/delete', { modelItemId })
    const { versions } = await wire.client.get<{ versions: { registryModelItemId: string }[] }>(
      '/registry-model/details',
      renamed,
    )
    const newest = { modelItemId: versions[0].registryModelItemId }
    await wire.client.get('/write/registry-model/item/delete', newest)
    await gone('/write/registry-model/item/delete', newest)
    await wire.client.get('/write/experiment/delete', { experimentKey: wire.key })
    expect(await wire.client.get('/registry-model/details', renamed)).toMatchObject({
      versions: [{ version: '1.0.0', assets: [{ fileName: 'a.bin' }] }],
    })
    const { bytes } = await wire.client.bytes('/registry-model/item/download', renamed)
    expect(new TextDecoder('latin1').decode(bytes)).toContain('aaaa')
    await wire.client.get('/write/registry-model/delete', renamed)
    await gone('/write/registry-model/delete', renamed)
    await gone('/registry-model/details', renamed)
    expect(await wire.client.get('/registry-model', { workspaceName: workspace })).toMatchObject({
      registryModels: [{ modelName: 'other' }],
    })
  })
}
