import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { Agent, request as httpRequest } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { everywhere } from '../../src/backend/access.ts'
import { type Backend, createBackend } from '../../src/backend/backend.ts'
import { serve } from '../../src/server/node.ts'
import type { Serving } from '../../src/server/serving.ts'
import { fsStore } from '../../src/stores/fs.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { cometWireSuite } from '../conformance/comet-wire.ts'
import { WireClient } from '../conformance/wire-client.ts'

const opened: (() => Promise<void>)[] = []

async function start(store: Store): Promise<{ backend: Backend; serving: Serving; key: string }> {
  const backend = createBackend({ records: store, blobs: store, access: 'keys' })
  const serving = await serve({ fetch: backend.fetch, port: 0, origins: ['https://lab.example'] })
  const { key } = await backend.keys.create('test', new Map([[everywhere, 'owner']]))
  opened.push(async () => {
    await serving.close(100)
    await backend.close()
  })
  return { backend, serving, key }
}

async function closeAll(): Promise<void> {
  for (const close of opened.splice(0)) await close()
}

afterAll(closeAll)

cometWireSuite('over HTTP, with keys, on a folder', async () => {
  await closeAll()
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-server-'))
  const { serving, key } = await start(fsStore(folder))
  opened.push(() => rm(folder, { recursive: true, force: true }))
  return { fetch: (request) => fetch(request), base: serving.url, key }
})

