import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { bundleSuites } from './bundle.mjs'
import { startMiniflare } from './miniflare.mjs'

/** Runs the suites over a bucket and a database in workerd, and gives every outcome to `take` as it comes. */
export async function runBindings(numRuns, take) {
  const { folder, modules } = await bundleSuites('bindings')
  const { url, stop } = await startMiniflare(folder, modules, { name: 'suites', serviceBindings: { SELF: 'suites' } })
  let done = false
  try {
    const { body } = await fetch(url, { method: 'POST', body: JSON.stringify({ numRuns }) })
    for await (const line of createInterface({ input: Readable.fromWeb(body) })) {
      const answer = JSON.parse(line)
      if (answer.done) done = true
      else take(answer)
    }
  } finally {
    await stop()
  }
  if (!done) throw new Error('The suites over bindings stopped without a word.')
}
