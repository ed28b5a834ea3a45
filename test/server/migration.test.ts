import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { everywhere } from '../../src/backend/access.ts'
import { createBackend } from '../../src/backend/backend.ts'
import { connect } from '../../src/index.ts'
import type { LineageReply } from '../../src/protocol/lineage.ts'
import { routes } from '../../src/protocol/routes.ts'
import { serve } from '../../src/server/node.ts'
import { fsStore } from '../../src/stores/fs.ts'
import { WireClient } from '../conformance/wire-client.ts'

type Json = Record<string, unknown>

const kept = fileURLToPath(new URL('../compat', import.meta.url))
const versions = (await readdir(kept, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

/** Stores of 0.1.0 have neither lists of projects nor marks of lineage that are found from both sides: whatever is asked first, it is answered in full. */
describe.each(versions)('a server over a store written by Tidemark %s', (version) => {
  let folder: string
  let url: string
  let key: string
  let client: WireClient
  let close: () => Promise<void>
  let expected: { name: string; index: number; version: string }[]

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-migration-'))
    await cp(join(kept, version, 'store'), folder, { recursive: true })
    expected = JSON.parse(await readFile(join(kept, version, 'expected.json'), 'utf8'))
    const store = fsStore(folder)
    const backend = createBackend({ records: store, blobs: store, access: 'keys' })
    key = (await backend.keys.create('test', new Map([[everywhere, 'owner']]))).key
    const serving = await serve({ fetch: backend.fetch, port: 0 })
    url = serving.url
    client = new WireClient((request) => fetch(request), url, key)
    close = async () => {
      await serving.close(100)
      await backend.close()
    }
  })
  afterEach(async () => {
    await close()
    await rm(folder, { recursive: true })
  })

  const own = async <T>(path: string): Promise<T> => {
    const reply = await client.reply('GET', path, {}, '')
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${await reply.text()}`)
    return reply.json()
  }
  const onlyExperiment = async () => {
    const { experiments } = await client.get<{ experiments: { experimentKey: string }[] }>('/experiments', {
      workspaceName: 'default',
    })
    expect(experiments).toHaveLength(1)
    return experiments[0].experimentKey
  }

  it('lists workspaces, projects, experiments and artifacts', async () => {
    expect(await client.get('/workspaces')).toEqual({ workspaceNames: ['default'] })
    const { projects } = await client.get<{ projects: Json[] }>('/projects', { workspaceName: 'default' })
    expect(projects).toEqual([expect.objectContaining({ numberOfExperiments: 1, workspaceName: 'default' })])
    const experimentKey = await onlyExperiment()
    expect(await client.get('/experiment/metadata', { experimentKey })).toMatchObject({
      projectName: projects[0].projectName,
      archived: false,
    })
    const names = [...new Set(expected.map(({ name }) => name))].sort()
    const { artifacts } = await client.get<{ artifacts: Json[] }>('/artifacts/get-all', { workspace: 'default' })
    expect(artifacts.map(({ name }) => name)).toEqual(expect.arrayContaining(names))
    for (const name of names) {
      const found = await client.get<{ versions: { version: string }[] }>('/artifacts/get', {
        workspace: 'default',
        artifactName: name,
      })
      expect(found.versions.map((one) => one.version)).toEqual(
        expected.filter((one) => one.name === name).map((one) => one.version),
      )
    }
  })

  it('tells who made what, asked before anything else', async () => {
    const [{ name, index }] = expected
    const { producer } = await own<LineageReply>(routes.lineage('default', name, index))
    expect(producer).toMatchObject({ experimentKey: expect.any(String), project: expect.any(String) })
    const { items } = await own<{ items: { name: string; index: number }[] }>(
      `${routes.outputs(String(producer?.experimentKey))}?limit=1000`,
    )
    const made = items.map((one) => `${one.name} ${one.index}`)
    expect(made).toEqual(expect.arrayContaining(expected.map((one) => `${one.name} ${one.index}`)))
  })

  it('goes on', async () => {
    const experimentKey = await onlyExperiment()
    await client.post('/write/experiment/metric', { experimentKey, metricName: 'm', metricValue: 1, timestamp: 1 })
    expect(await client.get('/experiment/metrics/summary', { experimentKey })).toMatchObject({
      values: [{ name: 'm', valueCurrent: '1' }],
    })
    const tidemark = await connect({ url, apiKey: key })
    const experiment = await tidemark.createExperiment()
    await experiment.getArtifact('table')
    const logged = await experiment.uploadArtifact('table', [{ a: 1 }])
    expect(logged).toMatchObject({ index: 2, version: '3.0.0' })
    await experiment.end()
    await tidemark.close()
    const { consumers } = await own<LineageReply>(routes.lineage('default', 'table', 1))
    expect(consumers).toMatchObject([
      { experimentKey: experiment.key, outputs: [{ workspace: 'default', name: 'table', index: 2 }] },
    ])
    const { experiments } = await client.get<{ experiments: Json[] }>('/experiments', { workspaceName: 'default' })
    expect(experiments.map((one) => one.experimentKey).sort()).toEqual([experimentKey, experiment.key].sort())
  })
})
