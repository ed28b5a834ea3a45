import { isTidemarkError, NotFoundError, throwIfAborted } from '../../errors.ts'
import { routes } from '../../protocol/routes.ts'
import type { CapabilitiesReply } from '../../protocol/shapes.ts'
import type { Api } from '../api.ts'
import { untilAborted } from './until-aborted.ts'

/** What the other side can do, asked once. */
export class Server {
  readonly #api: Api
  #asked: Promise<CapabilitiesReply | undefined> | undefined

  constructor(api: Api) {
    this.#api = api
  }

  /** `undefined`: it has none of our routes, and speaks Comet's REST API v2 alone. */
  async capabilities(signal?: AbortSignal): Promise<CapabilitiesReply | undefined> {
    throwIfAborted(signal)
    // Asked for all who wait: one of them may give up, and the others get their answer.
    this.#asked ??= ask(this.#api).catch((error: unknown) => {
      // It may be there later.
      this.#asked = undefined
      throw error
    })
    try {
      return await untilAborted(this.#asked, signal)
    } catch (error) {
      throwIfAborted(signal)
      throw error
    }
  }
}

async function ask(api: Api): Promise<CapabilitiesReply | undefined> {
  const path = routes.capabilities()
  let response: Response
  try {
    response = await api.response('GET', path)
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
    const { status, transient } = error.fields
    // One that is busy (429) has not said what it is.
    return transient !== true && typeof status === 'number' && status >= 400 && status < 500
  }
  return error instanceof NotFoundError || error.code === 'unknown-api-key'
}

function isCapabilities(value: unknown): value is CapabilitiesReply {
  return typeof value === 'object' && value !== null && 'tidemark' in value && value.tidemark === 1
}
