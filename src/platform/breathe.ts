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

/** Browsers and workers. */
function byMessage(): Later | undefined {
  if (typeof MessageChannel !== 'function') return undefined
  const waiting: (() => void)[] = []
  let port: MessagePort | undefined
  return (task) => {
    if (!port) {
      const channel = new MessageChannel()
      channel.port1.onmessage = () => waiting.shift()?.()
      port = channel.port2
    }
    waiting.push(task)
    port.postMessage(null)
  }
}

function byTimer(task: () => void): void {
  setTimeout(task, 0)
}
