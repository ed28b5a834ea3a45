import { CorruptionError } from '../errors.ts'
import { builtin } from './builtin.ts'
import { inflateStream } from './inflate-stream.ts'
import { joined } from './joined.ts'
import { deflatedThere, hasRawStreams } from './raw-streams.ts'

const zlib = builtin('node:zlib')

/** Node's zlib refuses output chunks under this. */
const MIN_CHUNK = 64

export type DeflateLevel = 1 | 6

/**
 * The bytes as a raw deflate stream: for buffers up to about 1 MiB, as it may hold the event loop. The output of two runtimes may
 * differ (zlib, a browser's own, fflate): never take its digest for an identity. Browsers deflate at a level of their own.
 */
export async function deflateRaw(bytes: Uint8Array, level: DeflateLevel = 6): Promise<Uint8Array> {
  if (zlib) return plain(zlib.deflateRawSync(bytes, { level }))
  if (hasRawStreams()) return gathered(deflatedThere([bytes]))
  const { deflatedHere } = await import('./deflate-fflate.ts')
  return deflatedHere(bytes, level)
}

/**
 * The `size` bytes that a raw deflate stream holds: for buffers up to about 1 MiB.
 *
 * @throws CorruptionError `deflate-damaged` unless the stream is whole and holds exactly `size` bytes; never allocates much more than that.
 */
export async function inflateRaw(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  if (!zlib) return gathered(inflateStream([bytes], size))
  let output: Uint8Array
  try {
    output = inflateNode(zlib, bytes, size)
  } catch (cause) {
    throw damaged(size, cause)
  }
  if (output.length !== size) throw damaged(size)
  return output
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

async function gathered(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return joined(all)
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
