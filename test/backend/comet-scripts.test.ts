import { beforeEach, describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { WireClient } from '../conformance/wire-client.ts'

type Json = Record<string, unknown>

/** What scripts give to R's client without thinking of types: it travels as JSON writes it, and is to arrive as it was meant. */
describe('bodies as scripts write them', () => {
  let client: WireClient
  let key: string

  const send = async (path: string, body: Json): Promise<Json> => {
    const init = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    const reply = await client.reply('POST', path, init, '//api/rest/v2')
    const text = await reply.text()
    if (reply.status !== 200) throw new Error(`${path} ${JSON.stringify(body)}: ${reply.status} ${text}`)
    return JSON.parse(text)
  }
  const write = (path: string, body: Json) => send(`/write/experiment/${path}`, { experimentKey: key, ...body })
  const read = <T = Json>(path: string, query = {}) =>
    client.get<T>(`/experiment/${path}`, { experimentKey: key, ...query })

  beforeEach(async () => {
    const store = memoryStore()
    const backend = createBackend({ records: store, blobs: store })
    client = new WireClient(backend.fetch, 'http://backend.test')
    key = String((await send('/write/experiment/create', { workspaceName: 'team', projectName: 'p' })).experimentKey)
  })

  it('names: numbers, flags, times of day, paths', async () => {
    for (const [given, name] of [
      [5, '5'],
      [true, 'true'],
      ['run of 2026-11-21 10:48:00', 'run of 2026-11-21 10:48:00'],
      ['sweep/3: lr=0.1', 'sweep/3: lr=0.1'],
      ['', expect.stringMatching(/^[0-9a-f]{9}$/)],
      [null, expect.stringMatching(/^[0-9a-f]{9}$/)],
    ]) {
      const made = await send('/write/experiment/create', { experimentName: given, workspaceName: 'team' })
      expect(made).toMatchObject({ name, projectName: 'general' })
    }
    await write('log-other', { key: 'Name', value: 'a: b/c' })
    expect(await read('metadata')).toMatchObject({ experimentName: 'a: b/c' })
    await expect(write('log-other', { key: 'Name', value: 'a\nb' })).rejects.toThrow('400')
    expect(await read('log-other')).toMatchObject({ values: [{ name: 'Name', valueCurrent: 'a: b/c' }] })
    await write('log-other', { key: 'Name', value: 2026 })
    expect(await read('metadata')).toMatchObject({ experimentName: '2026' })
    await write('metric', { metricName: 3, metricValue: '1e-09', step: '2', epoch: null, context: null, timestamp: 1 })
    await write('parameter', { parameterName: 4, parameterValue: ['a'], timestamp: '5' })
    await write('log-other', { key: true, value: 1.5, timestamp: null })
    expect(await read('metrics/get-metric', { metricName: 3 })).toMatchObject({
      metrics: [{ metricValue: '1e-9', step: 2, epoch: null }],
    })
    expect(await read('parameters')).toMatchObject({ values: [{ name: '4', valueCurrent: '["a"]' }] })
    expect((await read<{ values: Json[] }>('log-other')).values).toContainEqual(
      expect.objectContaining({ name: 'true', valueCurrent: '1.5' }),
    )
  })

  it('lists: of numbers, of one, of none, with NA', async () => {
    await write('tags', { addedTags: [1, 2.5, true] })
    await write('tags', { addedTags: 7 })
    await write('tags', { addedTags: {} })
    await write('tags', { addedTags: ['x', null] })
    expect(await read('tags')).toEqual({ tags: ['1', '2.5', 'true', '7', 'x'] })
    for (const addedTags of [{ a: 'b' }, [['a']]]) await expect(write('tags', { addedTags })).rejects.toThrow('400')
  })

  it('texts: lines, JSON that was not put into a text, nothing at all', async () => {
    await write('html', { html: ['<p>', '</p>'], override: 'TRUE' })
    expect(await read('html')).toEqual({ html: '<p>\n</p>' })
    await write('graph', { graph: { nodes: [1] } })
    expect(await read('graph')).toEqual({ graph: '{"nodes":[1]}' })
    await write('code', {})
    expect(await read('code')).toEqual({ code: '' })
    await write('output', { outputLines: { offset: 1, output: 'alone' } })
    expect(await read('output')).toEqual({ output: 'alone' })
    await write('system-details', { pid: '123', command: 'script.R', installedPackages: {} })
    expect(await read('system-details')).toMatchObject({ pid: 123, command: ['script.R'] })
    await expect(write('system-details', { pid: 'none' })).rejects.toThrow('400')
    await expect(write('html', {})).rejects.toThrow('400')
  })

  it('times with fractions, and as texts', async () => {
    await write('set-start-end-time', { startTimeMillis: 1_700_000_000_000.75, endTimeMillis: '1700000000001' })
    expect(await read('metadata')).toMatchObject({
      startTimeMillis: 1_700_000_000_000,
      endTimeMillis: 1_700_000_000_001,
      durationMillis: 1,
    })
    for (const startTimeMillis of [-1, 'soon', true, 1e300])
      await expect(write('set-start-end-time', { startTimeMillis })).rejects.toThrow('400')
  })

  it('artifacts: empty lists of metadata, of aliases, of tags', async () => {
    const made = await send('/write/artifacts/upsert', {
      artifactName: 'a',
      artifactType: 't',
      experimentKey: key,
      alias: 'one',
      versionTags: [1],
      versionMetadata: '[]',
    })
    await client.upload(
      '/write/experiment/upload-asset',
      { experimentKey: key, artifactVersionId: String(made.artifactVersionId), fileName: 'x', step: '1e+05' },
      { file: { name: 'x.R', type: 'text/plain', bytes: new TextEncoder().encode('x') }, metadata: '[]' },
    )
    await send('/write/artifacts/state', { artifactVersionId: made.artifactVersionId, state: 1 })
    expect(await client.get('/artifacts/version', { artifactName: 'a', experimentKey: key })).toMatchObject({
      alias: ['one', 'Latest'],
      tags: ['1'],
      metadata: '{}',
    })
    await send('/write/artifacts/version/labels', { artifactVersionId: made.artifactVersionId, alias: {} })
    expect(await client.get('/artifacts/version', { artifactName: 'a', experimentKey: key })).toMatchObject({
      alias: [],
    })
  })

  it('artifacts: metadata that is a list', async () => {
    const list = '["a",{"b":[1,null]}]'
    const made = await send('/write/artifacts/upsert', {
      artifactName: 'a',
      experimentKey: key,
      versionMetadata: list,
    })
    const id = String(made.artifactVersionId)
    await client.upload(
      '/write/experiment/upload-asset',
      { experimentKey: key, artifactVersionId: id, fileName: 'x' },
      { file: { name: 'x.R', type: 'text/plain', bytes: new TextEncoder().encode('x') }, metadata: '[true]' },
    )
    await send('/write/artifacts/state', { artifactVersionId: id, state: 'CLOSED' })
    const asked = { artifactName: 'a', workspace: 'team', version: '1.0.0' }
    expect(await client.get('/artifacts/version', asked)).toMatchObject({ metadata: list })
    expect(await client.get('/artifacts/get', asked)).toMatchObject({ versions: [{ metadata: list }] })
    expect(await client.get('/artifacts/version/files', asked)).toMatchObject({ files: [{ metadata: '[true]' }] })
    await send('/write/artifacts/version/labels', { artifactVersionId: id, versionMetadata: '[2]' })
    expect(await client.get('/artifacts/version', asked)).toMatchObject({ metadata: '[2]' })
    for (const versionMetadata of ['1', '"a"', 'true', '[', `${'['.repeat(80)}1${']'.repeat(80)}`])
      await expect(
        send('/write/artifacts/upsert', { artifactName: 'a', experimentKey: key, versionMetadata }),
      ).rejects.toThrow('400')
  })
})
