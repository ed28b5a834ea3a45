import { Api, type ApiOptions } from './client/api.ts'
import type { Connection, Endable } from './client/connection.ts'
import { Server } from './client/server.ts'
import { codecs } from './codecs/registry.ts'
import type { Settings } from './config.ts'
import { InvalidInputError, isTidemarkError, UnavailableError } from './errors.ts'
import { type Logger, openLogger } from './logging.ts'
import { checkOptions, checkText, describe } from './options.ts'
import { checkName } from './paths.ts'
import { hasFiles } from './platform/files.ts'
import { runtimeProcess } from './platform/process.ts'
import { hasSyncFiles } from './platform/sync-files.ts'
import { serverUrl } from './server-url.ts'
import type { Store } from './stores/store.ts'
import { Tidemark } from './tidemark.ts'

/** A store, or where it is: `memory:`, a path, a `file:` URL, `indexeddb:name`, `opfs:name`. */
export type StorePlace = string | Store

export interface ConnectOptions {
  /** A Tidemark server, or Comet. Without one, data is kept in `store`, in this process. */
  readonly url?: string
  /** For the server at `url`. */
  readonly apiKey?: string
  /** Where names without a workspace are looked up; default `default`. */
  readonly workspace?: string
  /** Of new experiments; default `general`. */
  readonly project?: string
  /** Where data is kept; a pair keeps metadata and bytes apart. Default: the folder `.tidemark`; in browsers `indexeddb:tidemark`, in web workers that can write files `opfs:tidemark`, which is the same store; memory where there is neither. */
  readonly store?: StorePlace | { readonly records: StorePlace; readonly blobs: StorePlace }
  /** Used instead of the global one to reach `url`. */
  readonly fetch?: (request: Request) => Promise<Response>
  /** Aborting it ends everything on this connection. */
  readonly signal?: AbortSignal
  /** Default: warnings go to the console. */
  readonly logger?: Logger
  /** Deflate what is stored: fewer bytes, more time. Default: over a network yes, embedded no. */
  readonly compress?: boolean
}

const known = ['url', 'apiKey', 'workspace', 'project', 'store', 'fetch', 'signal', 'logger', 'compress']

const defaultFolder = '.tidemark'
const defaultDatabase = 'indexeddb:tidemark'
const defaultFiles = 'opfs:tidemark'
const defaultWorkspace = 'default'
const defaultProject = 'general'

// Only ever seen by the backend in this process; reserved names never leave it (RFC 2606).
const embeddedUrl = 'http://tidemark.invalid'

/**
 * Connects to a store in this process or to a server. What is not given comes from `TIDEMARK_*`, `COMET_*`, `./.comet.yml` or `~/.comet.yml`.
 *
 * @throws InvalidInputError `unknown-option`, `invalid-option`, `url-and-store`, `url-missing`, `invalid-url`, `invalid-api-key`, `invalid-name`, `config-invalid`, `key-for-project-url`
 * @throws UnsupportedError `unknown-store-scheme`
 * @example
 * ```ts
 * import { connect } from 'tidemark'
 *
 * await using tidemark = await connect({ store: 'memory:' })
 * const experiment = await tidemark.createExperiment({ project: 'flowers' })
 * ```
 */
export function connect(options: ConnectOptions = {}): Promise<Tidemark> {
  return connectWith(options)
}

/** The same with other timers and chance, for tests and simulations, and with the experiments that have not ended, for whoever ends them. */
export async function connectWith(
  options: ConnectOptions,
  retry?: ApiOptions['retry'],
  begun = new Set<Endable>(),
): Promise<Tidemark> {
  checkConnectOptions(options)
  const settings = await readSettings(options)
  const { loggingFile: file, loggingLevel: level } = settings
  const given = options.apiKey?.trim()
  const apiKey = given ?? settings.apiKey
  const secrets = [given, settings.apiKey].filter((one) => one !== undefined)
  const logger = await openLogger({ logger: options.logger, file, level, secrets })
  const workspace = checkName(options.workspace ?? settings.workspace ?? defaultWorkspace, 'workspace')
  const project = checkName(options.project ?? settings.project ?? defaultProject, 'project')
  const { signal } = options
  const url = options.url ?? settings.url
  if (url === undefined && options.apiKey !== undefined)
    throw new InvalidInputError(
      'apiKey was given, but no url: say which server it is for, as in connect({ url, apiKey }).',
      { code: 'url-missing' },
    )
  const side = url === undefined ? await embed(options, settings, logger) : reach(url, options)
  const { fetch, close, remote } = side
  // `fetch` would refuse it in words that repeat it.
  if (remote && apiKey && /[^ -~]/.test(apiKey)) throw (await import('./unusual-key.ts')).unusualKey()
  const api = new Api({
    fetch,
    url: side.url,
    remote,
    logger,
    signal,
    retry,
    ...(remote && apiKey !== undefined && { apiKey }),
  })
  const connection: Connection = {
    api,
    server: new Server(api),
    codecs,
    logger,
    compress: options.compress ?? remote,
    workspace,
    project,
    secrets,
    beforeClose: new Set(),
    begun,
  }
  return new Tidemark(connection, close)
}

