import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { Artifact, type Logger, memoryStore } from '../../src/index.ts'
import { begin, bytesOf, noise, open, quiet, sameBytes } from './world.ts'

/** A backend as a server would have it: untrusted, behind requests whose bodies are bytes. */
function server() {
  const store = memoryStore()
  const backend = createBackend({ records: store, blobs: store })
  const seen: { method: string; path: string; key: string | null }[] = []
  const fetch = async (request: Request): Promise<Response> => {
    seen.push({
      method: request.method,
      path: new URL(request.url).pathname,
      key: request.headers.get('authorization'),
    })
    return backend.fetch(request)
  }
  return { store, fetch, seen }
}

async function listen(
  answer: (request: { method: string; url: string }) => {
    status: number
    headers?: Record<string, string>
    body?: string
  },
): Promise<string> {
  const http = createServer((request, response) => {
    const { status, headers, body } = answer({ method: request.method ?? '', url: request.url ?? '' })
    response.writeHead(status, headers)
    response.end(request.method === 'HEAD' ? undefined : body)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void http.close())
  const address = http.address()
  if (!isAddress(address)) throw new TypeError('no address')
  return `http://127.0.0.1:${address.port}`
}

function isAddress(address: unknown): address is AddressInfo {
  return typeof address === 'object' && address !== null && 'port' in address
}

describe('a server', () => {
  it('is used like the embedded store, with the key on every request', async () => {
    const { fetch, seen } = server()
    const { tidemark, experiment } = await begin({
      url: 'https://host.example/clientlib/',
      apiKey: 'k3y',
      fetch,
      workspace: 'team',
    })
    expect(experiment.url).toMatch(/^https:\/\/host\.example\/team\/flowers\//)
    const big = noise(9_000_000, 1)
    const artifact = new Artifact('data', 'dataset')
    await artifact.add(big, { logicalPath: 'big' })
    await artifact.add(bytesOf('small'), { logicalPath: 'small' })
    const logged = await experiment.logArtifact(artifact)
    expect(sameBytes(await logged.get('big'), big)).toBe(true)
    expect(await logged.verify()).toMatchObject({ ok: true })
    expect((await tidemark.getExperiment(experiment.key)).url).toBe(experiment.url)
    await experiment.end()
    expect(new Set(seen.map(({ key }) => key))).toEqual(new Set(['k3y']))
    expect(seen.every(({ path }) => path.startsWith('/api/'))).toBe(true)
  })

  it('gets what deflates deflated, unless told otherwise', async () => {
    const text = JSON.stringify(Array.from({ length: 30_000 }, (_, n) => ({ n, word: `word ${n % 100}` })))
    const sizes: number[] = []
    for (const compress of [undefined, false]) {
      const { fetch } = server()
      const { experiment } = await begin({
        url: 'https://host.example',
        fetch,
        ...(compress !== undefined && { compress }),
      })
      await experiment.uploadArtifact('x', bytesOf(text), {
        onProgress: ({ phase, stored }) => void (phase === 'done' && sizes.push(stored)),
      })
    }
    expect(sizes[0]).toBeLessThan(sizes[1] / 2)
  })

  it('that loses answers gets every request again, and makes each version once', async () => {
    const { fetch } = server()
    const dice = noise(10_000, 5)
    let count = 0
    // One in twenty does not arrive, one in eight is answered in vain, one in sixteen finds the server busy. Not in turns: requests side by side would keep theirs.
    const lossy = async (request: Request): Promise<Response> => {
      const fate = dice[count++]
      if (fate < 13) throw new TypeError('fetch failed')
      const response = await fetch(request)
      if (fate < 45) throw new TypeError('terminated')
      return fate < 61 ? new Response('busy', { status: 503 }) : response
    }
    const connection = { url: 'https://host.example', fetch: lossy }
    const { tidemark, experiment } = await begin(connection)
    for (let n = 0; n < 12; n++) await experiment.uploadArtifact('data', { n })
    const versions = await tidemark.getVersions('data').toArray()
    expect(versions.map(({ index }) => index)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    expect(await Promise.all(versions.map((one) => one.get()))).toEqual(versions.map(({ index }) => ({ n: index })))
    expect(await tidemark.getExperiments()).toHaveLength(1)
  })

  it('that is not there, or is something else', async () => {
    const never = async () => {
      throw new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND') })
    }
    const gone = await open({ url: 'https://host.example', fetch: never })
    await expect(gone.getWorkspaces()).rejects.toMatchObject({
      code: 'no-connection',
      category: 'UnavailableError',
      message: expect.stringMatching(/of host\.example failed: getaddrinfo ENOTFOUND\./),
    })
    const page = await open({
      url: 'https://host.example',
      fetch: async () => new Response('<html>404</html>', { status: 404 }),
    })
    await expect(page.getArtifact('x')).rejects.toMatchObject({
      code: 'request-failed',
      category: 'NotFoundError',
      fields: { status: 404 },
    })
    const html = await open({ url: 'https://host.example', fetch: async () => new Response('<html>') })
    await expect(html.getArtifact('x')).rejects.toMatchObject({ category: 'UnavailableError' })
    const key = await open({
      url: 'https://host.example',
      fetch: async () =>
        Response.json({ msg: 'no such key', code: 400, data: null, sdk_error_code: 90212 }, { status: 400 }),
    })
    await expect(key.getWorkspaces()).rejects.toMatchObject({
      code: 'unknown-api-key',
      category: 'PermissionError',
      message: expect.stringContaining('no such key'),
    })
  })

  it.each([
    [
      'a page',
      async () => new Response('<html>'),
      / of host\.example failed: the answer is not JSON, or breaks off\. Check the address/,
    ],
    ['a busy server', async () => new Response('', { status: 503 }), /with status 503\. Try again later\.$/],
    ['a locked door', async () => new Response('', { status: 401 }), /with status 401\. Check the API key\.$/],
    ['few words', async () => Response.json({ msg: 'slow down' }, { status: 429 }), /was refused: slow down\.$/],
    ['a sentence', async () => Response.json({ msg: 'Not now!' }, { status: 429 }), /was refused: Not now!$/],
  ])('that answers with %s: what is said names it and the way out', async (_, fetch, message) => {
    const tidemark = await open({ url: 'https://host.example/at/', fetch })
    await expect(tidemark.createExperiment()).rejects.toMatchObject({ message: expect.stringMatching(message) })
  })

  it('is asked for all what it can do: who gives up takes nobody along', async () => {
    const { fetch } = server()
    const gates = new EventTarget()
    const passed = (gate: string) => new Promise((resolve) => gates.addEventListener(gate, resolve, { once: true }))
    const [asked, answered] = [passed('asked'), passed('answered')]
    const tidemark = await open({
      url: 'https://host.example',
      async fetch(request) {
        if (!request.url.endsWith('/capabilities')) return fetch(request)
        gates.dispatchEvent(new Event('asked'))
        await answered
        return fetch(request)
      },
    })
    const experiment = await tidemark.createExperiment(quiet)
    const given = new AbortController()
    const first = experiment.uploadArtifact('first', { n: 1 }, { signal: given.signal })
    await asked
    const second = experiment.uploadArtifact('second', { n: 2 })
    experiment.logMetric('loss', 1)
    const flushed = experiment.flush()
    given.abort()
    await expect(first).rejects.toMatchObject({ code: 'aborted' })
    gates.dispatchEvent(new Event('answered'))
    await expect(second).resolves.toMatchObject({ name: 'second', index: 0 })
    await flushed
  })

  it('that is busy is not taken for one that speaks Comet alone', async () => {
    const { fetch, seen } = server()
    let busy = true
    const tidemark = await open({
      url: 'https://host.example',
      fetch: async (request) =>
        busy && request.url.endsWith('/capabilities') ? new Response('slowly', { status: 429 }) : fetch(request),
    })
    const experiment = await tidemark.createExperiment(quiet)
    experiment.logMetric('loss', 1)
    await expect(experiment.flush()).rejects.toMatchObject({ code: 'not-delivered' })
    busy = false
    await experiment.flush()
    expect(seen.at(-1)?.path).toMatch(/\/log$/)
  })

  it('never sees its key in a log, nor does anyone else', async () => {
    const { fetch } = server()
    const lines: string[] = []
    const line = (message: string) => void lines.push(message)
    const logger: Logger = { debug: line, info: line, warn: line, error: line }
    const { experiment } = await begin({ url: 'https://host.example', apiKey: 'sesame', fetch, logger })
    await experiment.uploadArtifact('sesame', { open: 'sesame' })
    expect(lines.length).toBeGreaterThan(3)
    expect(lines.join('\n')).not.toContain('sesame')
    expect(lines.join('\n')).toContain('Logged ***:v0 (1.0.0)')
  })

  it('that repeats the key which it refuses: it is in no error', async () => {
    const fetch = async ({ headers }: Request) =>
      Response.json({ msg: `unknown key ${headers.get('authorization')}`, code: 400, data: null }, { status: 401 })
    const tidemark = await open({ url: 'https://host.example', apiKey: 'sesame', fetch })
    const error: unknown = await tidemark.getWorkspaces().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ category: 'PermissionError', message: expect.stringContaining('unknown key ***') })
    expect(JSON.stringify(error)).not.toContain('sesame')
  })

  it('gives ranges, also when it ignores them', async () => {
    const { fetch } = server()
    const whole = async (request: Request) => {
      if (!request.headers.has('range')) return fetch(request)
      const plain = new Request(request.url, { headers: { authorization: request.headers.get('authorization') ?? '' } })
      return fetch(plain)
    }
    const { experiment } = await begin({ url: 'https://host.example', fetch: whole })
    const bytes = noise(500_000, 2)
    const logged = await experiment.uploadArtifact('x', bytes)
    expect(sameBytes(await logged.get(), bytes)).toBe(true)
  })

  it('that lies about its bytes is found out', async () => {
    const { fetch } = server()
    let lie = (bytes: Uint8Array): Uint8Array => bytes
    const lying = async (request: Request) => {
      const response = await fetch(request)
      if (request.method !== 'GET' || !request.url.includes('/packs/')) return response
      return new Response(new Uint8Array(lie(new Uint8Array(await response.arrayBuffer()))), {
        status: response.status,
      })
    }
    const { experiment } = await begin({ url: 'https://host.example', fetch: lying })
    const logged = await experiment.uploadArtifact('x', noise(100_000, 3))
    lie = (bytes) => bytes.map((byte, at) => (at === 777 ? byte ^ 1 : byte))
    await expect(logged.get()).rejects.toMatchObject({ category: 'CorruptionError' })
    lie = (bytes) => bytes.subarray(0, bytes.length - 1)
    await expect(logged.get()).rejects.toMatchObject({ category: 'CorruptionError' })
  })
})

describe('links to a web server', () => {
  it('are asked once for size and ETag', async () => {
    const asked: string[] = []
    const url = await listen(({ method, url: path }) => {
      asked.push(`${method} ${path}`)
      if (path === '/no-head.csv' && method === 'HEAD') return { status: 405 }
      if (path.startsWith('/gone.csv')) return { status: 404 }
      return { status: 200, headers: { etag: '"abc"', 'content-length': '5' }, body: 'hello' }
    })
    const artifact = new Artifact('links', 'dataset')
    await artifact.addRemote(`${url}/data/file.csv?token=x`)
    await artifact.addRemote(new URL(`${url}/no-head.csv`))
    await artifact.addRemote(`${url}/unasked.csv`, { checksum: false })
    await expect(artifact.addRemote(`${url}/gone.csv?signature=s3cret`)).rejects.toMatchObject({
      code: 'remote-unavailable',
      category: 'NotFoundError',
      message: expect.stringMatching(/\/gone\.csv (?!.*s3cret)/),
    })
    await expect(artifact.addRemote('http://127.0.0.1:1/x')).rejects.toMatchObject({
      code: 'remote-unavailable',
      category: 'UnavailableError',
      message: expect.not.stringContaining('fetch failed'),
    })
    expect(asked).toEqual([
      'HEAD /data/file.csv?token=x',
      'HEAD /no-head.csv',
      'GET /no-head.csv',
      'HEAD /gone.csv?signature=s3cret',
      'GET /gone.csv?signature=s3cret',
    ])
    expect(artifact.assets.map(({ logicalPath, size }) => [logicalPath, size])).toEqual([
      ['file.csv', 5],
      ['no-head.csv', 5],
      ['unasked.csv', 0],
    ])
    const { experiment } = await begin()
    const logged = await experiment.logArtifact(artifact)
    expect(logged).toMatchObject({ count: 3, size: 0 })
    expect((await logged.getRemoteAssets()).map(({ logicalPath, size, link }) => [logicalPath, size, link])).toEqual([
      ['file.csv', 5, `${url}/data/file.csv?token=x`],
      ['no-head.csv', 5, `${url}/no-head.csv`],
      ['unasked.csv', 0, `${url}/unasked.csv`],
    ])
  })
})
