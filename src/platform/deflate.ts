import { deflateSync, inflateSync } from 'fflate'
import { CorruptionError } from '../errors.ts'
import { builtin } from './builtin.ts'

const zlib = builtin('node:zlib')

/** Node's zlib refuses output chunks under this. */
const MIN_CHUNK = 64

export type DeflateLevel = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9

/**
 * The bytes as a raw deflate stream, at once: for buffers up to about 1 MiB, as it holds the event loop. The output of two runtimes may
 * differ (zlib here, fflate there): never take its digest for an identity.
 */
export function deflateRaw(bytes: Uint8Array, level: DeflateLevel = 6): Uint8Array {
  return zlib ? plain(zlib.deflateRawSync(bytes, { level })) : deflateSync(bytes, { level })
}

/**
 * The `size` bytes that a raw deflate stream holds, at once: for buffers up to about 1 MiB.
 *
 * @throws CorruptionError `deflate-damaged` unless the stream is whole and holds exactly `size` bytes; never allocates more than that.
 */
export function inflateRaw(bytes: Uint8Array, size: number): Uint8Array {
  let output: Uint8Array
  try {
    output = zlib ? inflateNode(zlib, bytes, size) : portableInflateRaw(bytes, size)
  } catch (cause) {
    throw damaged(size, cause)
  }
  if (output.length !== size) throw damaged(size)
  return output
}

/** Raw inflate by fflate: at most `size + 1` bytes, so that too many show. */
export function portableInflateRaw(bytes: Uint8Array, size: number): Uint8Array {
  // A buffer one longer than it may be: fflate stops writing at its end without a word.
  return inflateSync(bytes, { out: new Uint8Array(size + 1) })
}

type Zlib = NonNullable<typeof zlib>

function inflateNode(native: Zlib, bytes: Uint8Array, size: number): Uint8Array {
  const chunkSize = Math.max(MIN_CHUNK, size + 1)
  return plain(native.inflateRawSync(bytes, { maxOutputLength: Math.max(1, size), chunkSize }))
}

/** Node's Buffers answer some methods (`slice`) differently: users get the plain type. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function damaged(size: number, cause?: unknown): CorruptionError {
  return new CorruptionError(
    `Deflated bytes do not hold the ${size} bytes they should: they were damaged or cut short.`,
    {
      code: 'deflate-damaged',
      fields: { size },
      cause,
    },
  )
}
