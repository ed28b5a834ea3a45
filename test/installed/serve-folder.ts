import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
}

/**
 * Serves the files of a folder, and as `/` the page given. The policy is a careful site's: scripts of its own and the import map that the page has in it, no `eval`, no WebAssembly.
 */
export async function serveFolder(folder: string, page: string): Promise<{ url: string; close(): Promise<void> }> {
  const importMap = /<script type="importmap">(.*?)<\/script>/s.exec(page)?.[1]
  const hash = importMap === undefined ? '' : ` 'sha256-${createHash('sha256').update(importMap).digest('base64')}'`
  const server = createServer(async ({ url = '/' }, response) => {
    const path = normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname))
    response.setHeader(
      'content-security-policy',
      `default-src 'none'; script-src 'self'${hash}; connect-src 'self'; img-src data:`,
    )
    response.setHeader('content-type', types[extname(path)] ?? 'text/html; charset=utf-8')
    if (path === '/') response.end(page)
    else
      await readFile(join(folder, path)).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // Listening on a port, not on a pipe: that gives an object.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())))
    },
  }
}
