import { keys } from './artifacts/artifact-records.ts'
import type { MigrationParts } from './migrate.ts'

const mark = 'format/experiments'

/** Where stores of 0.1.0 had what is brought up to date. */
const contents = ['experiments/', 'inputs/', keys.artifacts]

/** Stores of 0.1.0 knew no lists of projects, and lineage from one side only: brought up to date once, when such a store is first listed. */
export class Migration {
  readonly #parts: MigrationParts
  #done: Promise<void> | undefined

  constructor(parts: MigrationParts) {
    this.#parts = parts
  }

  ensure(): Promise<void> {
    this.#done ??= this.#run().catch((error: unknown) => {
      this.#done = undefined
      throw error
    })
    return this.#done
  }

  async #run(): Promise<void> {
    const { records } = this.#parts
    if (await records.read(mark, mark)) return
    const found = await Promise.all(contents.map((prefix) => records.store.list(prefix, { limit: 1 })))
    if (found.some(({ entries }) => entries.length > 0)) {
      const { migrate } = await import('./migrate.ts')
      await migrate(this.#parts)
    }
    await records.create(mark, { format: 1 })
  }
}
