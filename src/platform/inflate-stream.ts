import { Inflate } from 'fflate'
import { CorruptionError } from '../errors.ts'
import { breathe } from './breathe.ts'
import { builtin, type NodeTransform } from './builtin.ts'

/** Output pieces of zlib. Smaller ones cost a turn of the event loop each, larger ones leave the CPU's cache. */
const PIECE = 64 * 1024

/** Deflate expands at most 1032 times (a 258-byte match in 2 bits), so a slice of this size is at most 17 MB of output. */
const PORTABLE_SLICE = 16 * 1024

/** fflate inflates 158 MB/s: a pause every 2 MiB keeps its share of the event loop near 12 ms. */
const PORTABLE_BREATH = 2 * 1024 * 1024

type Source = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/**
 * Inflates a raw deflate stream piece by piece, in Node off the main thread. A piece is valid until the next one is asked for.
 *
 * @throws CorruptionError `deflate-damaged` unless the stream is whole and holds exactly `size` bytes; not one byte more comes out.
 */
export async function* inflateStream(source: Source, size: number): AsyncGenerator<Uint8Array> {
  const zlib = builtin('node:zlib')
  const pieces = zlib ? zlibPieces(zlib.createInflateRaw({ chunkSize: PIECE }), source) : portableInflatePieces(source)
  let total = 0
  for await (const piece of pieces) {
    total += piece.length
    if (total > size) throw damaged(`more than the ${size} bytes they should`)
    yield piece
  }
  if (total < size) throw damaged(`${total} bytes where there should be ${size}`)
}

async function* zlibPieces(stream: NodeTransform, source: Source): AsyncGenerator<Uint8Array> {
  let failure: { cause: unknown } | undefined
  const waiting: (() => void)[] = []
  const wake = () => {
    for (const resume of waiting.splice(0)) resume()
  }
  stream.on('drain', wake)
  stream.on('close', wake)
  const feed = async () => {
    try {
      for await (const piece of source) {
        if (stream.destroyed) return
        // zlib reads the piece in a thread of its own, later than the source may use its buffer again.
        if (!stream.write(piece.slice())) await new Promise<void>((resolve) => waiting.push(resolve))
      }
      stream.end()
    } catch (cause) {
      failure = { cause }
      stream.destroy()
    }
  }
  // Without a listener an error is thrown at the process; the iterator below throws it to the reader.
  stream.on('error', () => undefined)
  const fed = feed()
  try {
    for await (const piece of stream) yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
  } catch (cause) {
    throw failure ? failure.cause : damaged('a readable stream no longer', cause)
  } finally {
    stream.destroy()
    await fed
  }
}

/** The same by fflate, in slices. */
export async function* portableInflatePieces(source: Source): AsyncGenerator<Uint8Array> {
  const out: Uint8Array[] = []
  const inflate = new Inflate((piece) => out.push(piece))
  let sinceBreath = 0
  for await (const piece of source) {
    for (let at = 0; at < piece.length; at += PORTABLE_SLICE) {
      push(inflate, piece.slice(at, at + PORTABLE_SLICE), false)
      for (const inflated of out.splice(0)) {
        sinceBreath += inflated.length
        yield inflated
      }
      if (sinceBreath >= PORTABLE_BREATH) {
        sinceBreath = 0
        await breathe()
      }
    }
  }
  push(inflate, new Uint8Array(0), true)
  yield* out
}

function push(inflate: Inflate, bytes: Uint8Array, last: boolean): void {
  try {
    inflate.push(bytes, last)
  } catch (cause) {
    throw damaged('a readable stream no longer', cause)
  }
}

function damaged(what: string, cause?: unknown): CorruptionError {
  return new CorruptionError(`Deflated bytes hold ${what}: they were damaged or cut short.`, {
    code: 'deflate-damaged',
    cause,
  })
}
