import { expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { WireClient } from '../conformance/wire-client.ts'

async function world() {
  const store = memoryStore()
  let now = Date.now()
  const backend = createBackend({ records: store, blobs: store, now: () => now })
  const client = new WireClient(backend.fetch, 'http://backend.test')
  const { experimentKey } = await client.post('/write/experiment/create', { workspaceName: 'team', projectName: 'p' })
  const key = String(experimentKey)
  const element = (fileName: string, groupingName: string, overwrite = false) =>
    client.upload(
      '/write/experiment/upload-asset',
      {
        experimentKey: key,
        type: 'model-element',
        groupingName,
        fileName,
        overwrite,
        assetId: `${groupingName}-12345678`,
      },
      { file: { name: 'x.bin', type: 'application/octet-stream', bytes: new TextEncoder().encode(fileName) } },
    )
  const register = async (group: string, registryModelName: string) => {
    const { models } = await client.get<{ models: { modelName: string; experimentModelId: string }[] }>(
      '/experiment/model',
      { experimentKey: key },
    )
    const experimentModelId = models.find(({ modelName }) => modelName === group)?.experimentModelId
    return client.post('/write/registry-model', { experimentModelId, registryModelName })
  }
  const collect = async () => {
    const init = { headers: { 'content-type': 'application/json' }, body: '{"graceMs":0}' }
    expect((await client.reply('POST', '/gc', init, '/api/tidemark/v1')).status).toBe(200)
  }
  const left = async (prefix: string) => (await store.list(prefix)).entries.length
  return { client, key, element, register, collect, left, store, later: (ms: number) => (now += ms) }
}

it('what is registered keeps its files, and no others; deleted, it lets go of them', async () => {
  const { client, key, element, register, collect, left, later } = await world()
  await element('a.bin', 'net')
  await element('b.bin', 'rest')
  await register('net', 'one')
  await register('net', 'two')
  await client.get('/write/experiment/delete', { experimentKey: key })
  later(3_600_000)
  await collect()
  expect(await left('files/')).toBe(1)
  for (const [model, files] of [
    ['one', 1],
    ['two', 0],
  ] as const) {
    await client.get('/write/registry-model/delete', { workspaceName: 'team', modelName: model })
    await collect()
    expect(await left('files/'), model).toBe(files)
  }
  expect(await left('kept/')).toBe(0)
})

it('what was replaced is freed, unless it is registered', async () => {
  const { element, register, left } = await world()
  await element('a.bin', 'net')
  await element('a.bin', 'net', true)
  expect(await left('files/')).toBe(1)
  await register('net', 'one')
  await element('a.bin', 'net', true)
  expect(await left('files/')).toBe(2)
})

it('what was kept for a version that never came to be is let go of', async () => {
  const { key, element, register, collect, left, later, store } = await world()
  await element('a.bin', 'net')
  await register('net', 'one')
  await store.delete('models/team/one')
  await collect()
  expect(await left(`kept/${key}/`)).toBe(1)
  later(3_600_000)
  await collect()
  expect(await left(`kept/${key}/`)).toBe(0)
})
