import type { Access, Role } from './access.ts'
import type { StoreRecords } from './store-records.ts'
import type { StoredKeys } from './stored-keys.ts'

/** A key as it is kept: never the key itself. */
export interface StoredKey {
  /** The first 32 digits of the key's SHA-256: names it in lists and when it is revoked. */
  readonly id: string
  readonly name: string
  readonly roles: ReadonlyMap<string, Role>
  readonly createdAt: number
  readonly revoked: boolean
}

export interface KeysParts {
  readonly records: StoreRecords
  readonly now: () => number
  /** Milliseconds for which a key that was found good is believed. */
  readonly believedFor: number
}

/** Keys and what they may do. Embedded backends have none: what knows them is loaded with the first question. */
export class Keys {
  readonly #parts: KeysParts
  #stored: StoredKeys | undefined

  constructor(parts: KeysParts) {
    this.#parts = parts
  }

  /** Makes a key. It is told here, and never again. */
  async create(name: string, granted: ReadonlyMap<string, Role>): Promise<{ key: string; stored: StoredKey }> {
    return (await this.#load()).create(name, granted)
  }

  async list(): Promise<StoredKey[]> {
    return (await this.#load()).list()
  }

  /** @throws NotFoundError `key-not-found` */
  async revoke(id: string): Promise<StoredKey> {
    return (await this.#load()).revoke(id)
  }

  /**
   * What whoever sent these headers may do.
   *
   * @throws PermissionError `api-key-missing`, `unknown-api-key`
   */
  async accessOf(headers: Headers): Promise<Access> {
    return (this.#stored ?? (await this.#load())).accessOf(headers)
  }

  async #load(): Promise<StoredKeys> {
    const { StoredKeys } = await import('./stored-keys.ts')
    this.#stored ??= new StoredKeys(this.#parts)
    return this.#stored
  }
}
