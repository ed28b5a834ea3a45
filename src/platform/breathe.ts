/**
 * Lets timers, input and painting have their turn: await it between slices of long work. Not by `setTimeout` where there is better: browsers make nested ones
 * wait 4 ms each (HTML standard, "timers"), Node at least 1 ms.
 */
export const breathe: () => Promise<void> = breathing()

type Later = (task: () => void) => void

function breathing(): () => Promise<void> {
  const later = immediately() ?? byMessage() ?? byTimer
  return () => new Promise((resolve) => later(resolve))
}

/** Node, Deno, Bun. */
function immediately(): Later | undefined {
  const found: unknown = Reflect.get(globalThis, 'setImmediate')
  // Looked up anew each time: a test or a tool may have replaced it.
  return typeof found === 'function' ? (task) => void Reflect.get(globalThis, 'setImmediate')(task) : undefined
}

/** Browsers and workers. A channel each time: in edge workers one that was opened for a request is silent for all others. */
function byMessage(): Later | undefined {
  if (typeof MessageChannel !== 'function') return undefined
  return (task) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      task()
    }
    port2.postMessage(null)
  }
}

function byTimer(task: () => void): void {
  setTimeout(task, 0)
}
