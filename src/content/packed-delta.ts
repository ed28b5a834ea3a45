import { deflateRaw, inflateRaw } from '../platform/deflate.ts'
import { applyDelta, encodeDelta } from './delta.ts'
import { fromSteps, isRunOf, longestRun, type Run, toSteps } from './steps.ts'
import { ByteReader, ByteWriter } from './varint.ts'

// Instructions that claim more than this were not written by us: a chunk is at most a pack.
const largestInstructions = 32 * 1024 * 1024

// Below this, no other way of telling the change could save much.
const smallDelta = 160

// Bits of the first number of a stored delta.
const isDeflated = 1
const isStepped = 2

/** The stored form of a delta: by plain instructions or, where offsets or other growing numbers moved, by instructions on their steps. */
export async function packDelta(base: Uint8Array, target: Uint8Array): Promise<Uint8Array> {
  const plain = await pack(0, [], encodeDelta(base, target))
  if (plain.length <= smallDelta) return plain
  const from = longestRun(base)
  const to = longestRun(target)
  if (!from || !to) return plain
  const stepped = await pack(
    isStepped,
    [from.start, from.count, to.start, to.count],
    encodeDelta(toSteps(base, from), toSteps(target, to)),
  )
  return stepped.length < plain.length ? stepped : plain
}

async function pack(form: number, runs: readonly number[], instructions: Uint8Array): Promise<Uint8Array> {
  const deflated = await deflateRaw(instructions)
  const shorter = deflated.length < instructions.length
  const out = new ByteWriter(Math.min(deflated.length, instructions.length) + 32)
  out.number(shorter ? form | isDeflated : form)
  for (const number of runs) out.number(number)
  if (shorter) out.number(instructions.length)
  out.bytes(shorter ? deflated : instructions)
  return out.view()
}

/**
 * The `size` bytes that a stored delta makes of its base.
 *
 * @throws CorruptionError `delta-damaged`, `deflate-damaged`, or RangeError when it cannot be read: the caller names the chunk.
 */
export async function unpackDelta(base: Uint8Array, stored: Uint8Array, size: number): Promise<Uint8Array> {
  const reader = new ByteReader(stored)
  const form = reader.number()
  if (form > (isDeflated | isStepped)) throw new RangeError('an unknown form of delta')
  const from = form & isStepped ? readRun(reader) : undefined
  const to = form & isStepped ? readRun(reader) : undefined
  const instructions = form & isDeflated ? await inflated(reader) : reader.rest()
  if (!from || !to) return applyDelta(base, instructions, size)
  if (!isRunOf(base, from)) throw new RangeError('a run outside the base')
  const target = applyDelta(toSteps(base, from), instructions, size)
  if (!isRunOf(target, to)) throw new RangeError('a run outside the chunk')
  fromSteps(target, to)
  return target
}

function readRun(reader: ByteReader): Run {
  return { start: reader.number(), count: reader.number() }
}

async function inflated(reader: ByteReader): Promise<Uint8Array> {
  const size = reader.number()
  if (size > largestInstructions) throw new RangeError('a delta claims too much')
  return inflateRaw(reader.rest(), size)
}
