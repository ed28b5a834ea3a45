import { Console } from 'node:console'
import { Writable } from 'node:stream'

type StreamName = 'stdout' | 'stderr'

// All that write something.
const methods = [
  'log',
  'info',
  'debug',
  'warn',
  'error',
  'dir',
  'dirxml',
  'table',
  'trace',
  'assert',
  'count',
  'countReset',
  'group',
  'groupCollapsed',
  'groupEnd',
  'time',
  'timeLog',
  'timeEnd',
] as const

/**
 * Takes a copy of what goes to a console that writes past the streams of the process, as those of Deno and Bun do. It is shown as ever; the copy is as Node's console would
 * write it. The function it gives ends that.
 */
export function shadowConsole(take: (stream: StreamName, text: string) => void): () => void {
  const shadow = new Console({ stdout: sink('stdout', take), stderr: sink('stderr', take), colorMode: false })
  const timers = new Set<string>()
  let open = true
  // Deno's console.table calls console.log.
  let depth = 0
  const undo = methods.map((method) => {
    const before: unknown = Reflect.get(console, method)
    if (typeof before !== 'function') return () => undefined
    const captured = (...args: unknown[]): void => {
      depth++
      try {
        Reflect.apply(before, console, args)
      } finally {
        depth--
      }
      if (open && depth === 0 && isTimed(method, args, timers)) Reflect.apply(shadow[method], shadow, args)
    }
    Reflect.set(console, method, captured)
    return () => {
      // Somebody else may have put theirs on top since: then ours stays below, and only passes on.
      if (Reflect.get(console, method) === captured) Reflect.set(console, method, before)
    }
  })
  return () => {
    open = false
    for (const one of undo) one()
  }
}

/** False for the end of a timer that began before anybody listened: there is no time to tell then, but a warning. */
function isTimed(
  method: (typeof methods)[number],
  [label = 'default']: readonly unknown[],
  timers: Set<string>,
): boolean {
  const name = String(label)
  if (method === 'time') timers.add(name)
  return method === 'timeEnd' ? timers.delete(name) : method !== 'timeLog' || timers.has(name)
}

function sink(name: StreamName, take: (stream: StreamName, text: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      take(name, text)
      done()
    },
  })
}
