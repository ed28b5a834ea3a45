// Comet's limit is 12,000 metrics a minute. A thousand at once and 11,000 a minute after that never exceed it in any minute.
const burst = 1_000
const perMs = 11_000 / 60_000

/** Seams for time, so that tests need none. */
export interface RateOptions {
  readonly now?: () => number
  readonly sleep?: (ms: number) => Promise<void>
}

/** Keeps to Comet's limit for metrics: whoever exceeds it has points thrown away. */
export class MetricRate {
  readonly #now: () => number
  readonly #sleep: (ms: number) => Promise<void>
  #left = burst
  #at: number

  constructor({ now = () => performance.now(), sleep = pause }: RateOptions = {}) {
    this.#now = now
    this.#sleep = sleep
    this.#at = now()
  }

  /** Waits until one more may be sent. */
  async take(): Promise<void> {
    const now = this.#now()
    this.#left = Math.min(burst, this.#left + (now - this.#at) * perMs)
    this.#at = now
    this.#left -= 1
    // Below zero it is owed: those who come later wait longer, in their order.
    if (this.#left < 0) await this.#sleep(Math.ceil(-this.#left / perMs))
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
