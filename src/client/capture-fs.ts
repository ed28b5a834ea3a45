import process from 'node:process'
import { StringDecoder } from 'node:string_decoder'
import { format } from 'node:util'
import { captureConsole } from './capture-console.ts'

type Take = (text: string) => void

// One hook for each stream, however many experiments listen: hooks on hooks could not be taken off in any order.
const listeners: Readonly<Record<'stdout' | 'stderr', Set<Take>>> = { stdout: new Set(), stderr: new Set() }
const hooks = new Map<'stdout' | 'stderr', () => void>()

/** Takes a copy of what the process writes; it is still shown. */
export function captureStream(stream: 'stdout' | 'stderr', take: Take): () => void {
  listeners[stream].add(take)
  if (!hooks.has(stream)) hooks.set(stream, hook(stream))
  return () => {
    listeners[stream].delete(take)
    if (listeners[stream].size > 0) return
    hooks.get(stream)?.()
    hooks.delete(stream)
  }
}

function hook(name: 'stdout' | 'stderr'): () => void {
  const tell = (text: string) => {
    for (const take of listeners[name]) take(text)
  }
  const stream = process[name]
  const before = stream.write
  const decoder = new StringDecoder('utf8')
  const captured = (...args: unknown[]): unknown => {
    const [chunk] = args
    if (typeof chunk === 'string') tell(chunk)
    else if (chunk instanceof Uint8Array) tell(decoder.write(Buffer.from(chunk)))
    return Reflect.apply(before, stream, args)
  }
  Reflect.set(stream, 'write', captured)
  // Node's console writes to the stream; those of Deno and Bun write past it.
  const pastIt = 'deno' in process.versions || 'bun' in process.versions
  const unhook = pastIt ? captureConsole(name, tell, (args) => format(...args)) : undefined
  return () => {
    unhook?.()
    // Somebody else may have put theirs on top since: then ours stays below, and tells nobody.
    if (Reflect.get(stream, 'write') === captured) stream.write = before
  }
}
