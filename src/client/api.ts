import { CorruptionError, isTidemarkError, throwIfAborted } from '../errors.ts'
import type { Logger } from '../logging.ts'
import { requestsTakeStreams } from '../platform/request-streams.ts'
import { type Timers, timers as usualTimers } from '../platform/timers.ts'
import { routes } from '../protocol/routes.ts'
import { refusal, toClientError } from './api-error.ts'
import { reasonOf } from './reason.ts'
import { type RetryOptions, withRetries } from './retry.ts'
import type { Patience, Progress } from './silence.ts'
import type { StreamedForm } from './streamed-form.ts'
import { untilAborted } from './until-aborted.ts'

export interface ApiOptions {
  /** The other side: the network's `fetch`, or a backend in this process. */
  readonly fetch: (request: Request) => Promise<Response>
  /** Without a path of ours, `https://host[/prefix]`. */
  readonly url: string
  /** Over a network: sent again after a transient failure, bodies as bytes. In process: asked once, bodies handed over without a copy. */
  readonly remote: boolean
  readonly apiKey?: string
  readonly logger?: Logger
  /** Ends everything on this connection. */
  readonly signal?: AbortSignal
  readonly retry?: Partial<Pick<RetryOptions, 'attempts' | 'sleep' | 'random'>>
  readonly patience?: Patience
  /** Default: the runtime's own. */
  readonly timers?: Pick<Timers, 'soon'>
}

export interface CallOptions {
  readonly search?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  readonly signal?: AbortSignal
}

/** For what would be done twice, were it asked twice. */
export interface OnceOptions<T> {
  /** Asked before anything is sent again, since only the answer may have been lost: what would have been answered, or `undefined` when it did not arrive. */
  readonly arrived?: () => Promise<T | undefined>
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

const remoteAttempts = 6

/** The requests of the protocol: every byte between client and backend goes through here. Requests may be sent twice, so all are made to be. */
export class Api {
  readonly remote: boolean
  readonly url: string
  readonly #options: ApiOptions

  constructor(options: ApiOptions) {
    this.#options = options
    this.remote = options.remote
    this.url = options.url
  }

  /** The parsed JSON of a successful answer. */
  async json<T>(
    method: Method,
    path: string,
    { search, body, signal, arrived }: CallOptions & OnceOptions<T> = {},
  ): Promise<T> {
    const attempt = async (all: AbortSignal | undefined): Promise<T> => {
      const response = await this.#send(path + queryOf(search), { method, ...jsonBody(body), signal: all })
      return response.json()
    }
    return this.#ask(method, path, signal, attempt, arrived)
  }

  /** The answer as it is, its body not yet read. */
  async response(
    method: Method,
    path: string,
    { search, body, headers, signal }: CallOptions & { readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Response> {
    return this.#ask(method, path, signal, (all) =>
      this.#send(path + queryOf(search), { method, headers, ...jsonBody(body), signal: all }),
    )
  }

  /** For what is done when it is answered, whatever the answer says: some of Comet's are empty. */
  async done(method: Method, path: string, { search, body, signal }: CallOptions = {}): Promise<void> {
    await this.#ask(method, path, signal, async (all) => {
      const response = await this.#send(path + queryOf(search), { method, ...jsonBody(body), signal: all })
      await response.arrayBuffer()
    })
  }

