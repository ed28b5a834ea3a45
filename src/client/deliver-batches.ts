import { AbortedError, ConflictError, InvalidInputError, isTidemarkError, UnsupportedError } from '../errors.ts'
import type { LogReply } from '../protocol/log.ts'
import { routes } from '../protocol/routes.ts'
import type { CapabilitiesReply } from '../protocol/shapes.ts'
import type { Api } from './api.ts'
import { toLogRequest } from './log-batch.ts'
import { type BatchEntry, isBatchEntry, type LogEntry, sizeOfEntry } from './log-entry.ts'
import type { Delivery, Report } from './outbox.ts'
import { randomId } from './random-id.ts'

/** True when the same entry can never be taken: sent again it would be refused again. A key can be corrected, a server come back: those stay. */
export function isFinal(error: unknown): boolean {
  return (
    error instanceof InvalidInputError ||
    error instanceof ConflictError ||
    error instanceof UnsupportedError ||
    // What is sent has no signal but that of the connection, which is over.
    error instanceof AbortedError ||
    // Closing waits for what was logged before it.
    (isTidemarkError(error) && (error.code === 'experiment-not-found' || error.code === 'connection-closed'))
  )
}

type Limits = Required<Pick<CapabilitiesReply, 'largestBatch' | 'largestBatchBytes'>>

/** Sends what an experiment logs in batches, each of which counts once however often it is sent. */
export class BatchDelivery implements Delivery<LogEntry> {
  readonly #api: Api
  readonly #key: string
  readonly #limits: Limits
  #writer = randomId()
  #sequence = 1

  constructor(api: Api, key: string, limits: Limits) {
    this.#api = api
    this.#key = key
    this.#limits = limits
  }

  take(entries: readonly LogEntry[]): number {
    if (!isBatchEntry(entries[0])) return 1
    // Escaped and in UTF-8, JSON may be thrice as long as the text.
    const most = this.#limits.largestBatchBytes / 3
    let [count, bytes, items] = [0, 0, 0]
    for (const entry of entries) {
      if (!isBatchEntry(entry)) break
      bytes += sizeOfEntry(entry)
      items += entry.kind === 'tags' ? entry.tags.length + 1 : 1
      if (count > 0 && (items > this.#limits.largestBatch || bytes > most)) break
      count++
    }
    return count
  }

  async send(entries: readonly LogEntry[], report: Report<LogEntry>): Promise<void> {
    const batch = entries.filter(isBatchEntry)
    if (batch.length > 0) await this.#batch(batch, report)
    else for (const entry of entries) await sendCall(this.#api, entry, report)
  }

  /** A batch is taken or refused as a whole: halves of a refused one are tried until it is known which entry is to blame. */
  async #batch(entries: readonly BatchEntry[], report: Report<LogEntry>): Promise<void> {
    try {
      await this.#post(entries)
      this.#sequence++
      report.done(entries)
    } catch (error) {
      if (!isFinal(error)) throw error
      if (!(error instanceof InvalidInputError) || entries.length === 1) {
        report.refused(entries, error)
        return
      }
      const half = entries.length >> 1
      await this.#batch(entries.slice(0, half), report)
      await this.#batch(entries.slice(half), report)
    }
  }

  async #post(entries: readonly BatchEntry[]): Promise<void> {
    const post = () =>
      this.#api.json<LogReply>('POST', routes.log(this.#key), {
        body: toLogRequest(this.#writer, this.#sequence, entries),
      })
    try {
      await post()
    } catch (error) {
      if (!isTidemarkError(error) || error.code !== 'sequence-gap') throw error
      // The server was restored from an older copy, and has never heard of this writer: another begins.
      this.#writer = randomId()
      this.#sequence = 1
      await post()
    }
  }
}

/** One request that stands for itself. */
export async function sendCall(api: Api, entry: LogEntry, report: Report<LogEntry>): Promise<void> {
  if (entry.kind !== 'call') return
  try {
    await entry.send(api)
    report.done([entry])
  } catch (error) {
    if (!isFinal(error)) throw error
    report.refused([entry], error)
  }
}
