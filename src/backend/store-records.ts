import { seal, unseal } from '../content/sealed.ts'
import { isTidemarkError } from '../errors.ts'
import type { JsonValue } from '../protocol/shapes.ts'
import type { Store } from '../stores/store.ts'

/** A record as it was read: what is needed to replace it, and nothing else. */
export interface StoredRecord {
  readonly json: JsonValue
  /** The bytes beside the JSON: the small pack of a version. Empty when there are none. */
  readonly attachment: Uint8Array
  readonly etag: string
}

/** Sealed records in a store, with conditional writes that answer `false` when somebody else was faster. */
export class StoreRecords {
  readonly store: Store

  constructor(store: Store) {
    this.store = store
  }

  async read(key: string, what: string): Promise<StoredRecord | undefined> {
    const stored = await this.store.get(key)
    return stored && { ...(await unseal(stored.bytes, what)), etag: stored.etag }
  }

  /** Creates the record; `false`, with nothing changed, when there is one. */
  async create(key: string, json: JsonValue, attachment?: Uint8Array): Promise<boolean> {
    const bytes = await seal(json, attachment)
    return succeeds(this.store.put(key, bytes, { ifAbsent: true }))
  }

  /** Replaces the record that was read; `false`, with nothing changed, when it is another one by now. `undefined`: there was none. */
  async swap(
    key: string,
    read: { etag: string } | undefined,
    json: JsonValue,
    attachment?: Uint8Array,
  ): Promise<boolean> {
    if (!read) return this.create(key, json, attachment)
    const bytes = await seal(json, attachment)
    return succeeds(this.store.put(key, bytes, { ifMatch: read.etag }))
  }
}

async function succeeds(put: Promise<unknown>): Promise<boolean> {
  try {
    await put
    return true
  } catch (error) {
    if (isTidemarkError(error) && error.code === 'store-conflict') return false
    throw error
  }
}
