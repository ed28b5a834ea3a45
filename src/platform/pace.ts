import { breathe } from './breathe.ts'

// Of the 12 ms that work may hold the event loop: the rest is for the step that is under way when time is up, and for the garbage collector.
const sliceMs = 4

/** Seams for time, so that tests need none. */
export interface PaceOptions {
  readonly now?: () => number
  readonly breathe?: () => Promise<void>
}

/** For work that somebody asked for and waits for: slices where they also look at it, on the main thread of a page; elsewhere none, which is faster. */
export function paceForPage(): Pace | undefined {
  return isPage() ? new Pace() : undefined
}

/** True on the main thread of a page. */
export function isPage(): boolean {
  return Reflect.has(globalThis, 'document') && Reflect.has(globalThis, 'window')
}

/**
 * Keeps long work in slices: between small steps, `if (pace.due) await pace.rest()`.
 */
export class Pace {
  readonly #now: () => number
  readonly #breathe: () => Promise<void>
  #began: number
  #rests = 0

  constructor({ now = () => performance.now(), breathe: rest = breathe }: PaceOptions = {}) {
    this.#now = now
    this.#breathe = rest
    this.#began = now()
  }

  /** True when the slice is used up. */
  get due(): boolean {
    return this.#now() - this.#began >= sliceMs
  }

  /** How often others had their turn so far. */
  get rests(): number {
    return this.#rests
  }

  /** Gives others their turn; a new slice begins. */
  async rest(): Promise<void> {
    this.#rests += 1
    await this.#breathe()
    this.#began = this.#now()
  }

  /** Runs the steps of a generator in slices; its result. */
  async run<Result>(steps: Generator<unknown, Result>): Promise<Result> {
    for (;;) {
      const { done, value } = steps.next()
      if (done) return value
      if (this.due) await this.rest()
    }
  }
}
