import { errorFromWire, InvalidInputError, isTidemarkError } from '../errors.ts'
import type { Timers } from '../platform/timers.ts'
import type { Looking, Snapshot } from './snapshots.ts'

export interface WatcherOptions<Version> {
  /** For messages. */
  readonly name: string
  readonly source: unknown
  /** Milliseconds between two looks. */
  readonly interval: number
  readonly looks: { open(source: unknown): Promise<Looking> }
  /** Makes the snapshot a version; whatever it rejects with is tried again. */
  readonly commit: (snapshot: Snapshot) => Promise<Version>
  readonly onVersion: (version: Version, before: Version | undefined) => void
  /** `told`: somebody waits for it, and gets the error too. `pause`: milliseconds to the next look. */
  readonly onError: (error: unknown, about: { told: boolean; pause: number }) => void
  readonly timers: Timers
}

// A store that is gone is asked ever less often, up to this.
const longestPause = 60_000

// A large table is read in slices, and may be edited between two of them. It is read again, to have it as it was at one moment, at most so often.
const readings = 3

/**
 * Looks at a table, makes versions of its changes one after another, and never takes a change for sent that is not committed: only then the hash of what was
 * committed is remembered. All looks and commits form one row, so nothing overtakes.
 */
export class Watcher<Version> {
  readonly #options: WatcherOptions<Version>
  #source: unknown
  #interval: number
  #sent: string | undefined
  /** State that was refused for what it is: it is not tried again before it changes. */
  #refused: string | undefined
  /** What was wrong with the table, said once as long as it stays so. */
  #complaint: string | undefined
  #latest: Version | undefined
  #pending = false
  #failures = 0
  #stopped = false
  #cancel: (() => void) | undefined
  /** A look, and perhaps a commit, under way. */
  #current: Promise<void> | undefined
  /** The look that begins when that is over: whoever asks meanwhile shares it. */
  #next: Promise<void> | undefined

  constructor(options: WatcherOptions<Version>) {
    this.#options = options
    this.#source = options.source
    this.#interval = options.interval
  }

  get source(): unknown {
    return this.#source
  }

  get latest(): Version | undefined {
    return this.#latest
  }

  /** A change was noticed and is not committed. */
  get pending(): boolean {
    return this.#pending
  }

  /** Looks at once, and waits until what was found is committed. Rejects with what went wrong. */
  flush(): Promise<void> {
    if (this.#stopped) return Promise.reject(notWatched(this.#options.name))
    this.#next ??= this.#over().then(() => {
      this.#next = undefined
      return this.#run(true)
    })
    return this.#next
  }

  /** Takes another source from the next look on. */
  replace(source: unknown, interval: number): void {
    this.#source = source
    this.#interval = interval
    // The same table may be described in another way now: it is committed anew, which stores nothing if it is not.
    this.#sent = undefined
    this.#refused = undefined
  }

  /** Ends the watching; what is under way is waited for. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#over()
    await this.#next?.catch(() => undefined)
  }

  async #over(): Promise<void> {
    // Who began it hears how it ended.
    await this.#current?.catch(() => undefined)
  }

  async #run(told: boolean): Promise<void> {
    this.#cancel?.()
    const turn = this.#turn(told)
    this.#current = turn
    try {
      await turn
      this.#failures = 0
    } catch (cause) {
      const error = named(cause, this.#options.name)
      this.#pending = true
      const isRefusal = error instanceof InvalidInputError
      // The table can be right again any time; a store that fails is given time.
      this.#failures = isRefusal ? 0 : this.#failures + 1
      if (told || !isRefusal || error.message !== this.#complaint)
        this.#options.onError(error, { told, pause: this.#pause() })
      this.#complaint = isRefusal ? error.message : undefined
      throw error
    } finally {
      this.#current = undefined
      this.#schedule()
    }
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#cancel = this.#options.timers.after(this.#pause(), () => {
      // Its errors have been told.
      if (!this.#current && !this.#next) this.#run(false).catch(() => undefined)
    })
  }

  #pause(): number {
    const interval = this.#interval
    return Math.max(interval, Math.min(longestPause, interval * 2 ** this.#failures))
  }

  async #turn(told: boolean): Promise<void> {
    const looking = await this.#options.looks.open(this.#source)
    const seen = await looking.look()
    this.#complaint = seen === this.#refused ? this.#complaint : undefined
    if (seen === this.#sent) {
      this.#pending = false
      return
    }
    this.#pending = true
    if (!told && seen === this.#refused) return
    try {
      await this.#send(await this.#take(looking, seen))
      this.#refused = undefined
    } catch (error) {
      this.#refused = error instanceof InvalidInputError ? seen : undefined
      throw error
    }
  }

  async #take(looking: Looking, seen: string): Promise<Snapshot> {
    let before = seen
    for (let reading = 1; ; reading++) {
      const snapshot = await looking.take()
      if (snapshot.whole || snapshot.hash === before || reading === readings) return snapshot
      before = snapshot.hash
    }
  }

  async #send(snapshot: Snapshot): Promise<void> {
    if (snapshot.hash !== this.#sent) {
      const version = await this.#options.commit(snapshot)
      const before = this.#latest
      this.#latest = version
      this.#sent = snapshot.hash
      this.#pending = false
      this.#options.onVersion(version, before)
      return
    }
    this.#pending = false
  }
}

/** An experiment watches many tables, and its end tells of any of them. */
function named(error: unknown, name: string): unknown {
  if (!isTidemarkError(error)) return error
  const { category, message, code, fields, cause } = error
  return errorFromWire(category, `Watching '${name}': ${message}`, {
    code,
    fields: { artifact: name, ...fields },
    cause,
  })
}

function notWatched(name: string): InvalidInputError {
  return new InvalidInputError(`'${name}' is not watched any more. Register it again.`, {
    code: 'not-watched',
    fields: { artifact: name },
  })
}
