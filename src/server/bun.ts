import { createGuard } from './guard.ts'
import { hostsOf, listening, type ServeOptions, type Serving, urlOf, usualGrace, usualPort } from './serving.ts'

type Answer = (request: Request) => Promise<Response>

/** The part of Bun that is used here. */
interface HasServe {
  serve(options: { hostname: string; port: number; idleTimeout: number; maxRequestBodySize: number; fetch: Answer }): {
    readonly port: number
    stop(force?: boolean): Promise<void>
  }
}

// Bun's own default cuts off whoever is silent for 10 seconds, and bodies of 128 MiB.
const idleTimeout = 60
const maxRequestBodySize = Number.MAX_SAFE_INTEGER

/** Serves a backend with `Bun.serve`. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { hostname = '127.0.0.1', port: wanted = usualPort, origins = [] } = options
  const bun: HasServe = Reflect.get(globalThis, 'Bun')
  const begun: { answer?: Answer } = {}
  const fetch: Answer = (request) =>
    begun.answer ? begun.answer(request) : Promise.reject(new Error('The server has not begun yet.'))
  const asked = { hostname, port: wanted, idleTimeout, maxRequestBodySize, fetch }
  const server = listening(wanted, hostname, () => bun.serve(asked))
  const { port } = server
  begun.answer = createGuard({ hosts: hostsOf(hostname, port, options.hosts), origins }, options.fetch)
  return { url: urlOf(hostname, port), port, close: (graceMs = usualGrace) => close(server, graceMs) }
}

async function close(server: ReturnType<HasServe['serve']>, graceMs: number): Promise<void> {
  const stopped = server.stop()
  const timer = setTimeout(() => void server.stop(true), graceMs)
  try {
    await stopped
  } finally {
    clearTimeout(timer)
  }
}
