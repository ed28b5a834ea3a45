import type { EncodeOptions, Json } from '../codecs/codec.ts'

/** What was found about each column when a version was last made: most edits touch one column, and leave the others' summaries as they were. */
export class ColumnSummaries {
  readonly #known = new Map<string, { readonly hash: string; readonly summary: Json }>()

  /** Of the columns with these hashes, by name. */
  of(hashes: ReadonlyMap<string, string>): NonNullable<EncodeOptions['summaries']> {
    for (const name of this.#known.keys()) if (!hashes.has(name)) this.#known.delete(name)
    return {
      get: (name) => {
        const known = this.#known.get(name)
        return known && known.hash === hashes.get(name) ? known.summary : undefined
      },
      set: (name, summary) => {
        this.#known.set(name, { hash: hashes.get(name) ?? '', summary })
      },
    }
  }
}
