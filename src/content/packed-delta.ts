import { deflateRaw, inflateRaw } from '../platform/deflate.ts'
import { encodeDelta } from './delta.ts'
import { ByteReader, ByteWriter } from './varint.ts'

// Instructions that claim more than this were not written by us: a chunk is at most a pack.
const largestInstructions = 32 * 1024 * 1024

/** The stored form of a delta: its instructions, deflated when that is shorter. First the length they inflate to, 0 when they are plain. */
export function packDelta(base: Uint8Array, target: Uint8Array): Uint8Array {
  const instructions = encodeDelta(base, target)
  const deflated = deflateRaw(instructions)
  const plain = deflated.length >= instructions.length
  const out = new ByteWriter(Math.min(deflated.length, instructions.length) + 8)
  out.number(plain ? 0 : instructions.length)
  out.bytes(plain ? instructions : deflated)
  return out.view()
}

/** The instructions of a stored delta. Throws `RangeError` or `CorruptionError` when damaged. */
export function unpackDelta(stored: Uint8Array): Uint8Array {
  const reader = new ByteReader(stored)
  const size = reader.number()
  if (size > largestInstructions) throw new RangeError('a delta claims too much')
  const rest = reader.rest()
  return size === 0 ? rest : inflateRaw(rest, size)
}
