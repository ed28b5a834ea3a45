import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { UnavailableError } from '../errors.ts'
import { createGuard } from './guard.ts'
import { hostsOf, listenError, type ServeOptions, type Serving, urlOf, usualGrace, usualPort } from './serving.ts'

// Node's own defaults, but for bodies: an asset may take hours, as long as it gets on.
const headersTimeout = 10_000
// Node looks for those who are over their time only every 30 seconds.
const connectionsCheckingInterval = 2000
const keepAliveTimeout = 65_000
const stalledAfter = 60_000
const mostConnections = 2000

// What Node holds for one body before it tells the sender to wait.
const bodyHeld = 256 * 1024

// Of a body that was refused: so much is read and dropped, and the connection serves on; more is read for so long, and it is closed.
const mostDropped = bodyHeld
const longestDrop = 1000

/**
 * Serves a backend with `node:http`. Bodies stream both ways, and are waited for: neither is ever held as a whole.
 *
 * @example
 * ```ts
 * import { createBackend } from 'tidemark/backend'
 * import { serve } from 'tidemark/server/node'
 * import { memoryStore } from 'tidemark/stores/memory'
 *
 * const store = memoryStore()
 * const serving = await serve({ fetch: createBackend({ records: store, blobs: store }).fetch, port: 0 })
 * console.log(serving.url)
 * await serving.close()
 * ```
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { hostname = '127.0.0.1', port: wanted = usualPort } = options
  const server = createServer({
    keepAliveTimeout,
    headersTimeout,
    connectionsCheckingInterval,
    requestTimeout: 0,
    highWaterMark: bodyHeld,
  })
  server.maxConnections = mostConnections
  // A connection on which nothing moves at all: a body, or the reading of an answer, that has stalled.
  server.setTimeout(stalledAfter)
  const port = await listen(server, wanted, hostname)
  const { origins = [] } = options
  const answer = createGuard({ hosts: hostsOf(hostname, port, options.hosts), origins }, options.fetch)
  server.on('request', (incoming, outgoing) => {
    // Connections that are kept open for more would be waited for.
    outgoing.on('close', () => {
      if (!server.listening) setImmediate(() => server.closeIdleConnections())
    })
    handle(incoming, outgoing, answer).catch(() => outgoing.destroy())
  })
  return {
    url: urlOf(hostname, port),
    port,
    close: (graceMs = usualGrace) => close(server, graceMs),
  }
}

async function handle(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answer: (request: Request) => Promise<Response>,
): Promise<void> {
  const aborting = new AbortController()
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) aborting.abort()
  })
  const request = requestOf(incoming, aborting.signal)
  if (!request) {
    outgoing.writeHead(400, { connection: 'close' }).end()
    return
  }
  const reply = await answer(request)
  // Chunked ones have no length: they are closed too.
  if (!incoming.complete && !(Number(incoming.headers['content-length']) <= mostDropped))
    outgoing.setHeader('connection', 'close')
  outgoing.writeHead(reply.status, headersOf(reply))
  if (reply.body && incoming.method !== 'HEAD') await send(reply.body, outgoing)
  if (!incoming.complete) {
    outgoing.flushHeaders()
    await drop(incoming)
  }
  outgoing.end()
  // What was not read of the request would be taken for the next one.
  if (!incoming.complete) outgoing.on('finish', () => incoming.destroy())
}

/** A sender whose connection is cut while it sends may never see the answer: what still comes is read, for a while. */
function drop(incoming: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, longestDrop)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    incoming.removeAllListeners('data').on('end', done).on('close', done).resume()
  })
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request | undefined {
  const { method = 'GET', url = '/', headers } = incoming
  const host = headers.host ?? ''
  const address = `http://${host}${url.startsWith('/') ? url : '/'}`
  if (!/^[^/?#@\\\s]+$/.test(host) || !URL.canParse(address)) return undefined
  if (!['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'].includes(method)) return undefined
  const given = new Headers()
  for (const [name, value] of Object.entries(headers))
    if (typeof value === 'string') given.set(name, value)
    else for (const one of value ?? []) given.append(name, one)
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')
    return new Request(address, { method: method === 'HEAD' ? 'GET' : method, headers: given, signal })
  const init: RequestInit & { duplex: 'half' } = {
    method,
    headers: given,
    body: bodyOf(incoming),
    duplex: 'half',
    signal,
  }
  return new Request(address, init)
}

/** The body as it comes; while nobody asks for more, the sender waits. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let ended = false
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        incoming.on('data', (bytes: Uint8Array) => {
          controller.enqueue(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
          if ((controller.desiredSize ?? 0) <= 0) incoming.pause()
        })
        incoming.on('end', () => {
          if (!ended) controller.close()
          ended = true
        })
        const broken = () => {
          if (!ended) controller.error(cutOff())
          ended = true
        }
        incoming.on('close', broken)
        incoming.on('error', broken)
        incoming.pause()
      },
      pull() {
        incoming.resume()
      },
      cancel() {
        ended = true
        incoming.removeAllListeners('data')
        incoming.pause()
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: bodyHeld }),
  )
}

async function send(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  const reader = body.getReader()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (outgoing.destroyed) return
      if (!outgoing.write(next.value)) await drained(outgoing)
    }
  } finally {
    // Also when the reader of the answer has gone: whoever makes the bytes stops.
    await reader.cancel()
  }
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off('drain', done)
      outgoing.off('close', done)
      resolve()
    }
    outgoing.on('drain', done)
    outgoing.on('close', done)
    if (outgoing.destroyed) done()
  })
}

function headersOf(reply: Response): Record<string, string> {
  return Object.fromEntries(reply.headers)
}

async function listen(server: Server, port: number, hostname: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(listenError(port, hostname, cause)))
    server.listen(port, hostname, resolve)
  })
  return portOf(server.address()) ?? port
}

function portOf(address: AddressInfo | string | null): number | undefined {
  return typeof address === 'object' && address !== null ? address.port : undefined
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  try {
    await closed
  } finally {
    clearTimeout(timer)
  }
}

function cutOff(): UnavailableError {
  return new UnavailableError('The request was cut off before its end.', { code: 'request-cut-off' })
}
