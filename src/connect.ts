import { Server } from './client/api/server.ts'
import { Api, type ApiOptions } from './client/api.ts'
import type { Connection, Endable } from './client/connection.ts'
import type { Settings } from './config.ts'
import { InvalidInputError, UnavailableError } from './errors.ts'
import { type Logger, openLogger } from './logging.ts'
import { checkOptions, checkText, describe } from './options.ts'
import { checkName } from './paths.ts'
import { runtimeProcess } from './platform/process.ts'
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

const defaultWorkspace = 'default'
const defaultProject = 'general'

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
  const side = url === undefined ? await embed(options.store ?? settings.store, logger) : reach(url, options)
  const { fetch, close, remote } = closable(side)
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
    logger,
    compress: options.compress ?? remote,
    workspace,
    project,
    secrets,
    underWay: new Set(),
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

// Loaded with the first: who reaches a server has none.
async function embed(...args: Parameters<typeof import('./embedded.ts').embed>): Promise<OtherSide> {
  return (await import('./embedded.ts')).embed(...args)
}

interface OtherSide {
  readonly url: string
  readonly remote: boolean
  readonly fetch: (request: Request) => Promise<Response>
  readonly close: () => Promise<void>
}

function reach(given: string, { fetch = (request) => globalThis.fetch(request) }: ConnectOptions): OtherSide {
  const url = serverUrl(given)
  // Comet's own setting ends in /clientlib, beside which its REST API lies.
  const path = url.pathname.replace(/\/+$/, '').replace(/\/clientlib$/, '')
  return { url: url.origin + path, remote: true, fetch, close: async () => undefined }
}

/** Once it is closed, nothing is asked any more. */
function closable({ fetch, close, ...side }: OtherSide): OtherSide {
  let closing: Promise<void> | undefined
  return {
    ...side,
    fetch: (request) => (closing ? Promise.reject(closed()) : fetch(request)),
    close: () => {
      closing ??= close()
      return closing
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
