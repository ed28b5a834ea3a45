// An edge function that keeps what it was asked and what it answered, and a whole Tidemark backend beside it, in one Cloudflare Worker: metadata in D1, bytes in R2.
//
//   POST /score          {"petals": [5, 3]}  ->  {"labels": ["rose", "lily"]}
//   POST /key            a key for the backend, for whoever set it up
//   /api/...             the backend, for the clients of Tidemark: connect({ url: 'https://flowers.example.workers.dev', apiKey })
import { connect } from 'tidemark'
import { createBackend } from 'tidemark/backend'
import { createWorker } from 'tidemark/server/worker'
import { d1Store } from 'tidemark/stores/d1'
import { r2Store } from 'tidemark/stores/r2'

const storesOf = (env) => ({ records: d1Store(env.DB), blobs: r2Store(env.BUCKET) })

// Who asks needs a key, and has to know the name the worker is addressed by: see wrangler.toml.
const served = createWorker({ backend: storesOf, hosts: ['flowers.example.workers.dev'] })

export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith('/api/')) return served(request, env, context)
    if (pathname === '/key' && request.method === 'POST') return createKey(request, env)
    if (pathname !== '/score' || request.method !== 'POST') return new Response('Not found', { status: 404 })
    const petals = await petalsOf(request)
    if (!petals) return new Response('Send {"petals": [5, 3]}, as JSON.', { status: 400 })
    const labels = petals.map(labelOf)
    // The answer does not wait for it.
    context.waitUntil(keep(env, petals, labels))
    return Response.json({ labels })
  },
}

/** The numbers that were sent; undefined when it is anything else. */
async function petalsOf(request) {
  try {
    const { petals } = await request.json()
    return petals.every((count) => typeof count === 'number') ? petals : undefined
  } catch {
    return undefined
  }
}

/** What stands for a model here. */
function labelOf(petals) {
  return petals > 4 ? 'rose' : 'lily'
}

/** Each request is a version of the artifact `scores`: what came in, and what went out. */
async function keep(env, petals, labels) {
  const tidemark = await connect({ store: storesOf(env) })
  const experiment = await tidemark.createExperiment({ project: 'flowers' })
  await experiment.uploadArtifact('scores', { at: new Date().toISOString(), petals, labels })
  await experiment.end()
  await tidemark.close()
}

/** The first key, for whoever knows the secret that `wrangler secret put SETUP_SECRET` has set. It is told here, and never again. */
async function createKey(request, env) {
  const { SETUP_SECRET: secret } = env
  const given = request.headers.get('authorization')
  if (!secret || given === null || (await digestOf(given)) !== (await digestOf(secret)))
    return new Response('Forbidden', { status: 403 })
  const { key } = await createBackend(storesOf(env)).keys.create('first', new Map([['*', 'owner']]))
  return Response.json({ key })
}

/** Equal for equal texts; how long a comparison of two takes tells nothing about them. */
async function digestOf(text) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).join()
}
