import { errorFromWire, isTidemarkError, throwIfAborted, UnavailableError } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { RunDelivery } from './deliver.ts'
import { entryLabel, type LogEntry, sizeOfEntry } from './log-entry.ts'
import { Outbox } from './outbox.ts'

/** Something that could not be logged, and why. It is not sent again. */
export interface Undelivered {
  /** `metric 'loss'` */
  readonly what: string
  readonly error: unknown
}

// Named in a message: enough to see what it is about.
const shown = 3

/** What one experiment logs in the background: in order, in batches where the server takes them. */
export class RunLog {
  readonly #connection: Connection
  readonly #key: string
  readonly #name: string
  readonly #outbox: Outbox<LogEntry>
  readonly #onClose = () => this.flush()

  constructor(connection: Connection, { key, name }: { readonly key: string; readonly name: string }) {
    this.#connection = connection
    this.#key = key
    this.#name = name
    const { logger, timers } = connection
    this.#outbox = new Outbox<LogEntry>({
      delivery: new RunDelivery(connection, key),
      what: `experiment ${name}`,
      weigh: sizeOfEntry,
      timers,
      onFailure: (error, ms) =>
        logger.warn(
          `What experiment ${name} logs could not be sent and waits: ${messageOf(error)} It is tried again in ${Math.round(ms / 1000)} s.`,
        ),
    })
  }

  /** @throws UnavailableError `outbox-full` */
  add(entry: LogEntry): void {
    this.#outbox.add(entry)
    this.#connection.beforeClose.add(this.#onClose)
  }

  get undelivered(): Undelivered[] {
    return this.#outbox.deadLetters.map(({ entry, error }) => ({ what: entryLabel(entry), error }))
  }

  /**
   * Waits until everything is settled.
   *
   * @throws UnavailableError `not-delivered`: it waits on; what refused something: `not-logged`, once for each
   */
  async flush(signal?: AbortSignal): Promise<void> {
    await this.settle(signal)
    this.tell()
  }

  /** The same, and leaves telling what was refused to `tell()`. */
  async settle(signal?: AbortSignal): Promise<void> {
    try {
      await this.#outbox.flush(signal)
    } catch (error) {
      throwIfAborted(signal)
      throw this.#notDelivered(error)
    }
    this.#connection.beforeClose.delete(this.#onClose)
  }

  /** @throws TidemarkError `not-logged`, of the category of the first refusal, when there is one that nobody was told of */
  tell(): void {
    const untold = this.#outbox.takeUntold()
    if (untold.length === 0) return
    const [{ error }] = untold
    const labels = untold.slice(0, shown).map(({ entry }) => entryLabel(entry))
    const more = untold.length > shown ? ` and ${untold.length - shown} more` : ''
    throw errorFromWire(
      isTidemarkError(error) ? error.category : UnavailableError.category,
      `Not logged to experiment ${this.#name}: ${labels.join(', ')}${more}. ${messageOf(error)} All of them: experiment.undelivered.`,
      { code: 'not-logged', fields: { experiment: this.#key, count: untold.length }, cause: error },
    )
  }

  discard(): void {
    this.#outbox.discard()
    this.#connection.beforeClose.delete(this.#onClose)
  }

  #notDelivered(error: unknown): UnavailableError {
    const { pending } = this.#outbox
    return new UnavailableError(
      `${pending} of what experiment ${this.#name} logs ${pending === 1 ? 'waits' : 'wait'} still: ${messageOf(error)} Nothing is lost while this program runs: flush() again.`,
      { code: 'not-delivered', fields: { experiment: this.#key, pending }, cause: error },
    )
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
