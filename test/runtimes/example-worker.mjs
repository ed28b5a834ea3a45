import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { connect } from '../../dist/index.js'
import { installPacked } from '../packed.mjs'
import { startMiniflare } from './miniflare.mjs'

const example = fileURLToPath(new URL('../../examples/worker/', import.meta.url))
const address = 'https://flowers.example.workers.dev'

/** The tests of `examples/worker`, in workerd with a bucket and a database, from the packed package, bundled the way wrangler does it. */
export function workerExample(_runtime, scratch) {
  return [['keeps what it was asked and answered, and serves it to a client with a key', serves]]

  async function serves() {
    const { folder, modules } = await bundleExample(scratch)
    const { worker, stop } = await startMiniflare(folder, modules, { bindings: { SETUP_SECRET: 'set up' } })
    try {
      const ask = (path, init) => worker.dispatchFetch(address + path, init)
      const scored = await ask('/score', { method: 'POST', body: JSON.stringify({ petals: [5, 3] }) })
      assert.deepEqual(await scored.json(), { labels: ['rose', 'lily'] })
      for (const body of ['petals', 'null', '{}', '{"petals":"abc"}', '{"petals":[null]}'])
        assert.equal((await ask('/score', { method: 'POST', body })).status, 400)

      assert.equal((await ask('/key', { method: 'POST', headers: { authorization: 'guessed' } })).status, 403)
      assert.equal((await ask('/api/tidemark/v1/artifacts')).status, 401)
      const made = await ask('/key', { method: 'POST', headers: { authorization: 'set up' } })
      const { key } = await made.json()

      const tidemark = await connect({ url: address, apiKey: key, fetch: through(worker) })
      const scores = await eventually(() => tidemark.getArtifact('scores'))
      const { petals, labels } = await scores.get()
      assert.deepEqual({ petals, labels }, { petals: [5, 3], labels: ['rose', 'lily'] })

      // Only under its own name, to pages that were allowed, and of bounded size.
      const refusedWith = async (url, init) => {
        const reply = await worker.dispatchFetch(url, init)
        return [reply.status, (await reply.json()).tidemark.code]
      }
      const headers = { authorization: key, 'content-type': 'application/json' }
      const workspaces = '/api/rest/v2/workspaces'
      assert.deepEqual(await refusedWith(`https://evil.example${workspaces}`, { headers }), [403, 'host-not-allowed'])
      assert.deepEqual(
        await refusedWith(address + workspaces, { headers: { ...headers, origin: 'https://evil.example' } }),
        [403, 'origin-not-allowed'],
      )
      const body = JSON.stringify({ html: 'x'.repeat(9 * 1024 * 1024) })
      assert.deepEqual(
        await refusedWith(`${address}/api/rest/v2/write/experiment/html`, { method: 'POST', headers, body }),
        [413, 'body-too-large'],
      )

      // The other way round, with all kinds of content.
      const experiment = await tidemark.createExperiment({ project: 'flowers' })
      const bytes = crypto.getRandomValues(new Uint8Array(60_000))
      await experiment.uploadArtifact('photo', bytes)
      await experiment.uploadArtifact('rows', [{ id: 1, label: 'rose' }])
      await experiment.end()
      assert.deepEqual(await (await tidemark.getArtifact('photo')).get(), bytes)
      assert.equal((await (await tidemark.getArtifact('rows')).get()).getChild('label').get(0), 'rose')
      await tidemark.close()
    } finally {
      await stop()
    }
  }
}

/** One module, as wrangler makes it: by these conditions, in this order (`wrangler deploy`, "conditional exports"). */
export async function bundleExample(scratch) {
  const project = await mkdtemp(join(scratch, 'worker-'))
  await installPacked(project)
  await copyFile(join(example, 'worker.js'), join(project, 'worker.js'))
  const folder = join(project, 'out')
  await mkdir(folder)
  await build({
    entryPoints: [join(project, 'worker.js')],
    outfile: join(folder, 'worker.mjs'),
    bundle: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['browser', 'module', 'main'],
    logLevel: 'error',
  })
  // Without compatibility flags it may ask for nothing that the runtime does not have.
  assert.doesNotMatch(await readFile(join(folder, 'worker.mjs'), 'utf8'), /(from|import\() ?["']node:/)
  return { folder, modules: ['worker.mjs'] }
}

function through(worker) {
  return async (request) => {
    const { method, url } = request
    const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer())
    const reply = await worker.dispatchFetch(url, { method, headers: Object.fromEntries(request.headers), body })
    const { status } = reply
    return new Response(status === 204 ? null : await reply.arrayBuffer(), { status, headers: [...reply.headers] })
  }
}

/** What `waitUntil` does is done some time after the answer. */
async function eventually(read) {
  for (let left = 100; ; left--) {
    try {
      return await read()
    } catch (error) {
      if (left === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
