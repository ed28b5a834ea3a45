import { CorruptionError } from '../errors.ts'
import { breathe } from './breathe.ts'
import { builtin, type NodeTransform } from './builtin.ts'
import { hasRawStreams, inflatedThere } from './raw-streams.ts'

/** Output pieces of zlib. Smaller ones cost a turn of the event loop each, larger ones leave the CPU's cache. */
const PIECE = 64 * 1024

/** Deflate expands at most 1032 times (a 258-byte match in 2 bits), so a slice of this size is at most 17 MB of output. */
const SLICE = 16 * 1024

/** Browsers inflate some 200 MB/s on the thread that asks: a pause every 2 MiB keeps its share of the event loop near 12 ms. */
const BREATH = 2 * 1024 * 1024

type Source = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/**
 * Inflates a raw deflate stream piece by piece: by zlib, off the main thread, where there is one; by the platform's own streams; else by fflate. A piece
 * is valid until the next one is asked for.
 *
 * @throws CorruptionError `deflate-damaged` unless the stream is whole and holds exactly `size` bytes; not one byte more comes out.
 */
export async function* inflateStream(source: Source, size: number): AsyncGenerator<Uint8Array> {
  const zlib = builtin('node:zlib')
  const pieces = zlib ? zlibPieces(zlib.createInflateRaw({ chunkSize: PIECE }), source) : portablePieces(source)
  let total = 0
  for await (const piece of pieces) {
    total += piece.length
    if (total > size) throw damaged(`more than the ${size} bytes they should`)
    yield piece
  }
  if (total < size) throw damaged(`${total} bytes where there should be ${size}`)
}

async function* zlibPieces(stream: NodeTransform, source: Source): AsyncGenerator<Uint8Array> {
  const { pieces, failure } = noting(source)
  const waiting: (() => void)[] = []
  const wake = () => {
    for (const resume of waiting.splice(0)) resume()
  }
  stream.on('drain', wake)
  stream.on('close', wake)
  const feed = async () => {
    try {
      for await (const piece of pieces) {
        if (stream.destroyed) return
        // zlib reads the piece in a thread of its own, later than the source may use its buffer again.
        if (!stream.write(piece.slice())) await new Promise<void>((resolve) => waiting.push(resolve))
      }
      stream.end()
    } catch {
      stream.destroy()
    }
  }
  // Without a listener an error is thrown at the process; the iterator below throws it to the reader.
  stream.on('error', () => undefined)
  const fed = feed()
  try {
    for await (const piece of stream) yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
  } catch (cause) {
    throw failure() ?? damaged('a readable stream no longer', cause)
  } finally {
    stream.destroy()
    await fed
  }
}

async function* portablePieces(source: Source): AsyncGenerator<Uint8Array> {
  const { pieces, failure } = noting(source)
  let sinceBreath = 0
  try {
    for await (const piece of await inflating(sliced(pieces))) {
      yield piece
      sinceBreath += piece.length
      if (sinceBreath < BREATH) continue
      sinceBreath = 0
      await breathe()
    }
  } catch (cause) {
    throw failure() ?? damaged('a readable stream no longer', cause)
  }
}

async function inflating(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  if (hasRawStreams()) return inflatedThere(source)
  const { inflatedHere } = await import('./deflate-fflate.ts')
  return inflatedHere(source)
}

async function* sliced(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of source) for (let at = 0; at < piece.length; at += SLICE) yield piece.slice(at, at + SLICE)
}

/** The same pieces; what they failed with is the source's own error, not damage. */
function noting(source: Source) {
  let failed: unknown
  async function* pieces() {
    try {
      yield* source
    } catch (cause) {
      failed = cause ?? new Error('the source of a stream failed without a word')
      throw failed
    }
  }
  return { pieces: pieces(), failure: () => failed }
}

function damaged(what: string, cause?: unknown): CorruptionError {
  return new CorruptionError(`Deflated bytes hold ${what}: they were damaged or cut short.`, {
    code: 'deflate-damaged',
    cause,
  })
}
