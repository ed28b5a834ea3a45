/** Runs in a page: asks the server where there is work, and has the suites run there: in the page, in a web worker or in a service worker. */
import { answer, perform } from './browser-suites.ts'

const places: Readonly<Record<string, () => Promise<unknown> | unknown>> = {
  page: perform,
  worker() {
    const worker = new Worker('/worker.mjs', { type: 'module' })
    worker.onerror = ({ message }) => answer({ failed: `The worker ended: ${message}` })
  },
  async 'service-worker'() {
    await navigator.serviceWorker.register('/service-worker.mjs', { type: 'module' })
    const { active } = await navigator.serviceWorker.ready
    active?.postMessage('perform')
  },
}

for (;;) {
  const place = await (await fetch('/next')).text()
  try {
    await places[place]?.()
  } catch (error) {
    await answer({ failed: String(error) })
  }
}
