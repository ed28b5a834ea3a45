import { breathe } from './breathe.ts'

/** Many small pieces of work, each too short to be sliced: one after another begins, with a pause for timers, input and painting between them. */
export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** Resolves when those who asked before have begun, and others have had their turn since. */
  next(): Promise<void> {
    this.#last = this.#last.then(breathe)
    return this.#last
  }
}
