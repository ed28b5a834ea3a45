import { throwIfAborted } from '../errors.ts'
import { isRestUrl } from '../protocol/routes.ts'
import type { Store } from '../stores/store.ts'
import { Access } from './access.ts'
import { Keys } from './keys.ts'
import { errorReply } from './routes/error-reply.ts'
import { GroupedRouter } from './routes/grouped-router.ts'
import type { Scope } from './routes/router.ts'
import { createServices } from './services.ts'

export interface BackendOptions {
  /** Metadata: small records, replaced by compare-and-swap. */
  readonly records: Store
  /** Bytes: packs of up to 8 MiB, written once. May be the same store. */
  readonly blobs: Store
  /** Milliseconds since 1970; default `Date.now`. */
  readonly now?: () => number
  /** A new key of 32 hexadecimal digits; default random. */
  readonly randomId?: () => string
  /** Requests come from this process alone: packs are not verified again, unforeseen failures are told in full. Default false. */
  readonly trusted?: boolean
  /** `keys`: only who has a key is answered, and as far as its roles go. Default `open`: for embedded use, and whoever guards the backend otherwise. */
  readonly access?: 'open' | 'keys'
  /**
   * Milliseconds for which a key that was found good is believed without a look at its record; default 0: what is revoked is refused at once, by every process on
   * the same stores. Where each look goes over a network, some seconds of belief make requests quicker.
   */
  readonly keysBelievedFor?: number
  /** Workspaces that are there before anything is in them. */
  readonly workspaces?: readonly string[]
}

export interface Backend {
  /** Answers any request, and never throws: every failure is an answer too. */
  fetch(request: Request): Promise<Response>
  /** Who may ask, when `access` is `keys`. */
  readonly keys: Keys
  /** All routes there are. They are loaded when they are first asked for; who asks for the list has loaded all. */
  routes(): Promise<readonly { readonly method: string; readonly path: string; readonly scope: Scope }[]>
  /** Resolves when the requests under way are answered, and what goes on behind the answers is done. */
  settled(): Promise<void>
  /** The same, and closes the stores. */
  close(): Promise<void>
}

/**
 * The backend: a function from `Request` to `Response` over two stores. It keeps nothing in memory that matters, so any number of them, in any number of
 * processes, may work on the same stores.
 *
 * @example
 * ```ts
 * import { createBackend } from 'tidemark/backend'
 * import { memoryStore } from 'tidemark/stores/memory'
 *
 * const store = memoryStore()
 * const backend = createBackend({ records: store, blobs: store })
 * const reply = await backend.fetch(new Request('http://localhost/api/tidemark/v1/capabilities'))
 * console.log(await reply.json())
 * ```
 */
export function createBackend(options: BackendOptions): Backend {
  const { records, blobs, now = Date.now, randomId = randomKey, trusted = false, workspaces = [] } = options
  const behind = new Set<Promise<void>>()
  const background = (work: Promise<void>) => {
    behind.add(work)
    void work.finally(() => behind.delete(work))
  }
  const services = createServices({ records, blobs, now, randomId, trusted, workspaces, background })
  const keys = new Keys({ records: services.records, now, believedFor: options.keysBelievedFor ?? 0 })
  const router = new GroupedRouter(services)
  const underWay = new Set<Promise<Response>>()

  async function answer(request: Request): Promise<Response> {
    try {
      throwIfAborted(request.signal)
      const access = options.access === 'keys' ? await keys.accessOf(request.headers) : new Access('all')
      return await router.handle(request, access)
    } catch (error) {
      return errorReply(error, { comet: isRestUrl(request.url), detailed: trusted })
    }
  }

  async function settled(): Promise<void> {
    await Promise.all(underWay)
    await Promise.all(behind)
  }

  return {
    keys,
    routes: () => router.list(),
    async fetch(request) {
      const work = answer(request)
      underWay.add(work)
      try {
        return await work
      } finally {
        underWay.delete(work)
      }
    },
    settled,
    async close() {
      await settled()
      await records.close?.()
      if (blobs !== records) await blobs.close?.()
    },
  }
}

function randomKey(): string {
  return crypto.randomUUID().replaceAll('-', '')
}
