import { CorruptionError } from '../errors.ts'
import { ByteReader, ByteWriter } from './varint.ts'

// A match shorter than this costs about as much to name as to repeat.
const shortestCopy = 8

// A text that grew or shrank moves what is behind it by about so many bytes; with what was added before, as many as the whole grew, but for its padding.
const nearby = 64
const padding = 8

// So long after the last copy it is still worth looking nearby: in bytes that are all new every place would be tried in vain.
const nearAfter = 512

/**
 * Instructions that make `target` from `base`: repeated (length of new bytes, the new bytes, length to copy, where from). Where a copy starts is told
 * relative to where it would start if the new bytes replaced as many old ones, so that a cell changed in place costs little more than itself.
 */
export function encodeDelta(base: Uint8Array, target: Uint8Array): Uint8Array {
  const out = new ByteWriter()
  const index = new BlockIndex(base, target)
  let literal = 0 // where the bytes not yet told begin
  let expected = 0 // base position of a copy that continues in step
  let at = 0
  while (at + shortestCopy <= target.length) {
    // In step first: after a changed cell, the rest of the column is where it was.
    const inStep = expected + (at - literal)
    let from = matches(base, inStep, target, at) ? inStep : index.find(target, at)
    if (from !== inStep && at - literal < nearAfter) from = nearer(base, target, at, inStep, from)
    if (from < 0) {
      at++
      continue
    }
    let start = at
    while (start > literal && from > 0 && target[start - 1] === base[from - 1]) {
      start--
      from--
    }
    let length = at - start + shortestCopy
    const limit = Math.min(target.length - start, base.length - from)
    while (length < limit && target[start + length] === base[from + length]) length++
    out.number(start - literal)
    out.bytes(target.subarray(literal, start))
    out.number(length)
    out.signed(from - (expected + (start - literal)))
    literal = at = start + length
    expected = from + length
  }
  if (literal < target.length) {
    out.number(target.length - literal)
    out.bytes(target.subarray(literal))
  }
  return out.view()
}

/**
 * Undoes `encodeDelta`. Allocates `size` bytes and never more.
 *
 * @throws CorruptionError `delta-damaged` when the instructions do not make exactly `size` bytes out of `base`.
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array, size: number): Uint8Array {
  const target = new Uint8Array(size)
  const reader = new ByteReader(delta)
  let at = 0
  let expected = 0
  try {
    while (!reader.done) {
      const fresh = reader.bytes(reader.number())
      target.set(fresh, at)
      at += fresh.length
      if (reader.done) break
      const length = reader.number()
      const from = expected + fresh.length + reader.signed()
      if (from < 0 || from + length > base.length) throw new RangeError('a copy reaches outside the base')
      target.set(base.subarray(from, from + length), at)
      at += length
      expected = from + length
    }
  } catch (cause) {
    throw damaged(size, cause)
  }
  if (at !== size) throw damaged(size)
  return target
}

function damaged(size: number, cause?: unknown): CorruptionError {
  return new CorruptionError(
    `A delta does not make the ${size} bytes it should: it was damaged or its base is another.`,
    {
      code: 'delta-damaged',
      fields: { size },
      cause,
    },
  )
}

/**
 * Of the place found by its first bytes and those where the rest of a column is likely to be, the one that goes on longest: where texts are made of few words the
 * same bytes are everywhere.
 */
function nearer(base: Uint8Array, target: Uint8Array, at: number, inStep: number, found: number): number {
  let best = found
  let longest = found < 0 ? shortestCopy - 1 : matchLength(base, found, target, at)
  const tryAround = (place: number, reach: number) => {
    for (let from = Math.max(0, place - reach); from <= place + reach; from++) {
      if (base[from] !== target[at]) continue
      const length = matchLength(base, from, target, at)
      if (length > longest) {
        longest = length
        best = from
      }
    }
  }
  tryAround(at + base.length - target.length, padding)
  tryAround(inStep, nearby)
  return best
}

function matchLength(base: Uint8Array, from: number, target: Uint8Array, at: number): number {
  const limit = Math.min(base.length - from, target.length - at)
  let length = 0
  while (length < limit && base[from + length] === target[at + length]) length++
  return length
}

function matches(base: Uint8Array, from: number, target: Uint8Array, at: number): boolean {
  if (from < 0 || from + shortestCopy > base.length) return false
  for (let index = 0; index < shortestCopy; index++) if (base[from + index] !== target[at + index]) return false
  return true
}

/** Where runs of eight bytes stand in the base: the first place of each, in a table addressed by their hash. */
class BlockIndex {
  readonly #base: Uint8Array
  readonly #table: Int32Array
  readonly #shift: number

  constructor(base: Uint8Array, target: Uint8Array) {
    this.#base = base
    const bits = Math.min(18, Math.max(8, Math.ceil(Math.log2(base.length + 1))))
    this.#shift = 32 - bits
    this.#table = new Int32Array(1 << bits)
    // Nothing in front of the first difference needs to be found: it is copied in step.
    let first = 0
    const common = Math.min(base.length, target.length)
    while (first < common && base[first] === target[first]) first++
    if (first === base.length) return
    for (let at = base.length - shortestCopy; at >= 0; at--) this.#table[this.#hash(base, at)] = at + 1
  }

  find(target: Uint8Array, at: number): number {
    const from = this.#table[this.#hash(target, at)] - 1
    return from >= 0 && matches(this.#base, from, target, at) ? from : -1
  }

  #hash(bytes: Uint8Array, at: number): number {
    const low = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
    const high = bytes[at + 4] | (bytes[at + 5] << 8) | (bytes[at + 6] << 16) | (bytes[at + 7] << 24)
    const mixed = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b)
    return (mixed ^ (mixed >>> 15)) >>> this.#shift
  }
}
