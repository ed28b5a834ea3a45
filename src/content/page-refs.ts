import { type ChunkEncoding, type ChunkRef, ownPack, type PackName } from '../protocol/chunk-ref.ts'
import type { JsonValue } from '../protocol/shapes.ts'

const encodings: readonly ChunkEncoding[] = ['raw', 'deflate', 'delta']

/**
 * The packs a page names, so that a reference needs only a number. A page that replaces another goes on with its numbers: lines that did not change
 * stay the same bytes, and the delta against the old page is small.
 */
export class PackNames {
  readonly list: PackName[] = []
  readonly #numbers = new Map<PackName, number>()

  constructor(known: readonly PackName[] = []) {
    for (const name of known) this.number(name)
  }

  number(name: PackName): number {
    let number = this.#numbers.get(name)
    if (number === undefined) {
      number = this.list.push(name) - 1
      this.#numbers.set(name, number)
    }
    return number
  }
}

/** `[digest, size, pack number, offset, length, encoding number, base?]` */
export function encodeRef(ref: ChunkRef, names: PackNames): JsonValue {
  const { digest, size, pack, offset, length, encoding, base } = ref
  const line = [digest, size, names.number(pack), offset, length, encodings.indexOf(encoding)]
  return base ? [...line, encodeRef(base, names)] : line
}

/** Throws `RangeError` when the value is not a reference. */
export function decodeRef(value: JsonValue | undefined, packs: readonly PackName[], isBase = false): ChunkRef {
  if (!Array.isArray(value)) throw new RangeError('not a reference')
  const [digest, size, number, offset, length, encodingNumber, base] = value
  const pack = packs[number]
  const encoding = encodings[encodingNumber]
  if (typeof digest !== 'string' || !/^[0-9a-f]{64}$/.test(digest))
    throw new RangeError('a reference without its digest')
  if (!pack || pack === ownPack || !encoding) throw new RangeError('a reference to nowhere')
  for (const count of [size, offset, length])
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError('a reference out of range')
  if ((encoding === 'delta') !== (base !== undefined) || (isBase && base !== undefined))
    throw new RangeError('a delta without its base')
  const ref = { digest, size, pack, offset, length, encoding }
  return base === undefined ? ref : { ...ref, base: decodeRef(base, packs, true) }
}
