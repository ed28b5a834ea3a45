import { InvalidInputError, isTidemarkError } from '../../errors.ts'
import type { LogReply } from '../../protocol/log.ts'
import { routes } from '../../protocol/routes.ts'
import type { CapabilitiesReply } from '../../protocol/shapes.ts'
import type { Api } from '../api.ts'
import { randomId } from '../random-id.ts'
import { isFinal } from './deliver.ts'
import { toLogRequest } from './log-batch.ts'
import { type BatchEntry, sizeOfEntry } from './log-entry.ts'
import type { Delivery, Report } from './outbox.ts'

type Limits = Required<Pick<CapabilitiesReply, 'largestBatch' | 'largestBatchBytes'>>

/** Sends what an experiment logs in batches, each of which counts once however often it is sent. */
export class BatchDelivery implements Delivery<BatchEntry> {
  readonly #api: Api
  readonly #key: string
  readonly #limits: Limits
  #writer = randomId()
  #sequence = 1
  /**
   * How many entries, from the first, were sent under this number and are not known to be there: the same ones go again. What was added since would be taken for a repetition with
   * them.
   */
  #doubtful = 0

  constructor(api: Api, key: string, limits: Limits) {
    this.#api = api
    this.#key = key
    this.#limits = limits
  }

  take(entries: readonly BatchEntry[]): number {
    if (this.#doubtful > 0) return this.#doubtful
    // Escaped and in UTF-8, JSON may be thrice as long as the text.
    const most = this.#limits.largestBatchBytes / 3
    let [count, bytes, items] = [0, 0, 0]
    for (const entry of entries) {
      bytes += sizeOfEntry(entry)
      items += entry.kind === 'tags' ? entry.tags.length + 1 : 1
      if (count > 0 && (items > this.#limits.largestBatch || bytes > most)) break
      count++
    }
    return count
  }

  /** A batch is taken or refused as a whole: halves of a refused one are tried until it is known which entry is to blame. */
  async send(entries: readonly BatchEntry[], report: Report<BatchEntry>): Promise<void> {
    this.#doubtful = entries.length
    try {
      await this.#post(entries)
      this.#doubtful = 0
      this.#sequence++
      report.done(entries)
    } catch (error) {
      if (!isFinal(error)) throw error
      this.#doubtful = 0
      if (!(error instanceof InvalidInputError) || entries.length === 1) {
        report.refused(entries, error)
        return
      }
      const half = entries.length >> 1
      await this.send(entries.slice(0, half), report)
      await this.send(entries.slice(half), report)
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
