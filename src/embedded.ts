import { createBackend } from './backend/backend.ts'
import type { StorePlace } from './connect.ts'
import { isTidemarkError } from './errors.ts'
import type { Logger } from './logging.ts'
import { hasFiles } from './platform/files.ts'
import { hasSyncFiles } from './platform/sync-files.ts'
import { openStore } from './stores/open.ts'
import type { Store } from './stores/store.ts'

type Where = StorePlace | { readonly records: StorePlace; readonly blobs: StorePlace }

const defaultFolder = '.tidemark'
const defaultDatabase = 'indexeddb:tidemark'
const defaultFiles = 'opfs:tidemark'

// Only ever seen by the backend in this process; reserved names never leave it (RFC 2606).
const embeddedUrl = 'http://tidemark.invalid'

/** A backend in this process, over a store of its own. Loaded with the first: who reaches a server has none. */
export async function embed(given: Where | undefined, logger: Logger) {
  const where = given ?? (await defaultStore(logger))
  const backend = createBackend({ ...(await openStores(where, logger)), trusted: true })
  return {
    url: embeddedUrl,
    remote: false,
    fetch: (request: Request) => backend.fetch(request),
    close: () => backend.close(),
  }
}

async function openStores(where: Where, logger: Logger): Promise<{ records: Store; blobs: Store }> {
  if (typeof where === 'object' && 'records' in where)
    return { records: await openOne(where.records, logger), blobs: await openOne(where.blobs, logger) }
  const store = await openOne(where, logger)
  return { records: store, blobs: store }
}

async function openOne(place: StorePlace, logger: Logger): Promise<Store> {
  if (typeof place === 'string') return openStore(place, { warn: (message) => logger.warn(message) })
  const store = await openStore(place)
  // Whoever made it closes it: others may be using it.
  return {
    uri: store.uri,
    get: (...args) => store.get(...args),
    put: (...args) => store.put(...args),
    delete: (...args) => store.delete(...args),
    list: (...args) => store.list(...args),
  }
}

async function defaultStore(logger: Logger): Promise<string> {
  if (hasFiles()) return defaultFolder
  const why = await whyNoDatabase()
  if (why === undefined) return hasSyncFiles() ? defaultFiles : defaultDatabase
  logger.warn(`${why}, so artifacts are kept in memory and end with it. Give connect() a store or a url.`)
  return 'memory:'
}

/** As browsers refuse: by a SecurityError, or by whatever their private windows say. Anything else can be put right, and memory would hide it. */
const refusals = ['store-permission', 'store-io']

/** Asked by opening one: some browsers have IndexedDB and refuse it, in private windows or to frames of other sites. */
async function whyNoDatabase(): Promise<string | undefined> {
  if (typeof indexedDB === 'undefined') return 'This runtime has no files'
  const store = await openStore(defaultDatabase)
  try {
    await store.list('', { limit: 1 })
    return undefined
  } catch (error) {
    if (!isTidemarkError(error) || !refusals.includes(error.code)) throw error
    return `This page cannot store anything (${error.code})`
  } finally {
    await store.close?.()
  }
}
