import { seal, unseal } from '../../content/sealed.ts'
import type { Services } from '../services.ts'
import { recordShape } from '../shape.ts'
import type { StoreRecords } from '../store-records.ts'
import type { Experiment } from './experiments.ts'

export interface Health {
  readonly running: boolean
  /** It stopped saying that it lives, and never said that it ended. */
  readonly crashed: boolean
  readonly lastSeen: number | null
}

/** What clients are told to wait between two signs of life; Comet's own figure. */
export const beatInterval = 10_000

// Three are missed before anybody is taken for dead.
const deadAfter = 3 * beatInterval + 5000

// Whoever never gave a sign of life cannot be seen to stop; after a day nobody believes it.
const believedFor = 24 * 60 * 60 * 1000

/** Signs of life of experiments, one small object each, overwritten: the newest is all that counts. */
export class Heartbeats {
  readonly #records: StoreRecords
  readonly #now: () => number

  constructor({ records, options }: Pick<Services, 'records' | 'options'>) {
    this.#records = records
    this.#now = options.now
  }

  async beat(key: string): Promise<void> {
    await this.#records.store.put(keyOf(key), await seal({ key, at: this.#now() }))
  }

  async forget(key: string): Promise<void> {
    await this.#records.store.delete(keyOf(key))
  }

  async healthOf({ key, state, createdAt, endTime, crashed = false }: Experiment): Promise<Health> {
    const lastSeen = await this.#lastSeen(key)
    if (state === 'ended') return { running: false, crashed, lastSeen }
    const now = this.#now()
    if (lastSeen === null) return { running: now - createdAt < believedFor, crashed: false, lastSeen }
    const running = now - lastSeen < deadAfter
    return { running, crashed: !running && endTime === null, lastSeen }
  }

  async #lastSeen(key: string): Promise<number | null> {
    const stored = await this.#records.store.get(keyOf(key))
    if (!stored) return null
    const what = `The last sign of life of experiment ${key}`
    return recordShape((await unseal(stored.bytes, what)).json, what).count('at')
  }
}

function keyOf(key: string): string {
  return `beats/${key}`
}
