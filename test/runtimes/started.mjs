// What runs because of us and would go on without us: browsers are groups of processes of their own, and servers serve until they are told to stop.

/** @type {Set<() => unknown>} */
const running = new Set()

/**
 * Remembers how something that was started is ended.
 *
 * @template T
 * @param {() => T} stop
 * @returns {() => T} ends it, and forgets it
 */
export function started(stop) {
  const end = () => {
    running.delete(end)
    return stop()
  }
  running.add(end)
  return end
}

/** Ends whatever is still running. What cannot be ended is told. */
export async function endAll() {
  for (const outcome of await Promise.allSettled([...running].map((end) => end())))
    if (outcome.status === 'rejected') console.error(outcome.reason)
}

/** Ends everything before this process ends by a signal or by an error that nobody caught. */
export function endAllWithUs() {
  for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }))
    process.once(signal, () => endAll().finally(() => process.exit(code)))
  process.once('uncaughtException', (error) => {
    console.error(error)
    return endAll().finally(() => process.exit(1))
  })
}
