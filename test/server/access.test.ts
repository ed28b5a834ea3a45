import { beforeAll, describe, expect, it } from 'vitest'
import type { Role } from '../../src/backend/access.ts'
import { type Backend, createBackend } from '../../src/backend/backend.ts'
import { checkExperimentKey } from '../../src/backend/experiments/experiments.ts'
import { toBase64Url } from '../../src/protocol/base64.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { multipart } from '../conformance/wire-client.ts'

const base = 'http://tidemark.test'

/** What each role may do: the least that must be had, or any key. */
const least: Readonly<Record<string, Role | 'key'>> = {
  'GET /api/tidemark/v1/capabilities': 'key',
  'POST /api/tidemark/v1/have': 'writer',
  'PUT /api/tidemark/v1/packs/:pack': 'writer',
  'GET /api/tidemark/v1/packs/:pack': 'reader',
  'GET /api/tidemark/v1/artifacts': 'reader',
  'GET /api/tidemark/v1/artifacts/:workspace/:name': 'reader',
  'DELETE /api/tidemark/v1/artifacts/:workspace/:name': 'owner',
  'GET /api/tidemark/v1/artifacts/:workspace/:name/versions': 'reader',
  'POST /api/tidemark/v1/artifacts/:workspace/:name/versions': 'writer',
  'GET /api/tidemark/v1/artifacts/:workspace/:name/versions/:index': 'reader',
  'GET /api/tidemark/v1/artifacts/:workspace/:name/versions/:index/lineage': 'reader',
  'DELETE /api/tidemark/v1/artifacts/:workspace/:name/versions/:index': 'writer',
  'POST /api/tidemark/v1/experiments/:key/inputs': 'writer',
  'GET /api/tidemark/v1/experiments/:key/inputs': 'reader',
  'GET /api/tidemark/v1/experiments/:key/outputs': 'reader',
  'POST /api/tidemark/v1/experiments/:key/end': 'writer',
  'POST /api/tidemark/v1/experiments/:key/log': 'writer',
  'GET /api/tidemark/v1/experiments/:key/series': 'reader',
  'GET /clientlib/isAlive/ver': 'key',
  'GET /api/rest/v2/workspaces': 'key',
  'GET /api/rest/v2/account-details': 'key',
  'GET /api/rest/v2/projects': 'reader',
  'GET /api/rest/v2/project': 'reader',
  'GET /api/rest/v2/projects/page': 'reader',
  'POST /api/rest/v2/write/workspace/new': 'owner',
  'POST /api/rest/v2/write/project/create': 'writer',
  'POST /api/rest/v2/write/project/delete': 'owner',
  'GET /api/rest/v2/experiments': 'reader',
  'GET /api/rest/v2/project/column-names': 'reader',
  'POST /api/rest/v2/experiments/multi-metric-chart': 'reader',
}

/** The others: what only reads is for readers, what writes for writers. */
function roleFor(method: string, path: string): Role | 'key' | 'everywhere' {
  if (path === '/api/tidemark/v1/gc') return 'everywhere'
  const own = least[`${method} ${path}`]
  if (own) return own
  if (/\/write\/(artifacts\/(version\/)?|registry-model\/(item\/)?)delete$/.test(path)) return 'owner'
  return path.includes('/write/') ? 'writer' : 'reader'
}

