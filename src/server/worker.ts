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

/**
 * A backend as the `fetch` of an edge worker: `export default { fetch: createWorker({ ... }) }`. Bindings are the same for as long as a worker lives, so the backend is
 * made once.
 */
export function createWorker<Env>({ backend, hosts, origins = [] }: WorkerOptions<Env>) {
  let answer: ((request: Request) => Promise<Response>) | undefined
  return (request: Request, env: Env): Promise<Response> => {
    answer ??= createGuard({ hosts, origins }, createBackend({ access: 'keys', ...backend(env) }).fetch)
    return answer(request)
  }
}
