import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir } from 'node:fs/promises'
import { request } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connect } from '../../dist/index.js'
import { startedProcess } from './started.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** A guard against hanging, not a measure. */
const PATIENCE_MS = 120_000

const rest = '/api/rest/v2'

/** What a server promises, in a runtime that runs programs: with its own means, and as `tidemark start`. */
export function serverTests(runtime, scratch) {
  const kinds = { Deno: 'deno', Bun: 'bun' }
  const kind = kinds[runtime.name] ?? 'node'
  const own = [here('server-program.mjs'), kind]
  return [
    [`${kind}: an experiment and an artifact are logged over HTTP and read back`, () => serving(own, logs)],
    [`${kind}: it answers to its own names and to pages that are allowed`, () => serving(own, guards)],
    [`${kind}: a body that is too large is refused, and others are answered`, () => serving(own, limits)],
    [`${kind}: an upload whose sender vanishes leaves nothing`, () => serving(own, vanishes)],
    [`${kind}: who sends slowly is waited for, and others do not wait`, () => serving(own, slowly)],
    [`${kind}: it says when its port is taken`, () => serving(own, taken)],
    [`${kind}: it ends when what is under way is done`, () => serving(own, ends)],
    ['tidemark start serves, and ends when it is told to', starts],
  ]

  async function serving(args, test) {
    const folder = join(await mkdtemp(join(scratch, 'server-')), 'store')
    const server = await startServer(runtime, [...args, folder])
    try {
      await test({ ...server, folder })
      await server.end()
    } finally {
      await server.kill()
    }
  }

  async function taken({ url, folder }) {
    const { port } = new URL(url)
    const { refused, message } = await startServer(runtime, [...own, `${folder}-2`, port])
    assert.equal(refused, 'port-taken')
    assert.match(message, new RegExp(`^Port ${port} of 127.0.0.1 is taken`))
  }

  async function starts() {
    const folder = join(await mkdtemp(join(scratch, 'server-')), 'store')
    const args = [here('../../dist/cli/main.js'), 'start', '--port', '0', '--json', '--store', folder]
    const first = await startServer(runtime, args)
    try {
      await logs(first)
      await first.end()
    } finally {
      await first.kill()
    }
    // It has a key by now, and shows none.
    const again = await startServer(runtime, args)
    try {
      assert.equal(again.key, null)
      const tidemark = await connect({ url: again.url, apiKey: first.key })
      assert.deepEqual(await (await tidemark.getArtifact('settings')).get(), { lr: 0.1 })
      await tidemark.close()
      await again.end()
    } finally {
      await again.kill()
    }
  }
}

async function logs({ url, key }) {
  const tidemark = await connect({ url, apiKey: key })
  const experiment = await tidemark.createExperiment({ project: 'flowers', name: 'first' })
  for (let step = 0; step < 50; step++) experiment.logMetric('loss', 1 / (step + 1), { step })
  // As much as a request for random bytes gives, over and over.
  const noise = crypto.getRandomValues(new Uint8Array(65_536))
  const bytes = Uint8Array.from({ length: 3_000_000 }, (_, at) => noise[at % 65_536] ^ (at >> 16))
  await experiment.uploadArtifact('photo', bytes)
  await experiment.uploadArtifact('settings', { lr: 0.1 })
  await experiment.uploadAsset(bytes, { name: 'asset.bin' })
  await experiment.end()
  assert.deepEqual(await (await tidemark.getArtifact('photo')).get(), bytes)
  const points = await experiment.getMetric('loss')
  assert.deepEqual(
    points.map(({ step }) => step),
    Array.from({ length: 50 }, (_, step) => step),
  )
  const [{ assetId }] = (await experiment.getAssetList()).filter(({ fileName }) => fileName === 'asset.bin')
  assert.deepEqual(await experiment.getAsset(assetId), bytes)
  await assert.rejects(
    connect({ url, apiKey: 'wrong' }).then((other) => other.getWorkspaces()),
    { code: 'unknown-api-key' },
  )
  await tidemark.close()
}

