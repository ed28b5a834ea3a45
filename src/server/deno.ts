import { errorReply } from '../backend/routes/error-reply.ts'
import { UnavailableError } from '../errors.ts'
import { restPrefix } from '../protocol/routes.ts'
import { createGuard } from './guard.ts'
import { hostsOf, listening, type ServeOptions, type Serving, urlOf, usualGrace, usualPort } from './serving.ts'

type Answer = (request: Request) => Promise<Response>

/** The part of Deno that is used here. */
interface HasServe {
  serve(
    options: { hostname: string; port: number; signal: AbortSignal; onListen: () => void },
    answer: (request: Request, info: { readonly completed: Promise<void> }) => Promise<Response>,
  ): { readonly addr: { readonly port: number }; readonly finished: Promise<void>; shutdown(): Promise<void> }
}

/** Serves a backend with `Deno.serve`: needs `--allow-net` for its address. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { hostname = '127.0.0.1', port: wanted = usualPort, origins = [] } = options
  const deno: HasServe = Reflect.get(globalThis, 'Deno')
  const begun: { answer?: Answer } = {}
  const forced = new AbortController()
  const underWay = new Set<Promise<Response>>()
  let ending = false
  const onListen = () => undefined
  const server = listening(wanted, hostname, () =>
    deno.serve({ hostname, port: wanted, signal: forced.signal, onListen }, async (request, info) => {
      if (!begun.answer || ending)
        return errorReply(notNow(), { comet: request.url.includes(restPrefix), detailed: false })
      const work = begun.answer(withOwnSignal(request, info.completed))
      underWay.add(work)
      try {
        return await work
      } finally {
        underWay.delete(work)
      }
    }),
  )
  const { port } = server.addr
  begun.answer = createGuard({ hosts: hostsOf(hostname, port, options.hosts), origins }, options.fetch)
  return {
    url: urlOf(hostname, port),
    port,
    async close(graceMs = usualGrace) {
      ending = true
      const timer = setTimeout(() => forced.abort(), graceMs)
      try {
        // First: once a shutdown has begun, Deno 2.9 gives no more of the bodies that are still coming.
        await Promise.allSettled(underWay)
        await (forced.signal.aborted ? server.finished : server.shutdown())
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

/** Deno's own signal fires after every answer that went well too, and whoever asks for it is warned. */
function withOwnSignal(request: Request, completed: Promise<void>): Request {
  const aborting = new AbortController()
  completed.catch(() => aborting.abort())
  const { url, method, headers, body } = request
  const init: RequestInit & { duplex: 'half' } = { method, headers, body, duplex: 'half', signal: aborting.signal }
  return new Request(url, init)
}

function notNow(): UnavailableError {
  return new UnavailableError('The server is ending, or has not begun yet. Try again in a moment.', { code: 'busy' })
}
