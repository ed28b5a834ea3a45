import { eachOf } from '../each-of.ts'
import { RecentlyUsed } from '../recently-used.ts'
import type { StoreRecords } from '../store-records.ts'
import { type Addition, Ledger, type LedgerKind } from './ledger.ts'
import { readEntry } from './run-events.ts'
import type { RunObjectsParts } from './run-objects.ts'
import { emptyRun, type RunEvent, type RunState } from './run-state.ts'
import type { Points } from './series.ts'

/** What one request adds to an experiment. */
export interface RunItem {
  readonly events: readonly RunEvent[]
  readonly points: readonly Points[]
}

export interface RunsParts {
  readonly records: StoreRecords
  readonly randomId: () => string
  readonly background: (work: Promise<void>) => void
}

type RunLedger = Ledger<RunState, RunItem>

// A few kilobytes each for most experiments. Those that are being written to are asked for again and again, and stay.
const heldOpen = 256

/** What experiments log: metrics, parameters, others, tags, texts, lines of output, files. */
export class Runs {
  readonly #parts: RunsParts
  readonly #open = new RecentlyUsed<RunLedger>(heldOpen)

  constructor(parts: RunsParts) {
    this.#parts = parts
  }

  /** Resolves when it is durable. */
  async append(experiment: string, addition: Addition<RunState, RunItem>): Promise<void> {
    await this.#of(experiment).append(addition)
  }

  /** For what needs no decision. */
  async add(experiment: string, events: readonly RunEvent[], points: readonly Points[] = []): Promise<void> {
    const item = { events, points }
    await this.append(experiment, { decide: () => item, bytes: bytesOf(item) })
  }

  /** The live state: take what is needed before waiting for anything. */
  read(experiment: string): Promise<RunState> {
    return this.#of(experiment).read()
  }

  /** Forgets what is held in memory: something it refers to has gone. */
  forget(experiment: string): void {
    this.#of(experiment).forget()
  }

  /** Removes everything of a deleted experiment. */
  async delete(experiment: string): Promise<void> {
    this.#open.delete(experiment)
    const { store } = this.#parts.records
    for (let more = true; more; ) {
      const page = await store.list(`${baseOf(experiment)}/`)
      await eachOf(page.entries, ({ key }) => store.delete(key))
      more = page.next !== undefined
    }
  }

  #of(experiment: string): RunLedger {
    const known = this.#open.get(experiment)
    if (known) return known
    const { records, randomId, background } = this.#parts
    const base = baseOf(experiment)
    const kind = runKind({ records, base, randomId })
    return this.#open.set(experiment, new Ledger({ records, base, kind, background, randomId }))
  }
}

/** About what an item takes in an entry. */
export function bytesOf({ events, points }: RunItem): number {
  let bytes = 0
  for (const event of events) for (const part of event) bytes += typeof part === 'string' ? part.length * 2 + 8 : 16
  return bytes + points.reduce((sum, { name, values }) => sum + name.length * 2 + 32 + values.length * 32, 0)
}

/** Where what it logged is kept. */
export function baseOf(experiment: string): string {
  return `runs/${experiment}`
}

function runKind(parts: RunObjectsParts): LedgerKind<RunState, RunItem> {
  return {
    empty: emptyRun,
    async fromHead(shape) {
      const { runFromHead } = await import('./run-head.ts')
      return runFromHead(shape)
    },
    async toEntry(items) {
      const events = items.flatMap((item) => item.events)
      const points = items.flatMap((item) => item.points)
      if (points.length === 0) return { json: { events, block: [] } }
      const { encodePoints } = await import('./run-logged.ts')
      const { block, bytes } = encodePoints(points)
      return { json: { events, block }, attachment: bytes }
    },
    read: readEntry,
    async folding() {
      const { foldRun } = await import('./run-head.ts')
      return (state) => foldRun(state, parts)
    },
  }
}
