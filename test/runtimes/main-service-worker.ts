/** Bundled into one file: a service worker may not import anything when it is needed. */
import { perform } from './browser-suites.ts'

// The types of pages know no service worker's events.
addEventListener('message', (event: Event & { waitUntil?: (work: Promise<unknown>) => void }) => {
  event.waitUntil?.(perform())
})
