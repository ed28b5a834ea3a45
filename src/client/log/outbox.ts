import { isTidemarkError, throwIfAborted, UnavailableError } from '../../errors.ts'
import { type Timers, timers as usualTimers } from '../../platform/timers.ts'
import { untilAborted } from '../api/until-aborted.ts'

/** What came of some entries of a delivery. What is in neither stays, and is sent again. */
export interface Report<Entry> {
  done(entries: readonly Entry[]): void
  /** It will never be taken: a dead letter. */
  refused(entries: readonly Entry[], error: unknown): void
}

/** How entries leave. */
export interface Delivery<Entry> {
  /** How many of these, from the first, go in the next delivery: at least one. */
  take(entries: readonly Entry[]): number | Promise<number>
  /** Resolves when all of them were reported; rejects when what was not reported should be sent again. */
  send(entries: readonly Entry[], report: Report<Entry>): Promise<void>
}

/** An entry that cannot be delivered, and why. */
export interface DeadLetter<Entry> {
  readonly entry: Entry
  readonly error: unknown
}

export interface OutboxOptions<Entry> {
  readonly delivery: Delivery<Entry>
  /** `experiment first`, for messages. */
  readonly what: string
  /** Bytes of memory an entry takes, about. */
  readonly weigh: (entry: Entry) => number
  /** Bytes held, dead letters included. */
  readonly capacity?: number
  /** Told when a delivery fails and will be tried again. */
  readonly onFailure?: (error: unknown, ms: number) => void
  readonly timers?: Timers
}

// A loop that logs is batched, and a person who looks at a chart does not notice.
const lingerMs = 100

// After the attempts of one request are used up: a server that restarts is back within seconds, one that is down must not be hammered.
const firstPause = 2_000
const longestPause = 60_000

// A million metric points: minutes of the fastest loop. What waits longer is not going to be delivered.
const usualCapacity = 128 * 1024 * 1024

// Entries looked at for one delivery.
const longestLook = 20_000

interface Waiter {
  /** Entries that have to be settled. */
  readonly target: number
  /** Attempts that had begun before it waited: their failure is not its own. */
  readonly begun: number
  resolve(): void
  reject(error: unknown): void
}

/**
 * Entries on their way, in order: leased, sent, acknowledged, and only then removed. What cannot be sent now stays and is tried again; what will never be taken
 * becomes a dead letter, which stays too, and is told.
 */
export class Outbox<Entry> {
  readonly #options: OutboxOptions<Entry>
  readonly #timers: Timers
  readonly #capacity: number
  readonly #dead: DeadLetter<Entry>[] = []
  #queue: Entry[] = []
  // Entries before it are settled; cut off now and then, not one by one.
  #head = 0
  #settled = 0
  #held = 0
  #told = 0
  #attempts = 0
  #failures = 0
  #sending = false
  #closed = false
  #waiters: Waiter[] = []
  #stopTimer: (() => void) | undefined

  constructor(options: OutboxOptions<Entry>) {
    this.#options = options
    this.#timers = options.timers ?? usualTimers
    this.#capacity = options.capacity ?? usualCapacity
  }

  /** Entries that are not settled yet. */
  get pending(): number {
    return this.#queue.length - this.#head
  }

  get deadLetters(): readonly DeadLetter<Entry>[] {
    return this.#dead
  }

