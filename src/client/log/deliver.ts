import { AbortedError, ConflictError, InvalidInputError, isTidemarkError, UnsupportedError } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { type BatchEntry, isBatchEntry, type LogEntry } from './log-entry.ts'
import type { Delivery, Report } from './outbox.ts'

/**
 * How what an experiment logs leaves. What is a request of its own is sent as that; the rest in batches where the server takes them, else one by one: known, and loaded, when the first of it
 * is sent.
 */
export class RunDelivery implements Delivery<LogEntry> {
  readonly #connection: Connection
  readonly #key: string
  #together: Delivery<BatchEntry> | undefined

  constructor(connection: Connection, key: string) {
    this.#connection = connection
    this.#key = key
  }

  async take(entries: readonly LogEntry[]): Promise<number> {
    const call = entries.findIndex((entry) => !isBatchEntry(entry))
    if (call === 0) return 1
    const together = await this.#choose()
    return together.take((call === -1 ? entries : entries.slice(0, call)).filter(isBatchEntry))
  }

  async send(entries: readonly LogEntry[], report: Report<LogEntry>): Promise<void> {
    const [first] = entries
    if (isBatchEntry(first)) {
      const together = await this.#choose()
      return together.send(entries.filter(isBatchEntry), report)
    }
    try {
      await first.send(this.#connection.api)
      report.done([first])
    } catch (error) {
      if (!isFinal(error)) throw error
      report.refused([first], error)
    }
  }

  async #choose(): Promise<Delivery<BatchEntry>> {
    this.#together ??= await openDelivery(this.#connection, this.#key)
    return this.#together
  }
}

async function openDelivery({ api, server }: Connection, key: string): Promise<Delivery<BatchEntry>> {
  const { largestBatch, largestBatchBytes } = (await server.capabilities()) ?? {}
  if (largestBatch !== undefined && largestBatchBytes !== undefined) {
    const { BatchDelivery } = await import('./deliver-batches.ts')
    return new BatchDelivery(api, key, { largestBatch, largestBatchBytes })
  }
  const { SingleDelivery } = await import('./deliver-singly.ts')
  return new SingleDelivery(api, key)
}

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
