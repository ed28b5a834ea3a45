import { openDigester } from '../content/digest.ts'
import { InvalidInputError, NotFoundError, PermissionError } from '../errors.ts'
import { checkName } from '../paths.ts'
import { SharedRuns } from '../platform/shared-runs.ts'
import { Access, everywhere, type Role, roles } from './access.ts'
import { eachOf } from './each-of.ts'
import type { KeysParts, StoredKey } from './keys.ts'
import { RecentlyUsed } from './recently-used.ts'
import { recordShape } from './shape.ts'
import type { StoreRecords } from './store-records.ts'

interface HeldKey {
  readonly stored: StoredKey
  readonly hash: string
  readonly etag: string
}

const prefix = 'keys/'
const idDigits = 32

// 256 bits cannot be guessed, so a plain digest of them hides them.
const secretBytes = 32

const mostRemembered = 1000

/** The records of keys, and which of them were looked at lately. */
export class StoredKeys {
  readonly #records: StoreRecords
  readonly #now: () => number
  readonly #believedFor: number
  readonly #recent = new RecentlyUsed<{ roles: ReadonlyMap<string, Role>; until: number }>(mostRemembered)
  // Many requests at once cost one look, which began after each of them came: a key that was revoked before is refused.
  readonly #looks = new SharedRuns<HeldKey | undefined>()

  constructor({ records, now, believedFor }: KeysParts) {
    this.#records = records
    this.#now = now
    this.#believedFor = believedFor
  }

  /** Makes a key. It is told here, and never again. */
  async create(name: string, granted: ReadonlyMap<string, Role>): Promise<{ key: string; stored: StoredKey }> {
    if (granted.size === 0)
      throw new InvalidInputError('A key needs a role in some workspace.', { code: 'invalid-role' })
    for (const workspace of granted.keys()) if (workspace !== everywhere) checkName(workspace, 'workspace')
    const key = toText(crypto.getRandomValues(new Uint8Array(secretBytes)))
    const hash = await hashOf(key)
    const stored = { id: hash.slice(0, idDigits), name, roles: granted, createdAt: this.#now(), revoked: false }
    const json = { hash, name, roles: [...granted], createdAt: stored.createdAt, revoked: false }
    await this.#records.create(`${prefix}${stored.id}`, json)
    return { key, stored }
  }

  async list(): Promise<StoredKey[]> {
    const keys: StoredKey[] = []
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await this.#records.store.list(prefix, after === undefined ? {} : { after })
      const read = await eachOf(page.entries, ({ key }) => this.#read(key.slice(prefix.length)))
      for (const one of read) if (one) keys.push(one.stored)
      after = page.next
    }
    return keys.sort((a, b) => a.createdAt - b.createdAt)
  }

  /** @throws NotFoundError `key-not-found` */
  async revoke(id: string): Promise<StoredKey> {
    for (;;) {
      const held = /^[0-9a-f]{32}$/.test(id) ? await this.#read(id) : undefined
      if (!held)
        throw new NotFoundError(`No key ${id}. See which there are: tidemark key list.`, { code: 'key-not-found' })
      const { stored, etag, hash } = held
      const { name, createdAt } = stored
      const json = { hash, name, roles: [...stored.roles], createdAt, revoked: true }
      if (!(await this.#records.swap(`${prefix}${id}`, { etag }, json))) continue
      this.#recent.clear()
      return { ...stored, revoked: true }
    }
  }

  /**
   * What whoever sent these headers may do.
   *
   * @throws PermissionError `api-key-missing`, `unknown-api-key`
   */
  async accessOf(headers: Headers): Promise<Access> {
    const key = keyIn(headers)
    if (key === undefined)
      throw new PermissionError('This server wants a key: send it as Authorization. tidemark key create makes one.', {
        code: 'api-key-missing',
      })
    const hash = await hashOf(key)
    const recent = this.#recent.get(hash)
    if (recent && recent.until > this.#now()) return new Access(recent.roles)
    const id = hash.slice(0, idDigits)
    const held = await this.#looks.run(id, () => this.#read(id))
    if (!held || held.stored.revoked || !isSame(held.hash, hash))
      throw new PermissionError('This key is not known here, or was revoked. Ask an owner for another.', {
        code: 'unknown-api-key',
      })
    if (this.#believedFor > 0)
      this.#recent.set(hash, { roles: held.stored.roles, until: this.#now() + this.#believedFor })
    return new Access(held.stored.roles)
  }

  async #read(id: string): Promise<HeldKey | undefined> {
    const what = `The record of key ${id}`
    const held = await this.#records.read(`${prefix}${id}`, what)
    if (!held) return undefined
    const shape = recordShape(held.json, what)
    const granted = new Map<string, Role>()
    for (const one of shape.list('roles')) {
      const [workspace, role] = Array.isArray(one) ? one : []
      const known = roles.find((each) => each === role)
      if (typeof workspace !== 'string' || !known) throw shape.refuse("'roles' are not what they should be")
      granted.set(workspace, known)
    }
    const stored = {
      id,
      name: shape.text('name'),
      roles: granted,
      createdAt: shape.count('createdAt'),
      revoked: shape.optionalFlag('revoked') ?? false,
    }
    return { stored, hash: shape.text('hash'), etag: held.etag }
  }
}

/** Bare, as Comet's clients send it; after `Bearer`, as others do; or where Comet's Java client puts it. */
function keyIn(headers: Headers): string | undefined {
  const given = headers.get('authorization') ?? headers.get('comet-sdk-api')
  const key = given?.trim().replace(/^bearer\s+/i, '')
  return key && key.length <= 512 ? key : undefined
}

async function hashOf(key: string): Promise<string> {
  return (await openDigester()).hex(new TextEncoder().encode(key))
}

/** Takes as long whatever differs. Both are digests of one length. */
function isSame(one: string, other: string): boolean {
  let difference = one.length ^ other.length
  for (let at = 0; at < one.length; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at)
  return difference === 0
}

// Letters and digits alone: a key is pasted into YAML, shells and headers.
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

function toText(bytes: Uint8Array): string {
  let number = 0n
  for (const byte of bytes) number = (number << 8n) | BigInt(byte)
  let text = ''
  for (let digit = 0; digit < 43; digit++) {
    text = alphabet[Number(number % 62n)] + text
    number /= 62n
  }
  return text
}
