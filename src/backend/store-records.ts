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
  /** Bytes of the stored form. */
  readonly size: number
}

/** Sealed records in a store, with conditional writes that answer `false` when somebody else was faster. */
export class StoreRecords {
  readonly store: Store

  constructor(store: Store) {
    this.store = store
  }

  async read(key: string, what: string): Promise<StoredRecord | undefined> {
    const stored = await this.store.get(key)
    return stored && { ...(await unseal(stored.bytes, what)), etag: stored.etag, size: stored.size }
  }

  /** Creates the record; `false`, with nothing changed, when there is one. */
  async create(key: string, json: JsonValue, attachment?: Uint8Array): Promise<boolean> {
    return (await this.exchange(key, undefined, json, attachment)) !== undefined
  }

  /** Replaces the record that was read; `false`, with nothing changed, when it is another one by now. `undefined`: there was none. */
  async swap(
    key: string,
    read: { etag: string } | undefined,
    json: JsonValue,
    attachment?: Uint8Array,
  ): Promise<boolean> {
    return (await this.exchange(key, read, json, attachment)) !== undefined
  }

  /** The same, telling what is needed to replace it again; `undefined` when it is another one by now. */
  async exchange(
    key: string,
    read: { etag: string } | undefined,
    json: JsonValue,
    attachment?: Uint8Array,
  ): Promise<{ etag: string; size: number } | undefined> {
    const bytes = await seal(json, attachment)
    try {
      const { etag } = await this.store.put(key, bytes, read ? { ifMatch: read.etag } : { ifAbsent: true })
      return { etag, size: bytes.length }
    } catch (error) {
      if (isTidemarkError(error) && error.code === 'store-conflict') return undefined
      throw error
    }
  }
}
