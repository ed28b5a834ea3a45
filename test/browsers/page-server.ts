import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** A page and the scripts it may load, on a free port of this machine. */
export interface PageServer {
  readonly url: string
  close(): Promise<void>
}

/** What a careful site allows: its own scripts, no `eval`, no WebAssembly. */
const policy =
  "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self' blob: data:"

/**
 * Bundles modules of this folder and serves a page for each: `/name` loads `name.ts`. Suites find `test-api.ts` where they import `vitest`.
 */
export async function servePages(...names: readonly string[]): Promise<PageServer> {
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
  const { outputFiles } = await build({
    entryPoints: [...names.map((name) => here(`${name}.ts`)), here('../../src/content/aside-worker.ts')],
    alias: { vitest: here('../runtimes/test-api.ts') },
    outdir: '/',
    entryNames: '[name]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    // Behind dynamic imports that are reached where there are files only.
    external: ['node:*'],
    write: false,
    logLevel: 'error',
  })
  const scripts = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]))
  const server = createServer(({ url = '/' }, response) => {
    const name = basename(new URL(url, 'http://localhost').pathname)
    const script = scripts.get(name)
    response.setHeader('content-security-policy', policy)
    if (script) response.setHeader('content-type', 'text/javascript').end(script)
    else if (scripts.has(`${name}.js`))
      response
        .setHeader('content-type', 'text/html')
        .end(
          `<!doctype html><meta charset="utf-8"><title>${name}</title><script type="module" src="/${name}.js"></script>`,
        )
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // Listening on a port, not on a pipe: that gives an object.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())))
    },
  }
}