describe('the server', () => {
  let store: Store
  let serving: Serving
  let key: string
  let client: WireClient
  let experimentKey: string

  beforeEach(async () => {
    store = memoryStore()
    const started = await start(store)
    serving = started.serving
    key = started.key
    client = new WireClient((request) => fetch(request), serving.url, key)
    experimentKey = String((await client.post('/write/experiment/create', { workspaceName: 'team' })).experimentKey)
  })
  afterEach(closeAll)

  const raw = (headers: Record<string, string>, method = 'GET', path = '/api/rest/v2/workspaces') =>
    new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
      const sent = httpRequest({ port: serving.port, host: '127.0.0.1', method, path, headers }, async (reply) => {
        let text = ''
        for await (const piece of reply) text += piece
        resolve({ status: reply.statusCode ?? 0, headers: reply.headers, text })
      })
      sent.on('error', reject)
      sent.end()
    })

  it('answers to its own names alone', async () => {
    for (const host of [`localhost:${serving.port}`, `127.0.0.1:${serving.port}`, `LOCALHOST:${serving.port}`])
      expect((await raw({ host, authorization: key })).status).toBe(200)
    for (const host of [
      'evil.example',
      `evil.example:${serving.port}`,
      'localhost',
      `localhost:${serving.port + 1}`,
      '169.254.169.254',
    ])
      expect(await raw({ host, authorization: key }), host).toMatchObject({
        status: 403,
        text: expect.stringContaining('host-not-allowed'),
      })
    for (const host of ['a/b', 'user@localhost', 'a b'])
      expect((await raw({ host, authorization: key })).status, host).toBeGreaterThanOrEqual(400)
  })

  it('cuts off who begins a request and does not go on, and has answers that are not taken for pages', async () => {
    const socket = connectSocket(serving.port, '127.0.0.1')
    const closed = new Promise<string>((resolve) => {
      let text = ''
      socket.on('data', (piece) => {
        text += piece
      })
      socket.on('close', () => resolve(text))
    })
    socket.write('GET /api/rest/v2/workspaces HTTP/1.1\r\nHost: x')
    expect(await closed).toMatch(/^HTTP\/1\.1 408 /)
    for (const path of ['/api/rest/v2/workspaces', '/nowhere'])
      expect((await raw({ authorization: key }, 'GET', path)).headers['x-content-type-options']).toBe('nosniff')
  })

  it('lets pages of allowed origins use it, and no others', async () => {
    const origin = 'https://lab.example'
    const asked = await raw({ origin, 'access-control-request-method': 'POST' }, 'OPTIONS')
    expect(asked).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': origin } })
    expect(asked.headers['access-control-allow-credentials']).toBeUndefined()
    expect((await raw({ origin, authorization: key })).headers['access-control-allow-origin']).toBe(origin)
    expect((await raw({ origin })).status).toBe(401)
    for (const other of [
      'https://evil.example',
      'null',
      'http://lab.example',
      `http://127.0.0.1:${serving.port + 1}`,
    ]) {
      const reply = await raw({ origin: other, authorization: key })
      expect(reply, other).toMatchObject({ status: 403, text: expect.stringContaining('origin-not-allowed') })
      expect(reply.headers['access-control-allow-origin']).toBeUndefined()
    }
    expect((await raw({ origin: serving.url, authorization: key })).status).toBe(200)
  })

  it('serves what users stored so that it cannot run', async () => {
    const page = new TextEncoder().encode('<script>alert(1)</script>')
    await client.upload(
      '/write/experiment/upload-asset',
      { experimentKey },
      { file: { name: 'x.html', type: 'text/html', bytes: page } },
    )
    const { assets } = await client.get<{ assets: { assetId: string }[] }>('/experiment/asset/list', { experimentKey })
    const reply = await client.reply(
      'GET',
      `/experiment/asset/get-asset?experimentKey=${experimentKey}&assetId=${assets[0].assetId}`,
    )
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
    })
    expect(new Uint8Array(await reply.arrayBuffer())).toEqual(page)
  })

  it('keeps nothing of an upload whose sender vanishes, and answers others', async () => {
    for (const sent of [0, 10, 300, 9 * 1024 * 1024]) {
      await new Promise<void>((resolve) => {
        const socket = connectSocket(serving.port, '127.0.0.1', () => {
          socket.write(
            `POST /api/rest/v2/write/experiment/upload-asset?experimentKey=${experimentKey} HTTP/1.1\r\nHost: 127.0.0.1:${serving.port}\r\nAuthorization: ${key}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000000\r\n\r\n`,
          )
          const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
          socket.write(Buffer.concat([Buffer.from(head), Buffer.alloc(sent, 7)]).subarray(0, sent), () => {
            setTimeout(() => {
              socket.destroy()
              resolve()
            }, 50)
          })
        })
      })
      expect((await client.get('/experiment/asset/list', { experimentKey })).assets).toEqual([])
    }
    // The piece that was stored before it broke off is removed.
    for (let look = 0; look < 100 && (await store.list('files/')).entries.length > 0; look++)
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect((await store.list('files/')).entries).toEqual([])
  })

  it('refuses a body too large before it has come: the sender is told, and others are served', async () => {
    const reply = await fetch(`${serving.url}/api/rest/v2/write/experiment/html`, {
      method: 'POST',
      headers: { authorization: key, 'content-type': 'application/json' },
      body: JSON.stringify({ experimentKey, html: 'x'.repeat(20 * 1024 * 1024) }),
    })
    expect(reply.status).toBe(413)
    expect((await reply.json()).msg).toContain('larger than')
    expect((await client.get('/workspaces')).workspaceNames).toEqual(expect.arrayContaining(['team']))
  })

  it('a connection serves on after a body that nobody read', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const post = (path: string, body: string, authorization: string) =>
      new Promise((resolve, reject) => {
        const headers = { authorization, 'content-type': 'application/json', 'content-length': body.length }
        const sent = httpRequest({ agent, port: serving.port, method: 'POST', path, headers }, (reply) => {
          reply.resume().on('end', () => resolve(reply.statusCode))
        })
        sent.on('error', reject)
        sent.end(body)
      })
    const metric = JSON.stringify({ experimentKey, metricName: 'm', metricValue: 1 })
    const statuses: unknown[] = []
    for (let round = 0; round < 20; round++) {
      statuses.push(await post('/api/rest/v2/nothing', 'x'.repeat(1 + round * 10_000), key))
      statuses.push(await post('/api/rest/v2/write/experiment/metric', metric, 'wrong'))
      statuses.push(await post('/api/rest/v2/write/experiment/metric', metric, key))
    }
    agent.destroy()
    expect(statuses).toEqual(Array.from({ length: 20 }, () => [404, 401, 200]).flat())
  })

  it('passes on what is no request for it: methods, HEAD, odd addresses', async () => {
    expect((await raw({ authorization: key }, 'HEAD')).text).toBe('')
    expect((await raw({ authorization: key }, 'PATCH')).status).toBe(400)
    expect((await raw({ authorization: key }, 'GET', '//api/rest/v2/workspaces')).status).toBe(200)
    for (const path of ['/', '/../../etc/passwd', '/api/rest/v2/%2e%2e/workspaces', '/api/tidemark/v1/packs/%00'])
      expect((await raw({ authorization: key }, 'GET', path)).status, path).toBeGreaterThanOrEqual(400)
  })

  it('ends when what is under way is done', async () => {
    const longest = 2 ** 30
    let begin: () => void = () => undefined
    const begun = new Promise<void>((resolve) => {
      begin = resolve
    })
    const other = await serve({
      port: 0,
      fetch: async (request) => {
        begin()
        return new Response(String((await request.arrayBuffer()).byteLength))
      },
    })
    const sent = fetch(other.url, { method: 'POST', body: new Uint8Array(30_000_000) })
    await begun
    const [reply] = await Promise.all([sent.then((one) => one.text()), other.close(longest)])
    expect(reply).toBe('30000000')
    await expect(fetch(other.url)).rejects.toThrow()
  })

  it('says when its port is taken', async () => {
    await expect(serve({ fetch: async () => new Response(), port: serving.port })).rejects.toMatchObject({
      code: 'port-taken',
    })
  })
})

describe('a folder with a server on it', () => {
  it('is left tidy', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-server-'))
    const { serving, key } = await start(fsStore(folder))
    const client = new WireClient((request) => fetch(request), serving.url, key)
    const { experimentKey } = await client.post('/write/experiment/create', { workspaceName: 'team' })
    for (let step = 0; step < 200; step++)
      await client.post('/write/experiment/metric', {
        experimentKey,
        metricName: 'm',
        metricValue: step,
        step,
        timestamp: step,
      })
    await closeAll()
    expect(await readdir(join(folder, 'aside'))).toEqual([])
    const again = await start(fsStore(folder))
    const other = new WireClient((request) => fetch(request), again.serving.url, key)
    const { metrics } = await other.get<{ metrics: { step: number }[] }>('/experiment/metrics/get-metric', {
      experimentKey: String(experimentKey),
      metricName: 'm',
    })
    expect(metrics.map(({ step }) => step)).toEqual(Array.from({ length: 200 }, (_, step) => step))
    await closeAll()
    await rm(folder, { recursive: true, force: true })
  })
})
