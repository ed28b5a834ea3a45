// What runs because of us and would go on without us: browsers are groups of processes of their own, and servers serve until they are told to stop.

/** @type {Set<() => unknown>} */
const running = new Set()
let interrupted = false

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

/**
 * Remembers a process that was started; gives what kills it, which resolves when it is gone and writes nothing any more.
 *
 * @param {import('node:child_process').ChildProcess} child
 */
export function startedProcess(child) {
  const gone = new Promise((resolve) => {
    child.once('exit', resolve)
    child.once('error', resolve)
  })
  const kill = started(() => {
    child.kill('SIGKILL')
    return gone
  })
  gone.then(kill)
  // Whatever goes on meanwhile may start another.
  if (interrupted) kill()
  return kill
}

/** Ends whatever is still running. What cannot be ended is told. */
export async function endAll() {
  for (const outcome of await Promise.allSettled([...running].map((end) => end())))
    if (outcome.status === 'rejected') console.error(outcome.reason)
}

/**
 * Ends everything before this process ends by a signal or by an error that nobody caught.
 *
 * @param {() => unknown} tidy what is done when nothing runs any more, such as removing its files
 */
export function endAllWithUs(tidy = () => undefined) {
  const end = (code) => {
    interrupted = true
    return endAll()
      .then(tidy)
      .finally(() => process.exit(code))
  }
  for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }))
    process.once(signal, () => end(code))
  process.once('uncaughtException', (error) => {
    console.error(error)
    return end(1)
  })
}
