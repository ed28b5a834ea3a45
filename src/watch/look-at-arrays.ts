import { isTypedArray } from '../codecs/capabilities.ts'
import { npyParts } from '../codecs/npz/npy.ts'
import type { NpyArray } from '../codecs/npz/npy-values.ts'
import { encodeArrays, type NamedArray, readArrays } from '../codecs/npz.ts'
import { Fingerprint } from './fingerprint.ts'
import type { Hasher } from './hasher.ts'
import type { Steps } from './snapshots.ts'

// Copied in one step.
const STEP_BYTES = 1024 * 1024

/** What `arrays(...)` holds, read as the npz codec reads it. */
export async function lookAtArrays(value: unknown, hasher: Hasher, keep: boolean): Promise<Steps> {
  const arrays = await readArrays(value)
  return (function* () {
    const fingerprint = new Fingerprint(hasher)
    const kept: NamedArray[] = []
    for (const { name, array } of arrays) {
      const own = keep ? { name, array: yield* copy(array) } : { name, array }
      kept.push(own)
      const [header, data] = npyParts(own.array)
      fingerprint.text(name)
      fingerprint.numbers(header.length, data.length % 2 ** 31, Math.floor(data.length / 2 ** 31))
      yield* fingerprint.bytes(header)
      yield* fingerprint.bytes(data)
      yield
    }
    fingerprint.numbers(kept.length)
    return { hash: fingerprint.end(), kind: 'npz', rows: 0, encode: async (options) => encodeArrays(kept, options) }
  })()
}

function* copy(array: NpyArray): Generator<undefined, NpyArray> {
  const { data } = array
  const source = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const target = new Uint8Array(source.length)
  for (let at = 0; at < source.length; at += STEP_BYTES) {
    target.set(source.subarray(at, at + STEP_BYTES), at)
    yield
  }
  const typed: unknown = Reflect.construct(data.constructor, [target.buffer])
  if (!isNumeric(typed)) throw new TypeError('A typed array of another kind came out of its own constructor.')
  return { ...array, data: typed }
}

function isNumeric(value: unknown): value is Extract<NpyArray['data'], ArrayBufferView> {
  return isTypedArray(value)
}
