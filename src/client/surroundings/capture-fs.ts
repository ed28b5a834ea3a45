import process from 'node:process'
import { StringDecoder } from 'node:string_decoder'
import { shadowConsole } from './shadow-console-fs.ts'

type StreamName = 'stdout' | 'stderr'
type Take = (text: string) => void

// One hook for each stream, however many experiments listen: hooks on hooks could not be taken off in any order.
const listeners: Readonly<Record<StreamName, Set<Take>>> = { stdout: new Set(), stderr: new Set() }
const hooks = new Map<StreamName, () => void>()
let unhookConsole: (() => void) | undefined

/**
 * Takes a copy of what the process writes to its streams and its console; it is still shown. What goes past both - `Deno.stdout`, `Bun.write`, programs it starts - is not
 * seen.
 */
export function captureStream(stream: StreamName, take: Take): () => void {
  listeners[stream].add(take)
  if (!hooks.has(stream)) hooks.set(stream, hook(stream))
  // Node's console writes to the streams; those of Deno and Bun write past them.
  if ('deno' in process.versions || 'bun' in process.versions) unhookConsole ??= shadowConsole(tell)
  return () => {
    listeners[stream].delete(take)
    if (listeners[stream].size > 0) return
    hooks.get(stream)?.()
    hooks.delete(stream)
    if (hooks.size > 0) return
    unhookConsole?.()
    unhookConsole = undefined
  }
}

function tell(stream: StreamName, text: string): void {
  for (const take of listeners[stream]) take(text)
}

function hook(name: StreamName): () => void {
  const stream = process[name]
  const before = stream.write
  const decoder = new StringDecoder('utf8')
  let open = true
  const captured = (...args: unknown[]): unknown => {
    const [chunk] = args
    if (open && typeof chunk === 'string') tell(name, chunk)
    else if (open && chunk instanceof Uint8Array) tell(name, decoder.write(Buffer.from(chunk)))
    return Reflect.apply(before, stream, args)
  }
  Reflect.set(stream, 'write', captured)
  return () => {
    // Somebody else may have put theirs on top since: then ours stays below, and tells nobody, those of a later hook included.
    open = false
    if (Reflect.get(stream, 'write') === captured) stream.write = before
  }
}
