import { createRequire } from 'node:module'
import { join } from 'node:path'
import { started } from './started.mjs'
import { COMPATIBILITY_DATE } from './workerd.mjs'

/**
 * Starts workerd with a worker, the entry first among its modules, and what Cloudflare has beside it: an R2 bucket and a D1 database, as miniflare makes them. No compatibility
 * flags, so nothing of Node.
 */
export async function startMiniflare(folder, modules, options = {}) {
  // Installed in this folder, apart from the package.
  const { Miniflare } = createRequire(import.meta.url)('miniflare')
  const worker = new Miniflare({
    modulesRoot: folder,
    modules: modules.map((name) => ({ type: 'ESModule', path: join(folder, name) })),
    compatibilityDate: COMPATIBILITY_DATE,
    r2Buckets: ['BUCKET'],
    d1Databases: ['DB'],
    ...options,
  })
  const stop = started(() => worker.dispose())
  const url = await worker.ready
  return { url, worker, stop }
}
