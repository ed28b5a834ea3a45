import { ConflictError } from '../errors.ts'
import { eachOf } from './each-of.ts'
import { type Addition, Ledger, type LedgerKind } from './ledger.ts'
import { bySeries, encodeBlock, joinPoints, type Points, seriesKey } from './metric-block.ts'
import { applyToRun } from './run-events.ts'
import { runFromHead, runObjectsToJson, runToJson } from './run-head.ts'
import { GoneError, RunObjects } from './run-objects.ts'
import { emptyRun, type Line, type RunEvent, type RunState } from './run-state.ts'
import type { StoreRecords } from './store-records.ts'

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

interface Open {
  readonly ledger: Ledger<RunState, RunItem>
  readonly objects: RunObjects
}

// A few kilobytes each for most experiments. Those that are being written to are asked for again and again, and stay.
const heldOpen = 256

// Merging takes longer than reading: a reader that is overtaken so often is not.
const mostAttempts = 20

/** What experiments log: metrics, parameters, others, tags, texts, lines of output, files. */
export class Runs {
  readonly #parts: RunsParts
  readonly #open = new Map<string, Open>()

  constructor(parts: RunsParts) {
    this.#parts = parts
  }

  /** Resolves when it is durable. */
  async append(experiment: string, addition: Addition<RunState, RunItem>): Promise<void> {
    await this.#of(experiment).ledger.append(addition)
  }

  /** For what needs no decision. */
  async add(experiment: string, events: readonly RunEvent[], points: readonly Points[] = []): Promise<void> {
    const item = { events, points }
    await this.append(experiment, { decide: () => item, bytes: bytesOf(item) })
  }

  /** The live state: take what is needed before waiting for anything. */
  read(experiment: string): Promise<RunState> {
    return this.#of(experiment).ledger.read()
  }

  /** All points of some series, chosen by what there is. */
  points(
    experiment: string,
    choose: (state: RunState) => readonly string[],
  ): Promise<{ state: RunState; points: Points[] }> {
    return this.#settled(experiment, async ({ objects }, state) => {
      const { runs, tail } = state
      const keys = choose(state)
      const points = await eachOf(keys, async (key) => {
        const older = await objects.series(runs, key)
        const newer = tail.flatMap((piece) => piece.points.filter((one) => seriesKey(one) === key))
        const all = [...older, ...newer]
        return all.length > 0 ? joinPoints(all) : undefined
      })
      return { state, points: points.filter((one) => one !== undefined) }
    })
  }

  /** The lines of a program's output, each offset once, in order. */
  lines(experiment: string): Promise<Line[]> {
    return this.#settled(experiment, async ({ objects }, { runs, tail }) => {
      const all = [...(await objects.lines(runs)), ...tail.flatMap(({ lines }) => lines)]
      const once = new Map(all.map((line) => [`${line.stderr} ${line.offset} ${line.context ?? ''}`, line]))
      return [...once.values()].sort((a, b) => a.offset - b.offset || Number(a.stderr) - Number(b.stderr))
    })
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

  async #settled<T>(experiment: string, read: (open: Open, state: RunState) => Promise<T>): Promise<T> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const open = this.#of(experiment)
      const state = await open.ledger.read()
      try {
        return await read(open, state)
      } catch (error) {
        if (!(error instanceof GoneError)) throw error
        open.ledger.forget()
      }
    }
    throw new ConflictError(
      `What experiment ${experiment} logged is being rearranged all the time. Try again; if it stays so, restore ${baseOf(experiment)}/m from a copy of the store.`,
      { code: 'too-busy', fields: { experiment } },
    )
  }

  #of(experiment: string): Open {
    const known = this.#open.get(experiment)
    if (known) {
      this.#open.delete(experiment)
      this.#open.set(experiment, known)
      return known
    }
    const { records, randomId, background } = this.#parts
    const base = baseOf(experiment)
    const objects = new RunObjects({ records, base, randomId })
    const ledger = new Ledger({ records, base, kind: runKind(objects), background, randomId })
    const open = { ledger, objects }
    this.#open.set(experiment, open)
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= heldOpen) break
      this.#open.delete(oldest)
    }
    return open
  }
}

/** About what an item takes in an entry. */
export function bytesOf({ events, points }: RunItem): number {
  let bytes = 0
  for (const event of events) for (const part of event) bytes += typeof part === 'string' ? part.length * 2 + 8 : 16
  return bytes + points.reduce((sum, { name, values }) => sum + name.length * 2 + 32 + values.length * 32, 0)
}

function baseOf(experiment: string): string {
  return `runs/${experiment}`
}

function runKind(objects: RunObjects): LedgerKind<RunState, RunItem> {
  return {
    empty: emptyRun,
    fromHead: runFromHead,
    toEntry(items) {
      const events = items.flatMap(({ events }) => events)
      const series = bySeries(items.flatMap(({ points }) => points))
      const { block, bytes } = encodeBlock([...series.values()].map(joinPoints))
      return { json: { events, block }, attachment: bytes }
    },
    apply: applyToRun,
    async fold(state) {
      const json = runToJson(state)
      const { tail, runs: before } = state
      const { runs, added, replaced } = await objects.add(before, tail)
      return {
        json: { ...json, runs: runObjectsToJson(runs) },
        done() {
          state.runs = runs
          // Pieces that came meanwhile are behind those.
          state.tail = state.tail.slice(tail.length)
        },
        after: () => objects.delete(replaced),
        dropped: () => objects.delete(added),
      }
    },
  }
}