// Loaded where there is something to read: configuration is in the environment and in files.
async function readSettings(given: ConnectOptions): Promise<Settings> {
  if (!runtimeProcess()) return {}
  const { readSettings } = await import('./config.ts')
  return readSettings(given.url !== undefined || given.store !== undefined, { given })
}

// Loaded with the first store: who reaches a server has none.
async function openStore(...args: Parameters<typeof import('./stores/open.ts').openStore>): Promise<Store> {
  return (await import('./stores/open.ts')).openStore(...args)
}

interface OtherSide {
  readonly url: string
  readonly remote: boolean
  readonly fetch: (request: Request) => Promise<Response>
  readonly close: () => Promise<void>
}

async function embed({ store }: ConnectOptions, settings: Settings, logger: Logger): Promise<OtherSide> {
  const where = store ?? settings.store ?? (await defaultStore(logger))
  const { createBackend } = await import('./backend/backend.ts')
  const backend = createBackend({ ...(await openStores(where, logger)), trusted: true })
  let closing: Promise<void> | undefined
  return {
    url: embeddedUrl,
    remote: false,
    fetch: (request) => (closing ? Promise.reject(closed()) : backend.fetch(request)),
    close: () => {
      closing ??= backend.close()
      return closing
    },
  }
}

async function openStores(
  where: NonNullable<ConnectOptions['store']>,
  logger: Logger,
): Promise<{ records: Store; blobs: Store }> {
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

/** Asked by opening one: some browsers have IndexedDB and refuse it, in private windows or to frames of other sites. */
async function whyNoDatabase(): Promise<string | undefined> {
  if (typeof indexedDB === 'undefined') return 'This runtime has no files'
  const store = await openStore(defaultDatabase)
  try {
    await store.list('', { limit: 1 })
    return undefined
  } catch (error) {
    if (!isTidemarkError(error)) throw error
    return `This page cannot store anything (${error.code})`
  } finally {
    await store.close?.()
  }
}

function reach(given: string, { fetch = (request) => globalThis.fetch(request) }: ConnectOptions): OtherSide {
  const url = serverUrl(given)
  // Comet's own setting ends in /clientlib, beside which its REST API lies.
  const path = url.pathname.replace(/\/+$/, '').replace(/\/clientlib$/, '')
  let open = true
  return {
    url: url.origin + path,
    remote: true,
    fetch: (request) => (open ? fetch(request) : Promise.reject(closed())),
    close: async () => {
      open = false
    },
  }
}

function closed(): UnavailableError {
  return new UnavailableError('This connection was closed. Connect again.', { code: 'connection-closed' })
}

function checkConnectOptions(options: ConnectOptions): void {
  checkOptions(options, known, 'connect()')
  for (const option of ['url', 'apiKey', 'workspace', 'project'] as const) checkText(options[option], option)
  const { url, store, fetch, compress } = options
  if (url !== undefined && store !== undefined)
    throw new InvalidInputError('connect() takes a url or a store, not both: data goes to a server or stays here.', {
      code: 'url-and-store',
    })
  if (fetch !== undefined && typeof fetch !== 'function') throw wrongType('fetch', 'a function', fetch)
  if (compress !== undefined && typeof compress !== 'boolean') throw wrongType('compress', 'true or false', compress)
  if (typeof store === 'object' && store !== null && 'records' in store)
    checkOptions(store, ['records', 'blobs'], 'store')
}

function wrongType(option: string, wanted: string, given: unknown): InvalidInputError {
  return new InvalidInputError(`${option} must be ${wanted}, not ${describe(given)}.`, {
    code: 'invalid-option',
    fields: { option },
  })
}
