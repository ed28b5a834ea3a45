import { CorruptionError, isTidemarkError, NotFoundError } from '../../errors.ts'
import type { PutOptions, Store } from '../../stores/store.ts'
import { pause } from '../pause.ts'
import type { Services } from '../services.ts'
import type { Condemned } from './condemned.ts'
import { type Forward, Forwards } from './forwards.ts'

/** Bytes of a pack, and how long the whole pack is. */
export interface PackBytes {
  readonly bytes: Uint8Array
  readonly size: number
}

export const packsPrefix = 'packs/'

/** `~` and the name of a collection follow when the pack came back, or was made smaller, during it: such a key is never used twice. */
export function packKey(pack: string, to = ''): string {
  return `${packsPrefix}${pack.slice(0, 2)}/${pack}${to && `~${to}`}`
}

/** The pack objects. A pack is found under its own key, else where its forwarding record says. */
export class Packs {
  readonly #blobs: Store
  readonly #condemned: Condemned
  readonly forwards: Forwards

  constructor({ records, condemned, options }: Pick<Services, 'records' | 'condemned' | 'options'>) {
    this.#blobs = options.blobs
    this.#condemned = condemned
    this.forwards = new Forwards(records)
  }

  /** The bytes from `start` up to `end`, clamped to the pack. Bytes that nothing needs any more may be zeros: no reference leads to them. */
  async read(pack: string, start = 0, end?: number, signal?: AbortSignal): Promise<PackBytes> {
    const range = { start, ...(end !== undefined && { end }) }
    const stored = await this.#blobs.get(packKey(pack), { range, signal })
    if (stored) return { bytes: stored.bytes, size: stored.size }
    for (let last: Forward | undefined; ; ) {
      const forward = await this.forwards.read(pack)
      // Unchanged since it led nowhere: it is not only that the pack was moved again meanwhile.
      if (!forward?.to || forward.etag === last?.etag) throw missing(pack)
      const bytes = await this.#readMoved(pack, forward, start, Math.min(end ?? forward.size, forward.size), signal)
      if (bytes) return { bytes, size: forward.size }
      last = forward
    }
  }

  /** True when all of the pack is stored under a key that is not on the list. */
  async isSafe(pack: string, condemned: ReadonlySet<string>): Promise<boolean> {
    if (!condemned.has(pack) && (await this.#has(packKey(pack)))) return true
    const forward = await this.forwards.read(pack)
    if (!forward?.to || forward.ranges || condemned.has(`${pack}~${forward.to}`)) return false
    return this.#has(packKey(pack, forward.to))
  }

  /** True when what begins at each of these offsets is stored. */
  async holds(pack: string, offsets: ReadonlySet<number>): Promise<boolean> {
    if (await this.#has(packKey(pack))) return true
    const forward = await this.forwards.read(pack)
    if (!forward?.to || !(await this.#has(packKey(pack, forward.to)))) return false
    const starts = new Set(forward.ranges?.map(({ start }) => start))
    return forward.ranges === null || [...offsets].every((offset) => starts.has(offset))
  }

  /** Stores a checked pack; one that is there already is left as it is, unless it is about to be deleted. */
  async put(pack: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#create(packKey(pack), bytes, { signal })
    const list = await this.#condemned.read()
    if (!list.packs.has(pack)) return
    await this.#create(packKey(pack, list.run), bytes, { signal })
    for (let attempt = 0; ; attempt++) {
      const forward = await this.forwards.read(pack)
      if (forward?.to === list.run && forward.ranges === null) return
      if (await this.forwards.write(pack, forward, list.run, bytes.length, null)) return
      await pause(attempt, () => missing(pack))
    }
  }

  async #readMoved(
    pack: string,
    forward: Forward,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const key = packKey(pack, forward.to)
    const length = Math.max(0, end - start)
    if (!forward.ranges) return (await this.#blobs.get(key, { range: { start, end: start + length }, signal }))?.bytes
    const wanted = forward.ranges.filter((range) => range.start < end && range.start + range.length > start)
    const from = wanted.at(0)
    const to = wanted.at(-1)
    if (!from || !to) return new Uint8Array(length)
    // The ranges keep their order when they are moved: one read holds all of them.
    const stored = await this.#blobs.get(key, { range: { start: from.at, end: to.at + to.length }, signal })
    if (!stored) return undefined
    if (stored.bytes.length !== to.at + to.length - from.at) throw tooShort(pack)
    const bytes = new Uint8Array(length)
    for (const range of wanted) {
      const first = Math.max(range.start, start)
      const last = Math.min(range.start + range.length, end)
      const at = range.at - from.at + (first - range.start)
      bytes.set(stored.bytes.subarray(at, at + last - first), first - start)
    }
    return bytes
  }

  async #has(key: string): Promise<boolean> {
    return (await this.#blobs.get(key, { range: { start: 0, end: 0 } })) !== undefined
  }

  async #create(key: string, bytes: Uint8Array, options: PutOptions): Promise<void> {
    try {
      await this.#blobs.put(key, bytes, { ...options, ifAbsent: true })
    } catch (error) {
      if (!isTidemarkError(error) || error.code !== 'store-conflict') throw error
    }
  }
}

export function tooShort(pack: string): CorruptionError {
  return new CorruptionError(
    `Pack ${pack} is damaged: it is shorter than what refers to it. Restore it from a copy of the store.`,
    {
      code: 'pack-damaged',
      fields: { pack },
    },
  )
}

export function missing(pack: string): NotFoundError {
  return new NotFoundError(`Pack ${pack} is not in the store. Restore it from a copy of the store, or send it again.`, {
    code: 'pack-missing',
    fields: { pack },
  })
}
