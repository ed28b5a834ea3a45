import type { JsonValue } from '../../protocol/shapes.ts'
import { recordShape } from '../shape.ts'
import type { StoreRecords } from '../store-records.ts'

/** What a collection is about to delete: packs, and small packs of deleted versions by their names in references. Between collections the list is empty. */
export interface CondemnedList {
  /** Names the collection that wrote it; changes with each. Empty when there never was one. */
  readonly run: string
  /** When it was last written, in milliseconds since 1970. */
  readonly at: number
  readonly packs: ReadonlySet<string>
  readonly etag: string | undefined
}

const key = 'gc/condemned'

/**
 * The record through which collections and commits see each other, without a lock. A collection writes the packs it found unreachable here, then looks
 * at the records again, and deletes only what is still unreachable. A commit creates its record, then looks here.
 *
 * Why nothing needed is deleted: with a store whose reads see every finished write, either the record was created before the collection's second
 * look - then that look finds it and its packs stay - or after, and so after this list was written: then the commit reads the list, or finds that
 * a collection ended meanwhile and makes sure that its packs are still there. It then takes its record back, unless all it needs is safe. One that dies before that
 * is looked after when it is sent again (commit-again.ts), or by the collection's last look. A list
 * left behind by a crash makes clients send again what is on it, nothing worse; the next collection replaces it.
 *
 * The name of a pack can come back - the same content is logged again - while its deletion is under way, and a deletion cannot be made conditional. So
 * what comes back is stored under a key that was never used (see packs.ts), and a key on this list is never written again until the list is empty.
 */
export class Condemned {
  readonly #records: StoreRecords

  constructor(records: StoreRecords) {
    this.#records = records
  }

  async read(): Promise<CondemnedList> {
    const what = 'The list of packs being deleted'
    const held = await this.#records.read(key, what)
    if (!held) return { run: '', at: 0, packs: new Set(), etag: undefined }
    const shape = recordShape(held.json, what)
    return { run: shape.text('run'), at: shape.count('at'), packs: new Set(shape.texts('packs')), etag: held.etag }
  }

  /** Replaces the list that was read; `false` when another collection was faster. */
  write(read: CondemnedList, run: string, at: number, packs: Iterable<string>): Promise<boolean> {
    const json: JsonValue = { run, at, packs: [...packs] }
    return this.#records.swap(key, read.etag === undefined ? undefined : { etag: read.etag }, json)
  }
}
