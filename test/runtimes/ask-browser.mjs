import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { basename, join } from 'node:path'
import { startBrowser } from '../browsers/start.mjs'

/** What a careful site allows: its own scripts, no `eval`, no WebAssembly. */
const POLICY =
  "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self' http://localhost:*; img-src 'self' http://localhost:*"

/** Of this server, and, as the server of `localhost`, of another site. */
const TWO_PIXELS = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADUlEQVR4nGP4zwAE/wEHAAH/4iOeWQAAAABJRU5ErkJggg==',
  'base64',
)

/** A page that waits for work asks again after so long: browsers give up on answers that take minutes. */
const WAIT_MS = 20_000

/**
 * A browser that is open for all of its rows: it shows a page of a server of ours, whose script fetches what is to be done where (in the page, a web worker, a
 * service worker), and posts every answer back.
 *
 * @param {object} browser one of `findBrowsers`
 * @param {Record<string, { folder: string }>} bundles of the scripts
 * @param {string} scratch a folder for its profile
 */
export async function openBrowser(browser, bundles, scratch) {
  /** @type {{ place: string, task: object, take: (answer: object) => void, done: PromiseWithResolvers<void>, begun: boolean } | undefined} */
  let current
  let asleep
  let ended
  const server = createServer((request, response) => {
    response.setHeader('content-security-policy', POLICY)
    answer(request, response).catch((error) => {
      response.writeHead(500).end()
      current?.done.reject(error)
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = await startBrowser(browser, `http://127.0.0.1:${server.address().port}/`, scratch, (how) => {
    ended = new Error(`${browser.name} ended with ${how}.`)
    current?.done.reject(ended)
  })
  return {
    async ask(place, task, patience, take) {
      if (ended) throw ended
      current = { place, task, take, done: withResolvers(), begun: false }
      const { done } = current
      const timer = setTimeout(() => done.reject(new Error(`${browser.name} did not answer in time.`)), patience)
      asleep?.()
      try {
        await done.promise
      } finally {
        clearTimeout(timer)
        current = undefined
      }
    },
    async close() {
      asleep?.()
      await stop()
      server.closeAllConnections()
      server.close()
    },
  }

  async function answer(request, response) {
    const name = basename(new URL(request.url, 'http://localhost').pathname)
    if (name === 'next') {
      if (!current || current.begun) await sleep()
      if (!current || current.begun) return response.writeHead(204).end()
      current.begun = true
      return response.end(current.place)
    }
    if (name === 'task') return response.end(JSON.stringify(current?.task))
    if (name === 'answer') {
      const chunks = []
      for await (const chunk of request) chunks.push(chunk)
      response.end()
      const given = JSON.parse(Buffer.concat(chunks).toString())
      if (given.failed) current?.done.reject(new Error(given.failed))
      else if (given.done) current?.done.resolve()
      else current?.take(given)
      return
    }
    if (name === 'two-pixels.png') return response.setHeader('content-type', 'image/png').end(TWO_PIXELS)
    if (name === '')
      return response
        .setHeader('content-type', 'text/html')
        .end(
          '<!doctype html><meta charset="utf-8"><title>Suites</title><script type="module" src="/main.mjs"></script>',
        )
    const { folder } = bundles[name === 'service-worker.mjs' ? 'service-worker' : 'browser']
    const script = await readFile(join(folder, name.replace(/\.js$/, '.mjs'))).catch((error) => {
      if (name.endsWith('.mjs')) throw error
    })
    if (script === undefined) response.writeHead(404).end()
    else response.setHeader('content-type', 'text/javascript').end(script)
  }

  function sleep() {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, WAIT_MS)
      asleep = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Promise.withResolvers, which Node 20 has not. */
function withResolvers() {
  let settle
  const promise = new Promise((resolve, reject) => {
    settle = { resolve, reject }
  })
  // Told to whoever waits for it; it may be that nobody does yet.
  promise.catch(() => undefined)
  return { promise, ...settle }
}
