import type { AssetKind, Encoded, EncodeOptions } from '../codecs/codec.ts'
import { readingValue } from '../codecs/reading-value.ts'
import { TableMemory } from '../codecs/table/table-memory.ts'
import { TableRecall } from '../codecs/table/table-recall.ts'
import { isTidemarkError } from '../errors.ts'
import { Pace } from '../platform/pace.ts'
import { type Timers, timers } from '../platform/timers.ts'
import { ColumnSummaries } from './column-summaries.ts'
import { type Hasher, openHasher } from './hasher.ts'
import { type Held, openHeld, rowsOf } from './source.ts'

/** A table as it was read at one time: later changes do not reach it. */
export interface Snapshot {
  /** Of exactly what is encoded. */
  readonly hash: string
  readonly kind: AssetKind
  /** Names of the columns; undefined for arrays. */
  readonly columns: readonly string[] | undefined
  readonly rows: number
  /** Read without a pause: the table as it was at one moment. Else each part as it was when its turn came. */
  readonly whole: boolean
  encode(options: EncodeOptions): Promise<Encoded>
}

/** A table to look at, as often as one likes. */
export interface Looking {
  /**
   * A hash of all that it holds: equal as long as the version made of it would be.
   *
   * @throws InvalidInputError what is wrong with the source, or with a cell
   */
  look(): Promise<string>
  /** A copy to make a version of: valid until the next is taken. */
  take(): Promise<Snapshot>
}

/** What a look at a table found. */
export interface Seen {
  readonly hash: string
  readonly kind: AssetKind
  readonly columns?: readonly string[]
  readonly rows: number
  readonly encode: (options: EncodeOptions) => Promise<Encoded>
}

export type Steps = Generator<unknown, Seen>

// A table that was edited is likely to be edited again soon, and the memory of its copy is about its own size.
export const memoryKept = 30_000

// Hashing that many numbers takes less than the difference between the hashers.
const fewRows = 100_000

/** Looks at watched tables, in slices. One look at a time. */
export class Snapshots {
  readonly #timers: Timers
  readonly #openHasher: (large: boolean) => Promise<Hasher>
  readonly #hashers = new Map<boolean, Hasher>()
  /** Of the look before. */
  #hasher: Hasher | undefined
  #memory = new TableMemory()
  #recall: TableRecall | undefined
  #letGo: (() => void) | undefined
  // Arrow's tables do not change: what was hashed once need not be again.
  readonly #known = new WeakMap<object, string>()
  readonly #summaries = new ColumnSummaries()

  constructor(options: { timers?: Timers; openHasher?: (large: boolean) => Promise<Hasher> } = {}) {
    this.#timers = options.timers ?? timers
    this.#openHasher = options.openHasher ?? openHasher
  }

  /** A source, for a look and perhaps a copy: a function is called once for both. */
  async open(source: unknown): Promise<Looking> {
    const held = await openHeld(source)
    return {
      look: () => readingValue(() => this.#look(held())),
      take: () => readingValue(() => this.#take(held())),
    }
  }

  async look(source: unknown): Promise<string> {
    return (await this.open(source)).look()
  }

  async take(source: unknown): Promise<Snapshot> {
    return (await this.open(source)).take()
  }

  async #look(held: Held): Promise<string> {
    const known = held.kind === 'frame' ? this.#known.get(held.value) : undefined
    return known ?? (await untilAtRest(async () => this.#pace().run(await this.#steps(held, false)))).hash
  }

  async #take(held: Held): Promise<Snapshot> {
    this.#keepCopies()
    return untilAtRest(async () => {
      const pace = this.#pace()
      const { columns, ...seen } = await pace.run(await this.#steps(held, true))
      return { ...seen, columns, whole: pace.rests === 0 }
    })
  }

  #keepCopies(): void {
    this.#letGo?.()
    this.#letGo = this.#timers.after(memoryKept, () => {
      this.#memory.dropCopies()
      this.#recall = undefined
    })
  }

  #pace(): Pace {
    return new Pace(this.#timers)
  }

  /** What grows large has changed, so that its hash may be of another kind; what is remembered of the other kind is of no use then. */
  async #hasherFor(large: boolean): Promise<Hasher> {
    let hasher = this.#hashers.get(large)
    if (!hasher) {
      hasher = await this.#openHasher(large)
      this.#hashers.set(large, hasher)
    }
    if (hasher !== this.#hasher) {
      this.#hasher = hasher
      this.#memory = new TableMemory()
      this.#recall = undefined
    }
    return hasher
  }

  async #steps(held: Held, keep: boolean): Promise<Steps> {
    const hasher = await this.#hasherFor(rowsOf(held) > fewRows)
    // What reads tables has Arrow behind it: loaded when it is first needed.
    if (held.kind === 'arrays') return (await import('./look-at-arrays.ts')).lookAtArrays(held.value, hasher, keep)
    if (held.kind !== 'frame') {
      this.#recall ??= new TableRecall()
      const about = { keep, memory: this.#memory, recall: this.#recall, summaries: this.#summaries }
      return (await import('./look-at-table.ts')).lookAtTable(held.value, hasher, about)
    }
    return (await import('./look-at-frame.ts')).lookAtFrame(held.value, hasher, this.#known, this.#summaries)
  }
}

// Tables that became shorter while they were read are read again, so often at most in one look.
const readings = 5

async function untilAtRest<Result>(read: () => Promise<Result>): Promise<Result> {
  for (let reading = 1; ; reading++) {
    try {
      return await read()
    } catch (error) {
      if (reading === readings || !isTidemarkError(error) || error.code !== 'table-changing') throw error
    }
  }
}
