import { CorruptionError, UnsupportedError } from '../../errors.ts'
import { crc32 } from '../../platform/crc32.ts'
import { inflateRaw } from '../../platform/deflate.ts'
import { inflateStream } from '../../platform/inflate-stream.ts'
import type { AssetReader } from '../codec.ts'
import { readZipDirectory, type ZipEntry, zipDamaged } from './zip-directory.ts'
import { ENCRYPTED, LOCAL_HEADER } from './zip-records.ts'

export type { ZipEntry } from './zip-directory.ts'

/** An opened zip archive. */
export interface ZipReader {
  /** In the order of the archive's directory. Paths are as they were written: check them before they name a file. */
  readonly entries: readonly ZipEntry[]
  /**
   * The content of an entry, piece by piece; a piece is valid until the next one is asked for. Trust it when the end was reached: only then is
   * the checksum known.
   */
  open(entry: ZipEntry): AsyncGenerator<Uint8Array>
  /** The content of an entry, whole and checked. */
  bytes(entry: ZipEntry): Promise<Uint8Array>
}

/** True of what begins as an archive does, or as an empty one. */
export function isZip(bytes: Uint8Array): boolean {
  const [p, k, a, b] = bytes
  return p === 0x50 && k === 0x4b && ((a === 3 && b === 4) || (a === 5 && b === 6))
}

/** Neighbouring small entries come out of one read. */
const WINDOW = 1024 * 1024
const STORED = 0
const DEFLATED = 8

/**
 * Opens a zip archive: reads its directory, and entries when asked.
 *
 * @throws CorruptionError `zip-damaged` when sizes, counts, places, checksums or names contradict each other or the archive's length. An entry
 * never gives more bytes than its directory says, and a directory that promises more than deflate can expand to is refused.
 * @throws UnsupportedError `zip-encrypted`, `zip-method`, `zip-multi-volume`
 */
export async function openZip(asset: Pick<AssetReader, 'path' | 'size' | 'range'>): Promise<ZipReader> {
  const entries = await readZipDirectory(asset)
  let window: { start: number; bytes: Uint8Array } = { start: 0, bytes: new Uint8Array(0) }

  const read = async (start: number, end: number): Promise<Uint8Array> => {
    const inside = start >= window.start && end <= window.start + window.bytes.length
    if (!inside) window = { start, bytes: await asset.range(start, Math.max(end, start + WINDOW)) }
    const bytes = window.bytes.subarray(start - window.start, end - window.start)
    if (bytes.length !== end - start) throw zipDamaged(asset.path, 'it ends too early')
    return bytes
  }

  /** Where the entry's data starts: behind the local header, which must say the same as the directory. */
  const locate = async (entry: ZipEntry): Promise<number> => {
    const header = await read(entry.offset, entry.offset + 30)
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
    const nameLength = view.getUint16(26, true)
    const start = entry.offset + 30 + nameLength + view.getUint16(28, true)
    const consistent =
      view.getUint32(0, true) === LOCAL_HEADER &&
      view.getUint16(8, true) === entry.method &&
      nameLength === entry.name.length
    if (!consistent || start + entry.compressedSize > entry.limit) {
      throw zipDamaged(asset.path, `its directory and its entry '${entry.path}' contradict each other`)
    }
    const name = await read(entry.offset + 30, entry.offset + 30 + nameLength)
    if (!name.every((byte, i) => byte === entry.name[i])) {
      throw zipDamaged(asset.path, `the entry '${entry.path}' calls itself differently`)
    }
    return start
  }

  async function* stored(start: number, size: number): AsyncGenerator<Uint8Array> {
    for (let at = start; at < start + size; at += WINDOW) yield await read(at, Math.min(at + WINDOW, start + size))
  }

  async function* open(entry: ZipEntry): AsyncGenerator<Uint8Array> {
    refuseUnreadable(asset.path, entry)
    const start = await locate(entry)
    let crc = 0
    const raw = stored(start, entry.compressedSize)
    try {
      for await (const piece of entry.method === DEFLATED ? inflateStream(raw, entry.size) : raw) {
        crc = crc32(piece, crc)
        yield piece
      }
    } catch (error) {
      throw inEntry(asset.path, entry, error)
    }
    if (crc !== entry.crc32) throw zipDamaged(asset.path, `the bytes of '${entry.path}' do not match their checksum`)
  }

  const bytes = async (entry: ZipEntry): Promise<Uint8Array> => {
    if (entry.method === DEFLATED && entry.size <= WINDOW && entry.compressedSize <= WINDOW) {
      refuseUnreadable(asset.path, entry)
      const start = await locate(entry)
      const compressed = await read(start, start + entry.compressedSize)
      try {
        const content = await inflateRaw(compressed, entry.size)
        if (crc32(content) === entry.crc32) return content
      } catch (error) {
        throw inEntry(asset.path, entry, error)
      }
      throw zipDamaged(asset.path, `the bytes of '${entry.path}' do not match their checksum`)
    }
    const content = new Uint8Array(entry.size)
    let at = 0
    for await (const piece of open(entry)) {
      content.set(piece, at)
      at += piece.length
    }
    return content
  }

  return { entries, open, bytes }
}

function refuseUnreadable(archive: string, entry: ZipEntry): void {
  const fields = { path: archive, entry: entry.path }
  if (entry.flags & ENCRYPTED) {
    throw new UnsupportedError(`'${entry.path}' in '${archive}' is encrypted. Decrypt the archive first.`, {
      code: 'zip-encrypted',
      fields,
    })
  }
  if (entry.method !== STORED && entry.method !== DEFLATED) {
    throw new UnsupportedError(
      `'${entry.path}' in '${archive}' is compressed by method ${entry.method}; stored (0) and deflated (8) can be read. Pack it again.`,
      { code: 'zip-method', fields },
    )
  }
}

function inEntry(archive: string, entry: ZipEntry, error: unknown): unknown {
  if (!(error instanceof CorruptionError) || error.code !== 'deflate-damaged') return error
  return zipDamaged(
    archive,
    `the bytes of '${entry.path}' cannot be inflated to the ${entry.size} they should be`,
    error,
  )
}
