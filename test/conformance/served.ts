import { createBackend } from '../../src/backend/backend.ts'
import { type ConnectOptions, memoryStore } from '../../src/index.ts'
import type { Store } from '../../src/stores/store.ts'
import { cometDouble } from './comet-double.ts'
import { experimentConformance } from './experiments.ts'
import { mainJobConformance } from './main-job.ts'
import { onlyComet } from './only-comet.ts'

type Answer = (request: Request) => Promise<Response>

/** Serves a backend as the runtime does it, on a free port of this machine. */
export interface Serve {
  (
    fetch: Answer,
  ): Promise<{
    readonly url: string
    /** Where the global one does not lead there. */
    readonly fetch?: Answer
    close(): Promise<void>
  }>
  /** Each request has a backend of its own. */
  readonly apart?: true
}

/** Experiments over everything that asks nothing of the runtime. */
export function experimentsHere(): void {
  experimentConformance('a store in this process', async () => ({
    options: { store: memoryStore() },
    dispose: () => undefined,
  }))

  experimentConformance('a server without routes of our own', async () => {
    const store = memoryStore()
    const behind = createBackend({ records: store, blobs: store })
    return { options: { url: 'https://server.example', fetch: onlyComet(behind.fetch) }, dispose: () => behind.close() }
  })

  experimentConformance('Comet', async () => {
    const apiKey = 'comet-key'
    const comet = cometDouble(apiKey)
    return { options: { url: 'https://comet.example', apiKey, fetch: comet.fetch }, dispose: () => undefined }
  })
}

/** Experiments and artifacts over HTTP, client and server in one runtime; and experiments without routes of our own. */
export function servedConformance(name: string, serve: Serve): void {
  experimentConformance(name, () => open(serve))
  experimentConformance(`${name}, without routes of our own`, () => open(serve, onlyComet))
}

/** The main job over HTTP. */
export function servedMainJob(name: string, serve: Serve): void {
  mainJobConformance(name, () => open(serve))
}

async function open(
  serve: Serve,
  around: (fetch: Answer) => Answer = (fetch) => fetch,
): Promise<{ store: Store; options: ConnectOptions; dispose: () => Promise<void> }> {
  const store = memoryStore()
  const make = () => createBackend({ records: store, blobs: store, access: 'keys' })
  const backend = make()
  const { key } = await backend.keys.create('suite', new Map([['*', 'owner']]))
  const { url, fetch, close } = await serve(around(serve.apart ? (request) => make().fetch(request) : backend.fetch))
  return {
    store,
    options: { url, apiKey: key, ...(fetch && { fetch }) },
    async dispose() {
      await close()
      await backend.close()
    },
  }
}