async function guards({ url, key }) {
  const { port } = new URL(url)
  const authorization = key
  const path = `${rest}/workspaces`
  const status = async (headers, method = 'GET') => (await ask(url, { method, path, headers })).status
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`])
    assert.equal(await status({ host, authorization }), 200)
  for (const host of ['evil.example', `evil.example:${port}`, `localhost:${Number(port) + 1}`]) {
    const { status: refused, text } = await ask(url, { path, headers: { host, authorization } })
    assert.equal(refused, 403, host)
    assert.match(text, /host-not-allowed/)
  }
  for (const origin of ['https://evil.example', 'null']) assert.equal(await status({ origin, authorization }), 403)
  const origin = 'https://lab.example'
  const allowed = await ask(url, { path, headers: { origin, authorization } })
  assert.deepEqual([allowed.status, allowed.headers['access-control-allow-origin']], [200, origin])
  assert.equal(await status({ origin, 'access-control-request-method': 'POST' }, 'OPTIONS'), 204)
  assert.equal(await status({}), 401)
  assert.ok((await ask(url, { path: '/../../etc/passwd', headers: { authorization } })).status >= 400)
}

async function limits({ url, key }) {
  const experimentKey = await newExperiment(url, key)
  const body = JSON.stringify({ experimentKey, html: 'x'.repeat(20 * 1024 * 1024) })
  const headers = { authorization: key, 'content-type': 'application/json' }
  const reply = await fetch(`${url}${rest}/write/experiment/html`, { method: 'POST', headers, body }).catch(
    () => undefined,
  )
  // The connection may be closed while the rest is still being sent.
  if (reply) assert.equal(reply.status, 413)
  const html = await json(url, key, `/experiment/html?experimentKey=${experimentKey}`)
  assert.deepEqual(html, { html: '' })
}

async function vanishes({ url, key, folder }) {
  const experimentKey = await newExperiment(url, key)
  for (const sent of [0, 10, 300, 9 * 1024 * 1024]) {
    const socket = await upload(url, key, experimentKey, 100_000_000)
    const bytes = new Uint8Array(formHead.length + sent)
    bytes.set(new TextEncoder().encode(formHead))
    await new Promise((resolve) => socket.write(bytes.subarray(0, sent), resolve))
    socket.destroy()
    const { assets } = await json(url, key, `/experiment/asset/list?experimentKey=${experimentKey}`)
    assert.deepEqual(assets, [])
  }
  // The piece that was stored before it broke off is removed.
  let left = []
  for (let look = 0; look < 500; look++) {
    left = (await readdir(join(folder, 'data/files', experimentKey), { recursive: true }).catch(() => [])).filter(
      (name) => /#v$|\/v-/.test(name),
    )
    if (left.length === 0) return
    await pause(20)
  }
  assert.deepEqual(left, [])
}

async function slowly({ url, key }) {
  const experimentKey = await newExperiment(url, key)
  // Connections that say nothing, or begin and go no further.
  const { port } = new URL(url)
  const idle = await Promise.all(
    Array.from({ length: 40 }, async (_, at) => {
      const socket = connectSocket(Number(port), '127.0.0.1')
      await once(socket, 'connect')
      if (at % 2) socket.write('POST /api/rest/v2/write/experiment/metric HTTP/1.1\r\nHost: x')
      return socket
    }),
  )
  const size = 200_000
  const form = `${formHead}${'x'.repeat(size)}${formTail}`
  const socket = await upload(url, key, experimentKey, form.length)
  const pieces = 20
  const length = Math.ceil(form.length / pieces)
  for (let at = 0; at < form.length; at += length) {
    await new Promise((resolve) => socket.write(form.slice(at, at + length), resolve))
    await json(url, key, '/workspaces')
  }
  const [answer] = await once(socket, 'data')
  assert.match(String(answer), /^HTTP\/1\.1 200 /)
  const { assets } = await json(url, key, `/experiment/asset/list?experimentKey=${experimentKey}`)
  assert.deepEqual(
    assets.map(({ fileSize }) => fileSize),
    [size],
  )
  for (const one of [socket, ...idle]) one.destroy()
}

async function ends({ url, key, end }) {
  const experimentKey = await newExperiment(url, key)
  const form = `${formHead}${'x'.repeat(1000)}${formTail}`
  const socket = await upload(url, key, experimentKey, form.length)
  await new Promise((resolve) => socket.write(form.slice(0, 500), resolve))
  // It has come as far as the handler by now: another one, sent later, is answered.
  await json(url, key, '/workspaces')
  const ended = end()
  socket.write(form.slice(500))
  const [answer] = await once(socket, 'data')
  assert.match(String(answer), /^HTTP\/1\.1 200 /)
  await ended
  await assert.rejects(fetch(`${url}${rest}/workspaces`))
}

const formHead = '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
const formTail = '\r\n--b--\r\n'

/** A connection on which an upload has begun. */
async function upload(url, key, experimentKey, length) {
  const { host, port } = new URL(url)
  const socket = connectSocket(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  socket.on('error', () => undefined)
  socket.write(
    `POST ${rest}/write/experiment/upload-asset?experimentKey=${experimentKey} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${key}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`,
  )
  return socket
}

async function newExperiment(url, key) {
  return (await json(url, key, '/write/experiment/create', { workspaceName: 'team' })).experimentKey
}

async function json(url, key, path, body) {
  const headers = { authorization: key, 'content-type': 'application/json' }
  const reply = await fetch(`${url}${rest}${path}`, {
    headers,
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  })
  const text = await reply.text()
  assert.equal(reply.status, 200, `${path}: ${text}`)
  return JSON.parse(text)
}

/** With headers that `fetch` does not let anybody set. */
async function ask(url, { method = 'GET', path, headers }) {
  const { port } = new URL(url)
  const sent = request({ host: '127.0.0.1', port, method, path, headers })
  sent.end()
  const [reply] = await once(sent, 'response')
  let text = ''
  for await (const piece of reply) text += piece
  return { status: reply.statusCode, headers: reply.headers, text }
}

async function startServer({ program, name }, args) {
  const options = { Deno: ['run', '--allow-all', '--quiet'], Bun: ['run'] }
  const child = spawn(program, [...(options[name] ?? []), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
    env: { ...process.env, NO_COLOR: '1' },
  })
  const kill = startedProcess(child)
  let errors = ''
  child.stderr.on('data', (piece) => {
    errors += piece
  })
  const ended = once(child, 'close')
  let out = ''
  for await (const line of createInterface({ input: child.stdout })) {
    out += line
    if (/^\}|\}$/.test(line)) break
  }
  if (out === '') throw new Error(`${name} did not begin to serve: ${errors}`)
  const told = JSON.parse(out)
  child.stdout.resume()
  return {
    ...told,
    kill,
    async end() {
      child.kill('SIGTERM')
      const [code] = await ended
      assert.deepEqual({ code, errors }, { code: 0, errors: '' })
    },
  }
}
