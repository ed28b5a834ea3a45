import { promisifyRequest } from 'idb-keyval'
import { type About, damage } from './indexeddb-errors.ts'
import { pieceRange, pieceSize } from './indexeddb-keys.ts'
import type { ByteRange } from './store.ts'

/** What is known of a value. */
export interface Facts {
  readonly etag: string
  readonly size: number
  readonly modified: number
  /** Its bytes are in the file of the private file system that has its etag for a name; else they are in pieces. */
  readonly file?: true
}

/** The pieces that hold a range of a value. */
export async function piecesOf(values: IDBObjectStore, key: string, range: ByteRange | undefined): Promise<unknown[]> {
  const { start, end = Number.MAX_SAFE_INTEGER } = range ?? { start: 0 }
  if (end <= start) return []
  return promisifyRequest(
    values.getAll(pieceRange(key, key, Math.floor(start / pieceSize), Math.floor((end - 1) / pieceSize))),
  )
}

/** A page of entries with their values, but for those in files: one request for all, since pieces lie in the order of their keys. */
export async function valued<T extends { key: string } & Facts>(
  values: IDBObjectStore,
  name: string,
  entries: readonly T[],
): Promise<(T & { bytes?: Uint8Array })[]> {
  const [first, last] = [entries[0], entries.at(-1)]
  if (!first || !last) return []
  const pieces = await promisifyRequest<unknown[]>(values.getAll(pieceRange(first.key, last.key)))
  let at = 0
  return entries.map((entry) => {
    if (entry.file) return entry
    const count = Math.ceil(entry.size / pieceSize)
    const bytes = joined(pieces.slice(at, at + count), 0, entry.size)
    at += count
    if (!bytes) throw damage({ name, key: entry.key }, 'bytes are missing')
    return { ...entry, bytes }
  })
}

/** `length` bytes from `start` of what the pieces are together; `undefined` when there are not as many. */
export function joined(pieces: readonly unknown[], start: number, length: number): Uint8Array | undefined {
  const [only] = pieces
  if (pieces.length === 1 && only instanceof Uint8Array && only.length >= start + length)
    return only.slice(start, start + length)
  const bytes = new Uint8Array(length)
  let at = -start
  for (const piece of pieces) {
    if (!(piece instanceof Uint8Array)) return undefined
    const part = piece.subarray(Math.max(0, -at), Math.max(0, length - at))
    bytes.set(part, Math.max(0, at))
    at += piece.length
  }
  return at >= length || length === 0 ? bytes : undefined
}

/** @throws CorruptionError `store-damaged` */
export function asFacts(found: unknown, about: Required<About>): Facts {
  if (isFacts(found)) return found
  throw damage(about, 'its size and etag are missing')
}

function isFacts(found: unknown): found is Facts {
  if (typeof found !== 'object' || found === null) return false
  const { etag, size, modified, file }: Partial<Record<keyof Facts, unknown>> = found
  return (
    typeof etag === 'string' &&
    Number.isSafeInteger(size) &&
    typeof modified === 'number' &&
    (file === undefined || file === true)
  )
}
