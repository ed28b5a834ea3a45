import { ConflictError, InvalidInputError } from '../../errors.ts'
import { crc32 } from '../../platform/crc32.ts'
import {
  createDirectory,
  DESCRIPTOR_FOLLOWS,
  LOCAL_MAX,
  localLength,
  MAX32,
  needsZip64,
  UTF8,
  writeDescriptor,
  writeLocal,
} from './zip-records.ts'

/** One file for `writeZip`. */
export interface ZipSource {
  /** `/`-separated and checked by the caller; a trailing `/` makes it a folder. */
  readonly path: string
  /** Bytes in `body`, when known beforehand. A streamed body of another length is an error. */
  readonly size?: number
  /** Read once when it is a stream; a piece may use the buffer of the piece before. Bytes in memory are not copied unless they are small. */
  readonly body: Uint8Array | readonly Uint8Array[] | Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  /** Told how many bytes it had once they are written: cheaper than an iterable of one's own around `body`, for 70,000 small files by a fifth. */
  readonly onSize?: (bytes: number) => void
}

const MAX_PATH = 65_535
/** Bodies up to this size are copied into the batch of headers, with their checksum in front. */
const SMALL = 64 * 1024
/** Holds the longest header and a small body. */
const BATCH = 256 * 1024
/** Pieces of a large body in memory, so that a reader can hash one while it is in the CPU's cache. */
const PIECE = 1024 * 1024

/**
 * A zip archive, piece by piece: stored, not compressed (the content layer does that, and finds equal parts only in raw bytes), in the order
 * given, reproducible, zip64 where it must be. A piece is valid until the next one is asked for.
 *
 * Bodies in memory and small streams have checksum and size in front; larger streams have them behind (a data descriptor).
 *
 * @throws InvalidInputError `zip-duplicate-path`, `zip-path-too-long`
 * @throws ConflictError `zip-size-changed` when a stream is not `size` long, `zip-bytes-changed` when bytes in memory change meanwhile
 *
 * @example
 * ```ts
 * import { open } from 'node:fs/promises'
 *
 * const file = await open('hello.zip', 'w')
 * for await (const piece of writeZip([{ path: 'a.txt', body: new TextEncoder().encode('hello') }])) await file.write(piece)
 * await file.close()
 * ```
 */
export async function* writeZip(sources: Iterable<ZipSource> | AsyncIterable<ZipSource>): AsyncGenerator<Uint8Array> {
  const batch = new Uint8Array(BATCH)
  const view = new DataView(batch.buffer)
  const directory = createDirectory()
  const paths = new Set<string>()
  const names = new Uint8Array(MAX_PATH)
  let held = 0
  let flushed = 0

  const flush = () => {
    const piece = batch.subarray(0, held)
    flushed += held
    held = 0
    return piece
  }

  for await (const source of sources) {
    const { path, body } = source
    if (paths.has(path)) throw duplicate(path)
    paths.add(path)
    const name = encodePath(path, names)

    if (isInMemory(body)) {
      const inMemory = body instanceof Uint8Array ? [body] : body
      const size = inMemory.reduce((sum, part) => sum + part.length, 0)
      if (source.size !== undefined && source.size !== size) throw sizeChanged(path, source.size, size)
      if (held + LOCAL_MAX + name.length + Math.min(size, SMALL) > BATCH) yield flush()
      const entry = { name, size, offset: flushed + held, flags: UTF8, crc: 0 }
      if (size <= SMALL) {
        const start = held + localLength(entry)
        let at = start
        for (const part of inMemory) {
          batch.set(part, at)
          at += part.length
        }
        entry.crc = crc32(batch.subarray(start, at))
        writeLocal(view, batch, held, entry)
        held = at
      } else {
        for (const part of inMemory) entry.crc = crc32(part, entry.crc)
        held = writeLocal(view, batch, held, entry)
        yield flush()
        flushed += size
        let seen = 0
        for (const part of inMemory) {
          for (let at = 0; at < part.length; at += PIECE) {
            const piece = part.subarray(at, at + PIECE)
            yield piece
            // After the reader has had it: what was stored is what is checked.
            seen = crc32(piece, seen)
          }
        }
        if (seen !== entry.crc) throw bytesChanged(path)
      }
      directory.add(entry)
      source.onSize?.(size)
      continue
    }

    if (held + LOCAL_MAX + name.length + SMALL > BATCH) yield flush()
    const stated = source.size
    const entry = { name, size: stated ?? MAX32, offset: flushed + held, flags: UTF8 | DESCRIPTOR_FOLLOWS, crc: 0 }
    // A short stream is gathered behind the place of its header, where it stays if it remains short.
    const short = { name, size: 0, offset: entry.offset, flags: UTF8, crc: 0 }
    const start = held + localLength(short)
    let size = 0
    let gathering = stated === undefined || stated <= SMALL
    const open = () => {
      held = writeLocal(view, batch, held, entry)
      return flush()
    }
    if (!gathering) yield open()
    for await (const piece of body) {
      size += piece.length
      if (stated !== undefined && size > stated) throw sizeChanged(path, stated, size)
      if (gathering && size > SMALL) {
        gathering = false
        const gathered = batch.slice(start, start + size - piece.length)
        yield open()
        yield gathered
      }
      entry.crc = crc32(piece, entry.crc)
      if (gathering) batch.set(piece, start + size - piece.length)
      else yield piece
    }
    if (stated !== undefined && size !== stated) throw sizeChanged(path, stated, size)
    if (gathering) {
      short.size = size
      short.crc = entry.crc
      writeLocal(view, batch, held, short)
      held = start + size
      directory.add(short)
    } else {
      flushed += size
      const zip64 = needsZip64(entry.size)
      held = writeDescriptor(view, held, entry.crc, size, zip64)
      entry.size = size
      directory.add(entry)
    }
    source.onSize?.(size)
  }

  if (held > 0) yield flush()
  yield* directory.finish(flushed)
}

const encoder = new TextEncoder()

/** In memory that serves for the next path: a new array for each is a tenth of the time of small files. */
function encodePath(path: string, memory: Uint8Array): Uint8Array {
  const { read, written } = encoder.encodeInto(path, memory)
  if (read < path.length) {
    throw new InvalidInputError(
      `The path '${path.slice(0, 64)}...' is longer than the 65,535 bytes a zip can hold. Shorten it.`,
      {
        code: 'zip-path-too-long',
      },
    )
  }
  return memory.subarray(0, written)
}

function isInMemory(body: ZipSource['body']): body is Uint8Array | readonly Uint8Array[] {
  return body instanceof Uint8Array || Array.isArray(body)
}

function duplicate(path: string): InvalidInputError {
  return new InvalidInputError(`Two files of one zip are called '${path}'. Rename one, or leave one out.`, {
    code: 'zip-duplicate-path',
    fields: { path },
  })
}

function sizeChanged(path: string, stated: number, seen: number): ConflictError {
  return new ConflictError(
    `'${path}' changed while it was read: ${stated} bytes were announced and ${seen > stated ? 'more' : `only ${seen}`} came. Log it again when nobody writes to it.`,
    { code: 'zip-size-changed', fields: { path } },
  )
}

function bytesChanged(path: string): ConflictError {
  return new ConflictError(
    `'${path}' changed while it was written. Log a copy, or wait for the upload before changing it.`,
    {
      code: 'zip-bytes-changed',
      fields: { path },
    },
  )
}