  /** Sends a form, made anew for each attempt; the parsed JSON of the answer. */
  async form<T>(
    path: string,
    { search, form, signal }: Omit<CallOptions, 'body'> & { readonly form: () => FormData | StreamedForm },
  ): Promise<T> {
    return this.#ask('POST', path, signal, async (all) => {
      const made = form()
      const { failure, ...sending } = made instanceof FormData ? (await import('./form-body.ts')).formBody(made) : made
      try {
        const response = await this.#send(path + queryOf(search), { method: 'POST', ...sending, signal: all })
        return await response.json()
      } catch (error) {
        // What the file says of itself, not what became of the connection because of it.
        throw failure?.() ?? error
      }
    })
  }

  /** Stores a pack. The bytes may be reused once it has resolved. */
  async putPack(id: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#ask('PUT', routes.pack(id), signal, async (all) => {
      const response = await this.#send(routes.pack(id), {
        method: 'PUT',
        ...this.#body(bytes),
        signal: all,
        bytes: bytes.length,
      })
      await response.body?.cancel()
    })
  }

  /** Exactly these bytes of a pack. */
  async readPack(pack: string, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array(0)
    try {
      return await this.#ask('GET', routes.pack(pack), signal, async (all) => {
        const headers = { range: `bytes=${offset}-${offset + length - 1}` }
        const response = await this.#send(routes.pack(pack), { method: 'GET', headers, signal: all })
        const bytes = await readExactly(response, response.status === 206 ? 0 : offset, length)
        if (bytes) return bytes
        throw endsEarly(pack, offset + length)
      })
    } catch (error) {
      if (isTidemarkError(error) && error.code === 'range-not-satisfiable')
        throw endsEarly(pack, offset + length, error)
      throw error
    }
  }

  /** The answer, when its status says that what was asked is done. */
  async #send(path: string, { method, headers, bytes, stream, ...init }: Sending): Promise<Response> {
    const { apiKey, fetch, remote, url, patience, timers = usualTimers } = this.#options
    const send = (signal: AbortSignal | undefined, progress: Progress = () => undefined) => {
      const body = stream?.(progress)
      const auth = apiKey && { authorization: apiKey }
      return fetch(new Request(url + path, { method, ...init, ...body, signal, headers: { ...auth, ...headers } }))
    }
    const signal = init.signal ?? undefined
    const what = `${method} ${path.replace(/\?.*/, '')}`
    const watched = { bytes, patience, timers, signal, what }
    const response = await (remote ? (await import('./network.ts')).givenUpWhenSilent(send, watched) : send(signal))
    if (response.ok) return response
    // A backend in this process sees the signal too, and answers that it was told to stop, but not with the reason.
    throwIfAborted(signal)
    throw await refusal(response, `${method} ${path}`, remote)
  }

  #body(bytes: Uint8Array): Pick<Sending, 'body' | 'duplex'> {
    if (this.remote || !requestsTakeStreams()) return { body: plainBytes(bytes) }
    // In process a stream of one piece hands the memory over as it is: 0.3 ms for 8 MiB, where a body of bytes is copied thrice, 8 ms.
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(bytes)
        controller.close()
      },
    })
    return { body, duplex: 'half' }
  }

  async #ask<T>(
    method: Method,
    path: string,
    signal: AbortSignal | undefined,
    attempt: (signal: AbortSignal | undefined) => Promise<T>,
    arrived?: OnceOptions<T>['arrived'],
  ): Promise<T> {
    const { remote } = this
    const all = anySignal(this.#options.signal, signal)
    const what = `${method} ${path}${remote ? ` of ${new URL(this.url).host}` : ''}`
    let made = 0
    const once = async () => {
      throwIfAborted(all)
      const found = made++ > 0 ? await arrived?.() : undefined
      if (found !== undefined) return found
      try {
        // In process the bytes of a pack are lent to the backend: they may not be touched before it is done with them.
        return await (remote || method !== 'PUT' ? untilAborted(attempt(all), all) : attempt(all))
      } catch (error) {
        throw await toClientError(error, what, all, remote)
      }
    }
    this.#options.logger?.debug(what)
    return withRetries(once, this.retries(what, all))
  }

  /** How often what may be tried again is, and with which pauses. */
  retries(what: string, signal: AbortSignal | undefined): RetryOptions {
    return {
      attempts: this.remote ? remoteAttempts : 1,
      ...this.#options.retry,
      signal,
      onRetry: (error, ms) => this.#options.logger?.info(`${what}: ${reasonOf(error)} (again in ${ms} ms)`),
    }
  }
}

interface Sending extends Omit<RequestInit, 'method' | 'headers' | 'window'> {
  readonly method: Method
  readonly headers?: Readonly<Record<string, string>>
  /** Of a body that is handed over as a whole, where they are many. */
  readonly bytes?: number
  /** Instead of a body: one that is read while it is sent. */
  readonly stream?: StreamedForm['stream']
  /** Of a body that is a stream. */
  readonly duplex?: 'half'
}

function jsonBody(body: unknown): Pick<Sending, 'body' | 'headers'> {
  return body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
}

function queryOf(search: CallOptions['search'] = {}): string {
  const given = Object.entries(search).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}

function endsEarly(pack: string, byte: number, cause?: unknown): CorruptionError {
  return new CorruptionError(`Pack ${pack} ends before byte ${byte}. Restore it from a copy of the store.`, {
    code: 'pack-damaged',
    fields: { pack },
    cause,
  })
}

/** One signal for two. */
export function anySignal(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : (one ?? other)
}

/** `length` bytes of the body after the first `skip`; `undefined` when there are fewer. Never holds more than was asked for. */
async function readExactly(response: Response, skip: number, length: number): Promise<Uint8Array | undefined> {
  const reader = response.body?.getReader()
  if (!reader) return undefined
  let result: Uint8Array | undefined
  let before = skip
  let filled = 0
  try {
    while (filled < length) {
      const { done, value } = await reader.read()
      if (done) return undefined
      const piece = value.subarray(Math.min(before, value.length))
      before -= value.length - piece.length
      // In process the answer comes as one piece: it is taken as it is.
      if (!result && piece.length === length) return piece
      result ??= new Uint8Array(length)
      const part = piece.subarray(0, length - filled)
      result.set(part, filled)
      filled += part.length
    }
    return result
  } finally {
    await reader.cancel()
  }
}

function plainBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : bytes.slice()
}
