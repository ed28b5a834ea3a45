import { tidemarkPrefix } from '../../src/protocol/routes.ts'

/** A server with our own routes switched off: it speaks Comet's REST API v2 alone. */
export function onlyComet(fetch: (request: Request) => Promise<Response>): (request: Request) => Promise<Response> {
  return async (request) =>
    new URL(request.url).pathname.startsWith(tidemarkPrefix)
      ? new Response('<html>Not here</html>', { status: 404, headers: { 'content-type': 'text/html' } })
      : fetch(request)
}
