import type { Logger } from '../../logging.ts'
import { type Timers, timers as usualTimers } from '../../platform/timers.ts'
import { restPrefix } from '../../protocol/routes.ts'
import type { Api } from '../api.ts'

// What Comet's server says when it is asked; until it was, and where it says nothing.
const usualInterval = 10_000

// A server that says 0 would be asked without a pause.
const shortestInterval = 500

/** Says that an experiment is alive, as often as the server wants to hear it, until it is stopped. One that goes unheard is followed by the next. */
export class Heartbeat {
  readonly #api: Api
  readonly #key: string
  readonly #logger: Logger
  readonly #timers: Timers
  readonly #stop = new AbortController()
  #callOff: (() => void) | undefined

  constructor(api: Api, key: string, logger: Logger, timers: Timers = usualTimers) {
    this.#api = api
    this.#key = key
    this.#logger = logger
    this.#timers = timers
    void this.#beat()
  }

  stop(): void {
    this.#stop.abort()
    this.#callOff?.()
  }

  async #beat(): Promise<void> {
    let ms = usualInterval
    try {
      const { isAliveBeatDurationMillis } = await this.#api.json<{ isAliveBeatDurationMillis?: unknown }>(
        'GET',
        `${restPrefix}/write/experiment/set-status`,
        { search: { experimentKey: this.#key }, signal: this.#stop.signal },
      )
      if (typeof isAliveBeatDurationMillis === 'number' && Number.isFinite(isAliveBeatDurationMillis))
        ms = Math.max(shortestInterval, isAliveBeatDurationMillis)
    } catch (error) {
      this.#logger.debug(`A sign of life went unheard: ${error instanceof Error ? error.message : error}`)
    }
    if (!this.#stop.signal.aborted) this.#callOff = this.#timers.after(ms, () => void this.#beat())
  }
}
