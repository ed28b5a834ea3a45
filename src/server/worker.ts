import { type BackendOptions, createBackend } from '../backend/backend.ts'
import { createGuard } from './guard.ts'

export interface WorkerOptions<Env> {
  /** Over which stores: made of the bindings that a request brings. Asked for each request; a key is looked up each time. */
  readonly backend: (env: Env) => Omit<BackendOptions, 'keysBelievedFor'>
  /** Names under which the worker is addressed, such as `tidemark.example.workers.dev`. */
  readonly hosts: readonly string[]
  /** Web pages that may use it. */
  readonly origins?: readonly string[]
}

/** What `export default { fetch }` of a worker takes. */
export type WorkerFetch<Env> = (request: Request, env: Env) => Promise<Response>

/**
 * A backend as the `fetch` of an edge worker: `export default { fetch: createWorker({ ... }) }`. Each request has a backend of its own: one that waited for what another has begun would be ended as
 * hanging there. What they share is in the stores.
 */
export function createWorker<Env>({ backend, hosts, origins = [] }: WorkerOptions<Env>): WorkerFetch<Env> {
  let bindings: Env
  const answer = createGuard({ hosts, origins }, (request) =>
    createBackend({ access: 'keys', ...backend(bindings) }).fetch(request),
  )
  return (request, env) => {
    // The same for as long as a worker lives.
    bindings = env
    return answer(request)
  }
}
