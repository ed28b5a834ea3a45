import { createGuard } from './guard.ts'
import { hostsOf, type ServeOptions, type Serving, urlOf, usualPort } from './serving.ts'

type Answer = (request: Request) => Promise<Response>

/** The part of Deno that is used here. */
interface HasServe {
  serve(
    options: { hostname: string; port: number; onListen: () => void },
    answer: Answer,
  ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> }
}

/** Serves a backend with `Deno.serve`: needs `--allow-net` for its address. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { hostname = '127.0.0.1', port: wanted = usualPort, origins = [] } = options
  const deno: HasServe = Reflect.get(globalThis, 'Deno')
  const begun: { answer?: Answer } = {}
  const onListen = () => undefined
  const server = deno.serve({ hostname, port: wanted, onListen }, (request) =>
    begun.answer ? begun.answer(request) : Promise.reject(new Error('The server has not begun yet.')),
  )
  const { port } = server.addr
  begun.answer = createGuard({ hosts: hostsOf(hostname, port, options.hosts), origins }, options.fetch)
  return { url: urlOf(hostname, port), port, close: () => server.shutdown() }
}