  /** @throws UnavailableError `outbox-full` */
  add(entry: Entry): void {
    const weight = this.#options.weigh(entry)
    // One that is larger than all that may be held is not refused when nothing else is.
    if (this.#held > 0 && this.#held + weight > this.#capacity) throw this.#full()
    this.#held += weight
    this.#queue.push(entry)
    if (!this.#sending && !this.#stopTimer) this.#later(lingerMs, true)
  }

  /**
   * Waits until all that was added so far is settled.
   *
   * @throws what the delivery fails with, when it does now; everything stays then, and is tried again later
   */
  async flush(signal?: AbortSignal): Promise<void> {
    const target = this.#settled + this.pending
    if (target === this.#settled) return
    throwIfAborted(signal)
    let waiter: Waiter | undefined
    const settled = new Promise<void>((resolve, reject) => {
      waiter = { target, begun: this.#attempts, resolve, reject }
      this.#waiters.push(waiter)
    })
    this.#now()
    try {
      await untilAborted(settled, signal)
    } catch (error) {
      throwIfAborted(signal)
      throw error
    } finally {
      this.#waiters = this.#waiters.filter((one) => one !== waiter)
    }
  }

  /** Dead letters that nobody was told of yet. */
  takeUntold(): readonly DeadLetter<Entry>[] {
    const untold = this.#dead.slice(this.#told)
    this.#told = this.#dead.length
    return untold
  }

  /** Lets go of what was not sent: there is nobody it is for any more. */
  discard(): void {
    this.#closed = true
    this.#stopTimer?.()
    this.#settled += this.pending
    this.#queue = []
    this.#head = 0
    this.#wake()
  }

  #now(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    if (!this.#sending) void this.#run()
  }

  #later(ms: number, keepsAlive: boolean): void {
    const run = () => {
      this.#stopTimer = undefined
      void this.#run()
    }
    this.#stopTimer = (keepsAlive ? this.#timers.soon : this.#timers.after)(ms, run)
  }

  async #run(): Promise<void> {
    this.#sending = true
    try {
      while (this.pending > 0 && !this.#closed) await this.#deliver()
      this.#failures = 0
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#sending = false
    }
    // Somebody waits whose entries this attempt had not seen, or who began to wait in the middle of it.
    if (this.#waiters.length > 0 && this.pending > 0) this.#now()
  }

  async #deliver(): Promise<void> {
    this.#attempts++
    const { delivery } = this.#options
    const seen = this.#queue.slice(this.#head, this.#head + longestLook)
    const leased = seen.slice(0, await delivery.take(seen))
    const gone = new Set<Entry>()
    const settle = (entries: readonly Entry[]) => {
      for (const entry of entries) gone.add(entry)
    }
    const report: Report<Entry> = {
      done: (entries) => {
        for (const entry of entries) this.#held -= this.#options.weigh(entry)
        settle(entries)
      },
      refused: (entries, error) => {
        for (const entry of entries) this.#dead.push({ entry, error })
        settle(entries)
      },
    }
    try {
      await delivery.send(leased, report)
    } finally {
      if (!this.#closed) this.#remove(leased, gone)
    }
  }

  #remove(leased: readonly Entry[], gone: ReadonlySet<Entry>): void {
    const left = leased.filter((entry) => !gone.has(entry))
    this.#head += leased.length - left.length
    for (const [at, entry] of left.entries()) this.#queue[this.#head + at] = entry
    this.#settled += leased.length - left.length
    if (this.#head > longestLook || this.#head === this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    this.#wake()
  }

  #wake(): void {
    const ready = this.#waiters.filter(({ target }) => target <= this.#settled)
    if (ready.length === 0) return
    this.#waiters = this.#waiters.filter(({ target }) => target > this.#settled)
    for (const { resolve } of ready) resolve()
  }

  #failed(error: unknown): void {
    const told = this.#waiters.filter(({ begun }) => begun < this.#attempts)
    this.#waiters = this.#waiters.filter(({ begun }) => begun >= this.#attempts)
    for (const { reject } of told) reject(error)
    const ms = Math.min(longestPause, firstPause * 2 ** this.#failures)
    this.#failures++
    this.#options.onFailure?.(error, ms)
    // A program that has ended does not wait for a server that may never come back.
    if (!this.#closed) this.#later(ms, false)
  }

  #full(): UnavailableError {
    const { what } = this.#options
    const last = this.#dead.at(-1)?.error
    return new UnavailableError(
      `${this.pending} entries of ${what} wait to be delivered, and ${this.#dead.length} could not be: no more can be held. Wait with flush(), which says what the matter is.`,
      { code: 'outbox-full', fields: { pending: this.pending }, ...(isTidemarkError(last) && { cause: last }) },
    )
  }
}
