import { type BackendOptions, createBackend } from '../backend/backend.ts'
import { createGuard } from './guard.ts'

export interface WorkerOptions<Env> {
  /** Over which stores: made of the bindings that a request brings. */
  readonly backend: (env: Env) => BackendOptions
  /** Names under which the worker is addressed, such as `tidemark.example.workers.dev`. */
  readonly hosts: readonly string[]
  /** Web pages that may use it. */
  readonly origins?: readonly string[]
}

/** What `export default { fetch }` of a worker takes. */
export type WorkerFetch<Env> = (request: Request, env: Env) => Promise<Response>

/**
 * A backend as the `fetch` of an edge worker: `export default { fetch: createWorker({ ... }) }`. Bindings are the same for as long as a worker lives, so the backend is
 * made once.
 */
export function createWorker<Env>({ backend, hosts, origins = [] }: WorkerOptions<Env>): WorkerFetch<Env> {
  let answer: ((request: Request) => Promise<Response>) | undefined
  return (request, env) => {
    answer ??= createGuard({ hosts, origins }, createBackend({ access: 'keys', ...backend(env) }).fetch)
    return answer(request)
  }
}
