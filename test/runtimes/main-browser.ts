/** Runs in a page: has the suites run there, in a web worker or in a service worker, as the address of the page says. */
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

try {
  await places[location.hash.slice(1)]?.()
} catch (error) {
  await answer({ failed: String(error) })
}
