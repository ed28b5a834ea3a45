// npm run example:browser: serves this repository to this machine. A careful site's policy is in force: scripts of its own, no `eval`, no WebAssembly.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
}
/** Nothing else of the repository is served. */
const folders = ['examples', 'dist', 'node_modules']

/** Serves it on a port, 0 for a free one; gives the address of the page and a way to stop. */
export async function serve(port = 8086) {
  const page = await readFile(new URL('index.html', import.meta.url), 'utf8')
  const importMap = /<script type="importmap">(.*?)<\/script>/s.exec(page)?.[1] ?? ''
  const hash = createHash('sha256').update(importMap).digest('base64')
  const policy = `default-src 'none'; script-src 'self' 'sha256-${hash}'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data: blob:`
  const server = createServer(async ({ url }, response) => {
    const path = normalize(decodeURIComponent(new URL(url, 'http://localhost').pathname)).slice(1)
    const file = path.endsWith(sep) ? join(path, 'index.html') : path
    const type = types[extname(file)]
    try {
      if (!type || !folders.includes(file.split(sep)[0])) throw new Error('not served')
      const bytes = await readFile(join(root, file))
      response.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(bytes)
    } catch {
      response.writeHead(404).end('There is no such file.')
    }
  })
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}/examples/browser/`
  return {
    url,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`Open ${(await serve()).url}`)
