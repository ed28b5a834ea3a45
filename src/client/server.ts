import { isTidemarkError, NotFoundError } from '../errors.ts'
import { routes } from '../protocol/routes.ts'
import type { CapabilitiesReply } from '../protocol/shapes.ts'
import type { Api } from './api.ts'

/** What the other side can do, asked once. */
export class Server {
  readonly #api: Api
  #asked: Promise<CapabilitiesReply | undefined> | undefined

  constructor(api: Api) {
    this.#api = api
  }

  /** `undefined`: it has none of our routes, and speaks Comet's REST API v2 alone. */
  capabilities(signal?: AbortSignal): Promise<CapabilitiesReply | undefined> {
    this.#asked ??= ask(this.#api, signal).catch((error: unknown) => {
      // It may be there later.
      this.#asked = undefined
      throw error
    })
    return this.#asked
  }
}

async function ask(api: Api, signal: AbortSignal | undefined): Promise<CapabilitiesReply | undefined> {
  const path = routes.capabilities()
  let response: Response
  try {
    response = await api.response('GET', path, { signal })
  } catch (error) {
    if (isElsewhere(error)) return undefined
    throw error
  }
  if (/\bjson\b/.test(response.headers.get('content-type') ?? '')) {
    const found: unknown = await response.json()
    if (isCapabilities(found)) return found
    return undefined
  }
  // Servers of web pages answer every address with one.
  await response.body?.cancel()
  return undefined
}

/** Comet refuses an address it does not know in one of several ways; our own server says which error it is. */
function isElsewhere(error: unknown): boolean {
  if (!isTidemarkError(error)) return false
  if (error.code === 'request-failed') {
    const { status } = error.fields
    return typeof status === 'number' && status >= 400 && status < 500
  }
  return error instanceof NotFoundError || error.code === 'unknown-api-key'
}

function isCapabilities(value: unknown): value is CapabilitiesReply {
  return typeof value === 'object' && value !== null && 'tidemark' in value && value.tidemark === 1
}
