import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { basename, join } from 'node:path'
import { startBrowser } from '../browsers/start.mjs'

/** What a careful site allows: its own scripts, no `eval`, no WebAssembly. */
const POLICY =
  "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self' http://localhost:*"

/** Of this server, and, as the server of `localhost`, of another site. */
const TWO_PIXELS = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADUlEQVR4nGP4zwAE/wEHAAH/4iOeWQAAAABJRU5ErkJggg==',
  'base64',
)

/**
 * Gives a task to a browser: it opens a page of a server of ours, whose script fetches the task and posts every answer back.
 *
 * @param {{ browser: object, place: string }} runtime where in which browser: `page`, `worker`, `service-worker`
 */
export async function askBrowser({ browser, place }, { folder }, task, patience, take) {
  let settle
  const answered = new Promise((resolve, reject) => {
    settle = { resolve, reject }
  })
  const server = createServer(async (request, response) => {
    const name = basename(new URL(request.url, 'http://localhost').pathname)
    response.setHeader('content-security-policy', POLICY)
    if (name === 'task') response.end(JSON.stringify(task))
    else if (name === 'answer') {
      const chunks = []
      for await (const chunk of request) chunks.push(chunk)
      response.end()
      const answer = JSON.parse(Buffer.concat(chunks).toString())
      if (answer.failed) settle.reject(new Error(answer.failed))
      else if (answer.done) settle.resolve()
      else take(answer)
    } else if (name === 'two-pixels.png') response.setHeader('content-type', 'image/png').end(TWO_PIXELS)
    else if (name === '')
      response
        .setHeader('content-type', 'text/html')
        .end(
          '<!doctype html><meta charset="utf-8"><title>Suites</title><script type="module" src="/main.mjs"></script>',
        )
    else
      await readFile(join(folder, name)).then(
        (script) => response.setHeader('content-type', 'text/javascript').end(script),
        (error) => {
          response.writeHead(404).end()
          if (name.endsWith('.mjs')) settle.reject(error)
        },
      )
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const timer = setTimeout(() => settle.reject(new Error(`${browser.name} did not answer in time.`)), patience)
  const url = `http://127.0.0.1:${server.address().port}/#${place}`
  const stop = await startBrowser(browser, url, task.scratch, (how) =>
    settle.reject(new Error(`${browser.name} ended with ${how}.`)),
  )
  try {
    await answered
    if (task.do === 'run') take({ done: true })
  } finally {
    clearTimeout(timer)
    await stop()
    server.closeAllConnections()
    server.close()
  }
}
