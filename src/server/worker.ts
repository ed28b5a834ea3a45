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

/** What a worker is told beside a request: what has to be done before it may be ended. */
export interface WorkerContext {
  waitUntil(work: Promise<unknown>): void
}

/** What `export default { fetch }` of a worker takes. Without a context, what goes on behind an answer may be ended with it, and is done later. */
export type WorkerFetch<Env> = (request: Request, env: Env, context?: WorkerContext) => Promise<Response>

/**
 * A backend as the `fetch` of an edge worker: `export default { fetch: createWorker({ ... }) }`. Each request has a backend of its own: one that waited for what another has begun would be ended as
 * hanging there. What they share is in the stores.
 */
export function createWorker<Env>({ backend, hosts, origins = [] }: WorkerOptions<Env>): WorkerFetch<Env> {
  return createGuard<[env: Env, context?: WorkerContext]>({ hosts, origins }, async (request, env, context) => {
    const { fetch, settled } = createBackend({ access: 'keys', ...backend(env) })
    const reply = await fetch(request)
    context?.waitUntil(settled())
    return reply
  })
}
