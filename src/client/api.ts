import { throwIfAborted } from '../errors.ts'
import type { Logger } from '../logging.ts'
import { type Timers, timers as usualTimers } from '../platform/timers.ts'
import { refusal, toClientError } from './api/api-error.ts'
import { reasonOf } from './api/reason.ts'
import { type RetryOptions, withRetries } from './api/retry.ts'
import type { Patience, Progress } from './api/silence.ts'
import type { StreamedForm } from './api/streamed-form.ts'
import { untilAborted } from './api/until-aborted.ts'

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
  json<T>(method: Method, path: string, options: CallOptions & OnceOptions<T> = {}): Promise<T> {
    return this.ask(method, path, options, async (send) => (await send(jsonBody(options.body))).json())
  }

  /** The answer as it is, its body not yet read. */
  response(
    method: Method,
    path: string,
    { headers, ...options }: CallOptions & { readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Response> {
    return this.ask(method, path, options, (send) => send({ headers, ...jsonBody(options.body) }))
  }

  /** For what is done when it is answered, whatever the answer says: some of Comet's are empty. */
  async done(method: Method, path: string, options: CallOptions = {}): Promise<void> {
    await this.ask(method, path, options, async (send) => (await send(jsonBody(options.body))).arrayBuffer())
  }

  /** Any request: `attempt` sends it and reads the answer, and is made again after a transient failure. */
  async ask<T>(
    method: Method,
    path: string,
    { search, signal, arrived }: Omit<CallOptions, 'body'> & OnceOptions<T>,
    attempt: (send: Send) => Promise<T>,
  ): Promise<T> {
    const { remote } = this
    const all = anySignal(this.#options.signal, signal)
    const what = `${method} ${path}${remote ? ` of ${new URL(this.url).host}` : ''}`
    const send: Send = (sending) => this.#send(method, path + queryOf(search), sending, all)
    let made = 0
    const once = async () => {
      throwIfAborted(all)
      const found = made++ > 0 ? await arrived?.() : undefined
      if (found !== undefined) return found
      try {
        // In process the bytes of a pack are lent to the backend: they may not be touched before it is done with them.
        return await (remote || method !== 'PUT' ? untilAborted(attempt(send), all) : attempt(send))
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

  /** The answer, when its status says that what was asked is done. */
  async #send(
    method: Method,
    path: string,
    { headers, bytes, stream, ...init }: Sending,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const { apiKey, fetch, remote, url, patience, timers = usualTimers } = this.#options
    const send = (signal: AbortSignal | undefined, progress: Progress = () => undefined) => {
      const body = stream?.(progress)
      const auth = apiKey && { authorization: apiKey }
      return fetch(new Request(url + path, { method, ...init, ...body, signal, headers: { ...auth, ...headers } }))
    }
    const what = `${method} ${path.replace(/\?.*/, '')}`
    const watched = { bytes, patience, timers, signal, what }
    const response = await (remote ? (await import('./api/network.ts')).givenUpWhenSilent(send, watched) : send(signal))
    if (response.ok) return response
    // A backend in this process sees the signal too, and answers that it was told to stop, but not with the reason.
    throwIfAborted(signal)
    throw await refusal(response, `${method} ${path}`, remote, apiKey)
  }
}

/** What is sent, but for what is the same whenever it is: where to, and until when. */
export interface Sending extends Omit<RequestInit, 'method' | 'headers' | 'signal' | 'window'> {
  readonly headers?: Readonly<Record<string, string>>
  /** Of a body that is handed over as a whole, where they are many. */
  readonly bytes?: number
  /** Instead of a body: one that is read while it is sent. */
  readonly stream?: StreamedForm['stream']
  /** Of a body that is a stream. */
  readonly duplex?: 'half'
}

type Send = (sending: Sending) => Promise<Response>

function jsonBody(body: unknown): Sending {
  return body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
}

function queryOf(search: CallOptions['search'] = {}): string {
  const given = Object.entries(search).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}

/** One signal for two. */
function anySignal(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : (one ?? other)
}
