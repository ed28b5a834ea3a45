import { timers } from './timers.ts'

// What is logged once is likely to be logged again soon.
const keptMs = 30_000

/**
 * Large pieces of memory that have served, for whoever needs one next: fresh memory has to be zeroed by the system page by page, and counts as garbage
 * that is collected early (Node 20, versions of a table of 60 MB: a quarter of the time). Let go after 30 seconds.
 */
export class Spare<Memory> {
  readonly #most: number
  readonly #kept: Memory[] = []
  #letGo: (() => void) | undefined

  /** Holds `most` pieces at most. */
  constructor(most: number) {
    this.#most = most
  }

  take(): Memory | undefined {
    return this.#kept.pop()
  }

  /** Nobody else may hold it still. */
  give(memory: Memory): void {
    if (this.#kept.length >= this.#most) return
    this.#kept.push(memory)
    this.#letGo?.()
    this.#letGo = timers.after(keptMs, () => {
      this.#kept.length = 0
    })
  }
}
