import { isPackId } from '../../protocol/chunk-ref.ts'
import type { JsonValue } from '../../protocol/shapes.ts'
import { recordShape } from '../shape.ts'
import type { StoreRecords } from '../store-records.ts'

/** Bytes `start` to `start + length` of the pack lie at `at` of what it was moved to. */
export interface MovedRange {
  readonly start: number
  readonly length: number
  readonly at: number
}

/** Says that a pack is kept under another key: whole, or only what is still needed of it. */
export interface Forward {
  /** Follows the pack's name in the key. Empty: what there was is deleted. */
  readonly to: string
  /** Bytes of the whole pack. */
  readonly size: number
  /** In order of `start`; null: all of it, unchanged. */
  readonly ranges: readonly MovedRange[] | null
  readonly etag: string
}

/** The forwarding records of packs, `moved/<pack>`: most packs have none. */
export class Forwards {
  readonly #records: StoreRecords

  constructor(records: StoreRecords) {
    this.#records = records
  }

  async read(pack: string): Promise<Forward | undefined> {
    const what = `The forwarding record of pack ${pack}`
    const held = await this.#records.read(key(pack), what)
    if (!held) return undefined
    const shape = recordShape(held.json, what)
    if (shape.text('pack') !== pack) throw shape.refuse('another record lies in its place')
    const ranges = shape.has('ranges') ? shape.list('ranges') : null
    return {
      to: shape.text('to'),
      size: shape.count('size'),
      ranges:
        ranges?.map((range) => toRange(range) ?? refuse(shape.refuse("'ranges' are not three numbers each"))) ?? null,
      etag: held.etag,
    }
  }

  write(
    pack: string,
    read: Forward | undefined,
    to: string,
    size: number,
    ranges: readonly MovedRange[] | null,
  ): Promise<boolean> {
    const json: JsonValue = {
      pack,
      to,
      size,
      ranges: ranges?.map(({ start, length, at }) => [start, length, at]) ?? null,
    }
    return this.#records.swap(key(pack), read, json)
  }

  /** Names of all packs that have one. */
  async list(): Promise<Set<string>> {
    const packs = new Set<string>()
    for (let after: string | undefined, more = true; more; ) {
      const page = await this.#records.store.list('moved/', after === undefined ? {} : { after })
      for (const entry of page.entries) {
        const pack = entry.key.slice('moved/'.length)
        if (isPackId(pack)) packs.add(pack)
      }
      after = page.next
      more = after !== undefined
    }
    return packs
  }
}

function key(pack: string): string {
  return `moved/${pack}`
}

function toRange(value: JsonValue): MovedRange | undefined {
  if (!Array.isArray(value)) return undefined
  const [start, length, at] = value
  return [start, length, at].every((number) => Number.isSafeInteger(number) && number >= 0)
    ? { start, length, at }
    : undefined
}

function refuse(error: Error): never {
  throw error
}
