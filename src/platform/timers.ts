import type { PaceOptions } from './pace.ts'

/** Seams for time, so that tests need none. */
export interface Timers extends PaceOptions {
  /** Runs the task later; the function it gives calls it off. Never keeps a process alive. */
  after(ms: number, task: () => void): () => void
  /** The same, and the process stays until it has run: something waits to be sent. */
  soon(ms: number, task: () => void): () => void
}

export const timers: Timers = {
  after(ms, task) {
    const timer = setTimeout(task, ms)
    const handle: unknown = timer
    // Node, Deno and Bun give an object whose `unref` lets the process end; browsers give a number.
    if (typeof handle === 'object' && handle !== null && 'unref' in handle && typeof handle.unref === 'function')
      handle.unref()
    return () => clearTimeout(timer)
  },
  soon(ms, task) {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
}
