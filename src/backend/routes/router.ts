import { InvalidInputError, NotFoundError } from '../../errors.ts'
import type { Access } from '../access.ts'

/** One request, taken apart. */
export interface Call {
  readonly request: Request
  readonly url: URL
  /** What stood in the places of `:names`, decoded once. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** What whoever asks may do. */
  readonly access: Access
}

export type Handler = (call: Call) => Promise<Response>

/**
 * What a request needs: `workspace`: a role in the workspace that it turns out to be about, asked for by the handler; `key`: any key that is known. A handler of
 * the first kind that never asks is not answered: what nobody thought of stays closed.
 */
export type Scope = 'workspace' | 'key'

interface Route {
  readonly method: string
  readonly segments: readonly string[]
  readonly handler: Handler
  readonly scope: Scope
}

/** Routes by method and path; a segment `:name` stands for any one segment. */
export class Router {
  readonly #routes: Route[] = []
  // Most are asked for by their own path: no need to try them all.
  readonly #exact = new Map<string, Route[]>()

  on(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, handler: Handler, scope: Scope = 'workspace'): this {
    const route = { method, segments: path.split('/'), handler, scope }
    this.#routes.push(route)
    if (path.includes(':')) return this
    const known = this.#exact.get(path)
    if (known) known.push(route)
    else this.#exact.set(path, [route])
    return this
  }

  /** All there are, `/path/:name` each. */
  list(): { method: string; path: string; scope: Scope }[] {
    return this.#routes.map(({ method, segments, scope }) => ({ method, path: segments.join('/'), scope }))
  }

  /**
   * @param segments of the path, which begins with one slash
   * @throws NotFoundError `unknown-route`; InvalidInputError `wrong-method`, `invalid-url`
   */
  async handle(request: Request, url: URL, segments: readonly string[], access: Access): Promise<Response> {
    const path = segments.join('/')
    const matching = this.#exact.get(path) ?? this.#routes.filter((route) => matches(route.segments, segments))
    const route = matching.find(({ method }) => method === request.method)
    if (route) {
      const params = paramsOf(route.segments, segments)
      const reply = await route.handler({ request, url, params, query: url.searchParams, access })
      if (route.scope === 'workspace') access.assertAsked(`${request.method} ${path}`)
      return reply
    }
    if (matching.length === 0) throw unknownRoute(path)
    const allow = matching.map(({ method }) => method).join(', ')
    throw new InvalidInputError(`${path} cannot be asked with ${request.method}, only with ${allow}.`, {
      code: 'wrong-method',
      fields: { allow },
    })
  }
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return pattern.length === segments.length && begins(pattern, segments)
}

/** Whether a path begins with these segments, where `:name` stands for any one. */
export function begins(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length <= segments.length &&
    pattern.every((one, at) => one === segments[at] || (one.startsWith(':') && segments[at] !== ''))
  )
}

function paramsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {}
  for (const [at, one] of pattern.entries()) if (one.startsWith(':')) params[one.slice(1)] = decode(segments[at])
  return params
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    throw new InvalidInputError(`The address has a '%' that encodes nothing: ${segment.slice(0, 100)}.`, {
      code: 'invalid-url',
      cause,
    })
  }
}

export function unknownRoute(path: string): NotFoundError {
  return new NotFoundError(
    `There is nothing at ${path.slice(0, 200)}. Is this the address of a Tidemark server, and of this version?`,
    {
      code: 'unknown-route',
    },
  )
}
