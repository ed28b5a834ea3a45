import { errorReply } from '../backend/routes/error-reply.ts'
import { PermissionError, type TidemarkError, UnavailableError } from '../errors.ts'
import { isRestUrl } from '../protocol/routes.ts'

export interface GuardOptions {
  /** Names under which the server may be addressed, with the port where it is not the usual one: `localhost:5555`. */
  readonly hosts: readonly string[]
  /** Web pages that may use it: `https://lab.example`. Default none. */
  readonly origins?: readonly string[]
  /** Requests at once; more are asked to come back. */
  readonly mostAtOnce?: number
}

// Each holds a few buffers at most; far more than a laboratory sends at once.
const usualAtOnce = 512

const allowedHeaders = 'authorization, comet-sdk-api, content-type, range'
const allowedMethods = 'GET, POST, PUT, DELETE'
const exposedHeaders = 'content-range, etag, retry-after'

/**
 * What stands before a backend that browsers can reach, also on localhost: a web page anywhere can send requests there, and a name of its own can be made to lead
 * there. So the name asked for must be one of ours, and a page's origin one that was allowed. There are no cookies, so nothing is sent that a page does not know.
 */
export function createGuard<Beside extends readonly unknown[] = []>(
  { hosts, origins = [], mostAtOnce = usualAtOnce }: GuardOptions,
  answer: (request: Request, ...beside: Beside) => Promise<Response>,
): (request: Request, ...beside: Beside) => Promise<Response> {
  const known = new Set(hosts.map((host) => host.toLowerCase()))
  const allowed = new Set(origins)
  let underWay = 0

  return async (request, ...beside) => {
    const comet = isRestUrl(request.url)
    const origin = request.headers.get('origin')
    const refused = refusal(request, known, allowed)
    if (refused) return errorReply(refused, { comet, detailed: false })
    if (request.method === 'OPTIONS' && origin !== null) return withOrigin(new Response(null, { status: 204 }), origin)
    const reply = underWay < mostAtOnce ? await admitted(request, beside) : busyReply(comet)
    return origin !== null && allowed.has(origin) ? withOrigin(reply, origin) : reply
  }

  async function admitted(request: Request, beside: Beside): Promise<Response> {
    underWay++
    try {
      return await answer(request, ...beside)
    } finally {
      underWay--
    }
  }
}

function refusal(
  request: Request,
  hosts: ReadonlySet<string>,
  origins: ReadonlySet<string>,
): TidemarkError | undefined {
  const { host } = new URL(request.url)
  if (!hosts.has(host.toLowerCase()))
    return new PermissionError(
      `This server is not known as '${host.slice(0, 200)}'. Start it with --allow-host for names that lead here.`,
      { code: 'host-not-allowed' },
    )
  const origin = request.headers.get('origin')
  if (origin === null || origins.has(origin) || isOwn(origin, host)) return undefined
  return new PermissionError(
    `Pages of '${origin.slice(0, 200)}' may not use this server. Start it with --allow-origin for those that may.`,
    { code: 'origin-not-allowed' },
  )
}

function isOwn(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host
}

function withOrigin(reply: Response, origin: string): Response {
  const headers = new Headers(reply.headers)
  headers.set('access-control-allow-origin', origin)
  headers.set('access-control-allow-headers', allowedHeaders)
  headers.set('access-control-allow-methods', allowedMethods)
  headers.set('access-control-expose-headers', exposedHeaders)
  headers.append('vary', 'origin')
  return new Response(reply.body, { status: reply.status, headers })
}

function busyReply(comet: boolean): Response {
  const busy = new UnavailableError('The server has too many requests to answer. Try again in a second.', {
    code: 'busy',
  })
  const reply = errorReply(busy, { comet, detailed: false })
  reply.headers.set('retry-after', '1')
  return reply
}