describe('access', () => {
  let backend: Backend
  const keys = new Map<string, string>()
  let experimentKey: string
  let artifactVersionId: string
  let artifactId: string

  const send = (method: string, path: string, key?: string, init: RequestInit = {}) =>
    backend.fetch(
      new Request(base + path, {
        ...init,
        method,
        headers: { ...(key !== undefined && { authorization: key }), ...Object.fromEntries(new Headers(init.headers)) },
      }),
    )
  const post = async (path: string, body: object, key = keys.get('owner')) => {
    const reply = await send('POST', path, key, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const json = await reply.json()
    if (reply.status !== 200) throw new Error(`${path}: ${JSON.stringify(json)}`)
    return json
  }

  beforeAll(async () => {
    const store = memoryStore()
    backend = createBackend({ records: store, blobs: store, access: 'keys' })
    for (const role of ['reader', 'writer', 'owner'] as const)
      keys.set(role, (await backend.keys.create(role, new Map([['team', role]]))).key)
    keys.set('everywhere', (await backend.keys.create('all', new Map([['*', 'owner']]))).key)
    keys.set('elsewhere', (await backend.keys.create('other', new Map([['other', 'owner']]))).key)
    await prepare()
  })

  async function prepare(): Promise<void> {
    const rest = '/api/rest/v2'
    experimentKey = (await post(`${rest}/write/experiment/create`, { workspaceName: 'team', projectName: 'p' }))
      .experimentKey
    expect(checkExperimentKey(experimentKey)).toBe(experimentKey)
    const made = await post(`${rest}/write/artifacts/upsert`, { artifactName: 'a', artifactType: 't', experimentKey })
    artifactVersionId = made.artifactVersionId
    artifactId = made.artifactId
    await post(`${rest}/write/artifacts/state`, { artifactVersionId, state: 'CLOSED' })
  }

  /** A request to each route that gets past everything but the question who asks; what is answered then does not matter. */
  function ask(method: string, path: string, key?: string): Promise<Response> {
    const filled = path
      .replace(':pack', 'ab'.repeat(32))
      .replace(':workspace', 'team')
      .replace(':name', 'a')
      .replace(':index', '0')
      .replace(':key', experimentKey)
    const query = new URLSearchParams({
      experimentKey,
      workspaceName: 'team',
      projectName: 'p',
      artifactVersionId,
      artifactId,
      assetId: `${artifactVersionId}.YQ`,
      metricName: 'm',
      modelName: 'm',
      modelItemId: toBase64Url('team/m/1.0.0'),
      name: 'm',
    })
    if (path.startsWith('/api/tidemark')) {
      for (const name of [...query.keys()]) query.delete(name)
      if (path.endsWith('/series')) query.set('name', 'm')
      if (path.endsWith('/artifacts')) query.set('workspace', 'team')
    }
    const { body, boundary } = multipart({ link: 's3://b/k' })
    const isForm = /upload-asset|git\/patch/.test(path) && method === 'POST'
    const json = JSON.stringify({
      experimentKey,
      workspaceName: 'team',
      projectName: 'p',
      artifactVersionId,
      artifactId,
      targetedExperiments: [experimentKey],
      experimentModelId: toBase64Url(`${experimentKey}/m`),
      registryModelId: toBase64Url('team/m'),
      registryModelItemId: toBase64Url('team/m/1.0.0'),
      registryModelName: 'm',
      description: 'd',
      name: 'team',
      experimentKeys: [experimentKey],
      targetWorkspaceName: 'team',
      targetProjectName: 'p',
    })
    const inputs = JSON.stringify({ workspace: 'team', name: 'a', index: 0 })
    const listed = path.endsWith('/parameters/delete') ? `[${json}]` : json
    const ours = !path.startsWith('/api/tidemark') ? listed : path.endsWith('/inputs') ? inputs : '{}'
    return send(method, `${filled}?${query}`, key, {
      headers: { 'content-type': isForm ? `multipart/form-data; boundary=${boundary}` : 'application/json' },
      ...(method === 'GET' || method === 'DELETE' ? {} : { body: isForm ? body.slice() : ours }),
    })
  }

  it('is asked for by every route: none without a key, none with a wrong one', async () => {
    expect((await backend.routes()).length).toBeGreaterThan(60)
    for (const { method, path } of await backend.routes())
      for (const key of [undefined, '', 'wrong', `Bearer ${'A'.repeat(43)}`, `${keys.get('owner')}x`]) {
        const reply = await ask(method, path, key)
        const { sdk_error_code, tidemark } = await reply.json()
        expect([reply.status, sdk_error_code, tidemark.code], `${method} ${path} ${key}`).toEqual([
          401,
          90212,
          key ? 'unknown-api-key' : 'api-key-missing',
        ])
      }
  })

  it('is given by role and workspace, and to nobody else', async () => {
    const order = ['reader', 'writer', 'owner'] as const
    for (const { method, path } of await backend.routes()) {
      const needed = roleFor(method, path)
      // What deletes comes last, and is asked by those who may not alone: others have their own tests.
      for (const holder of ['elsewhere', ...order]) {
        const may =
          needed === 'key' ||
          (needed !== 'everywhere' && holder !== 'elsewhere' && order.indexOf(holder as Role) >= order.indexOf(needed))
        // Packs belong to no workspace.
        const anywhere = holder === 'elsewhere' && /\/(have|packs\/:pack)$/.test(path)
        const destroys = /delete/i.test(path) || method === 'DELETE'
        if (may && destroys) continue
        const reply = await ask(method, path, keys.get(holder))
        const text = await reply.text()
        const what = `${method} ${path} as ${holder}: ${reply.status} ${text.slice(0, 200)}`
        if (may || anywhere) expect(reply.status, what).not.toBe(403)
        else expect([reply.status, JSON.parse(text).sdk_error_code], what).toEqual([403, 90210])
        expect(reply.status, what).toBeLessThan(500)
      }
      if (needed === 'everywhere') expect((await ask(method, path, keys.get('everywhere'))).status).toBe(200)
    }
  })

  it('takes a key bare, after Bearer, and where Comet’s Java client puts it', async () => {
    const key = keys.get('reader') ?? ''
    const statusWith = async (name: string, value: string) =>
      (await send('GET', '/api/rest/v2/workspaces', undefined, { headers: { [name]: value } })).status
    expect(await statusWith('authorization', key)).toBe(200)
    expect(await statusWith('authorization', `Bearer ${key}`)).toBe(200)
    expect(await statusWith('comet-sdk-api', key)).toBe(200)
    expect(await statusWith('authorization', `Basic ${key}`)).toBe(401)
    expect(await statusWith('authorization', key.slice(1))).toBe(401)
    expect(await statusWith('cookie', `key=${key}`)).toBe(401)
  })

  it('shows workspaces to those who may read them', async () => {
    await post('/api/rest/v2/write/experiment/create', { workspaceName: 'other' }, keys.get('elsewhere'))
    const names = async (holder: string) =>
      (await (await send('GET', '/api/rest/v2/workspaces', keys.get(holder))).json()).workspaceNames
    expect(await names('reader')).toEqual(['team'])
    expect(await names('elsewhere')).toEqual(['other'])
    expect(await names('everywhere')).toEqual(['other', 'team'])
  })

  it('tells a reader of a workspace that is not there; to whoever may write it is empty', async () => {
    const { key } = await backend.keys.create('reads all', new Map([['*', 'reader']]))
    for (const path of ['projects', 'projects/page', 'experiments', 'project/column-names', 'artifacts/get-all']) {
      const query = '?workspace=nowhere&workspaceName=nowhere&projectName=p'
      const reply = await send('GET', `/api/rest/v2/${path}${query}`, key)
      expect([reply.status, await reply.json()], path).toMatchObject([
        400,
        { sdk_error_code: 90219, tidemark: { code: 'workspace-not-found' } },
      ])
      expect((await send('GET', `/api/rest/v2/${path}${query}`, keys.get('everywhere'))).status, path).toBe(200)
    }
  })

  it('keeps what others made of a version to those who may read it', async () => {
    const rest = '/api/rest/v2'
    const all = keys.get('everywhere')
    const { experimentKey: other } = await post(
      `${rest}/write/experiment/create`,
      { workspaceName: 'other', experimentName: 'secret' },
      all,
    )
    const read = `${rest}/artifacts/version?artifactName=a&workspace=team&consumerExperimentKey=${other}`
    expect((await send('GET', read, all)).status).toBe(200)
    const consumers = async (holder: string) => {
      const path = `${rest}/artifacts/version/consumers?artifactVersionId=${artifactVersionId}`
      return (await (await send('GET', path, keys.get(holder))).json()).consumers
    }
    const secret = expect.objectContaining({ experimentKey: other, experimentName: 'secret' })
    expect(await consumers('everywhere')).toContainEqual(secret)
    expect(await consumers('reader')).not.toContainEqual(secret)
    // What another workspace only shows in a project is there for those who may read it.
    const move = { targetWorkspaceName: 'team', targetProjectName: 'shown', symlink: true, experimentKeys: [other] }
    await post(`${rest}/write/experiment/move`, move, all)
    const shown = async (holder: string) => {
      const ask = async (path: string) => (await send('GET', `${rest}/${path}`, keys.get(holder))).json()
      const { experiments } = await ask('experiments?workspaceName=team&projectName=shown')
      const { numberOfExperiments } = await ask('project?workspaceName=team&projectName=shown')
      return [experiments.map((one: { experimentName: string }) => one.experimentName), numberOfExperiments]
    }
    expect([await shown('everywhere'), await shown('reader')]).toEqual([
      [['secret'], 1],
      [[], 0],
    ])
    // Lists without a workspace are of those that may be read.
    const list = async (holder: string) => {
      const reply = await send('GET', '/api/tidemark/v1/artifacts', keys.get(holder))
      return (await reply.json()).items.map((one: { workspace: string }) => one.workspace)
    }
    expect([await list('reader'), await list('elsewhere')]).toEqual([['team'], []])
  })

  it('is taken away by revoking, and keys are kept as digests', async () => {
    const store = memoryStore()
    const other = createBackend({ records: store, blobs: store, access: 'keys' })
    const { key, stored } = await other.keys.create('x', new Map([['*', 'reader']]))
    const ask = () =>
      other
        .fetch(new Request(`${base}/api/rest/v2/workspaces`, { headers: { authorization: key } }))
        .then(({ status }) => status)
    expect(await ask()).toBe(200)
    const { entries } = await store.list('keys/', { values: true })
    expect(entries).toHaveLength(1)
    for (const { bytes } of entries) expect(new TextDecoder('latin1').decode(bytes)).not.toContain(key)
    await other.keys.revoke(stored.id)
    expect(await ask()).toBe(401)
    expect((await other.keys.list()).map(({ revoked }) => revoked)).toEqual([true])
    // A process of its own, on the same store: it has answered to a key, which is then revoked elsewhere.
    const second = createBackend({ records: store, blobs: store, access: 'keys' })
    const believing = createBackend({ records: store, blobs: store, access: 'keys', keysBelievedFor: 60_000 })
    const shared = await other.keys.create('y', new Map([['*', 'reader']]))
    const statusAt = async (one: Backend) =>
      (await one.fetch(new Request(`${base}/api/rest/v2/workspaces`, { headers: { authorization: shared.key } })))
        .status
    for (const one of [second, believing]) expect(await statusAt(one)).toBe(200)
    const before = Array.from({ length: 20 }, () => statusAt(second))
    await other.keys.revoke(shared.stored.id)
    expect(await Promise.all(Array.from({ length: 20 }, () => statusAt(second)))).toEqual(Array(20).fill(401))
    await Promise.all(before)
    expect(await statusAt(believing)).toBe(200)
    await expect(other.keys.revoke('0'.repeat(32))).rejects.toMatchObject({ code: 'key-not-found' })
    await expect(other.keys.create('none', new Map())).rejects.toMatchObject({ code: 'invalid-role' })
  })
})
