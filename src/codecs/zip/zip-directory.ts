import { CorruptionError, UnsupportedError } from '../../errors.ts'
import type { AssetReader } from '../codec.ts'
import { CENTRAL_HEADER, ENCRYPTED, END, MAX32, UTF8, ZIP64_END, ZIP64_LOCATOR } from './zip-records.ts'

/** One entry as the archive's directory describes it; bytes and offsets within the archive. */
export interface ZipEntry {
  /** As written: `..`, drives and backslashes included. */
  readonly path: string
  readonly size: number
  readonly compressedSize: number
  /** 0 stored, 8 deflated. */
  readonly method: number
  readonly crc32: number
  /** Of its local header. */
  readonly offset: number
  readonly flags: number
  /** The path's bytes. */
  readonly name: Uint8Array
  /** Its data ends here at the latest: the next entry or the directory begins. */
  readonly limit: number
}

type Archive = Pick<AssetReader, 'path' | 'size' | 'range'>

const END_SIZE = 22
const ZIP64_END_SIZE = 56
const ZIP64_LOCATOR_SIZE = 20
const CENTRAL_SIZE = 46
const LOCAL_SIZE = 30
const MAX_COMMENT = 65_535
const MAX_RECORD = CENTRAL_SIZE + 3 * 65_535
/** A directory of a million entries is about 100 MB: read in pieces. */
const PIECE = 1024 * 1024
/** A deflate match of 258 bytes takes 2 bits at least; the block header is forgiven. */
const MAX_EXPANSION = 1032

/** Reads and cross-checks the directory of a zip archive; errors as `openZip`. */
export async function readZipDirectory(archive: Archive): Promise<ZipEntry[]> {
  const end = await findEnd(archive)
  const entries: Mutable<ZipEntry>[] = []
  let at = end.offset
  let window = new Uint8Array(0)
  let start = at
  while (entries.length < end.count) {
    if (at + MAX_RECORD > start + window.length && start + window.length < end.offset + end.size) {
      start = at
      window = await exact(archive, at, Math.min(at + PIECE, end.offset + end.size))
    }
    const record = parseRecord(archive.path, window.subarray(at - start), end.offset)
    entries.push(record.entry)
    at += record.length
  }
  if (at !== end.offset + end.size)
    throw zipDamaged(archive.path, 'its directory holds more than the entries it counts')
  limitEntries(archive.path, entries, end.offset)
  return entries
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

interface End {
  readonly count: number
  readonly size: number
  readonly offset: number
}

async function findEnd(archive: Archive): Promise<End> {
  const { path, size } = archive
  const start = Math.max(0, size - END_SIZE - MAX_COMMENT)
  const tail = await exact(archive, start, size)
  const view = viewOf(tail)
  let at = tail.length - END_SIZE
  while (
    at >= 0 &&
    !(view.getUint32(at, true) === END && at + END_SIZE + view.getUint16(at + 20, true) === tail.length)
  )
    at--
  if (at < 0) throw zipDamaged(path, 'it has no end record; it was cut short, or is no zip')
  const position = start + at
  const disks = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)]
  let end: End = {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  }
  const mayBe64 = end.count === 0xffff || end.size === MAX32 || end.offset === MAX32
  const sixtyFour = mayBe64 ? await findZip64End(archive, position) : undefined
  if (sixtyFour) end = sixtyFour
  else if (disks.some((disk) => disk !== 0) || view.getUint16(at + 8, true) !== end.count) throw multiVolume(path)
  const directoryEnd = sixtyFour ? sixtyFour.position : position
  if (end.offset + end.size !== directoryEnd || end.count * CENTRAL_SIZE > end.size) {
    throw zipDamaged(path, 'its end record does not fit its length')
  }
  return end
}

async function findZip64End(archive: Archive, end: number): Promise<(End & { position: number }) | undefined> {
  const { path } = archive
  if (end < ZIP64_LOCATOR_SIZE + ZIP64_END_SIZE) return undefined
  const locator = viewOf(await exact(archive, end - ZIP64_LOCATOR_SIZE, end))
  if (locator.getUint32(0, true) !== ZIP64_LOCATOR) return undefined
  const position = uint64(path, locator, 8)
  if (position + ZIP64_END_SIZE > end - ZIP64_LOCATOR_SIZE) throw zipDamaged(path, 'its zip64 end record lies outside')
  const record = viewOf(await exact(archive, position, position + ZIP64_END_SIZE))
  if (record.getUint32(0, true) !== ZIP64_END) throw zipDamaged(path, 'its zip64 end record is missing')
  if (record.getUint32(16, true) !== 0 || record.getUint32(20, true) !== 0) throw multiVolume(path)
  return { count: uint64(path, record, 32), size: uint64(path, record, 40), offset: uint64(path, record, 48), position }
}

function parseRecord(path: string, bytes: Uint8Array, directory: number): { entry: Mutable<ZipEntry>; length: number } {
  const view = viewOf(bytes)
  if (bytes.length < CENTRAL_SIZE || view.getUint32(0, true) !== CENTRAL_HEADER) {
    throw zipDamaged(path, 'its directory holds fewer entries than it counts')
  }
  const nameLength = view.getUint16(28, true)
  const extraEnd = CENTRAL_SIZE + nameLength + view.getUint16(30, true)
  const length = extraEnd + view.getUint16(32, true)
  if (length > bytes.length) throw zipDamaged(path, 'its directory ends inside an entry')
  const flags = view.getUint16(8, true)
  const name = bytes.slice(CENTRAL_SIZE, CENTRAL_SIZE + nameLength)
  const entry = {
    path: decodeName(path, name, flags),
    size: view.getUint32(24, true),
    compressedSize: view.getUint32(20, true),
    method: view.getUint16(10, true),
    crc32: view.getUint32(16, true),
    offset: view.getUint32(42, true),
    flags,
    name,
    limit: directory,
  }
  readZip64Extra(path, view, CENTRAL_SIZE + nameLength, extraEnd, entry)
  if (!isPlausible(entry)) {
    throw zipDamaged(path, `'${entry.path}' claims ${entry.size} bytes, which its ${entry.compressedSize} cannot hold`)
  }
  return { entry, length }
}

/** What cannot be read anyway (encrypted, other methods) has sizes of its own. */
function isPlausible({ flags, method, size, compressedSize }: ZipEntry): boolean {
  if (flags & ENCRYPTED) return true
  if (method === 0) return size === compressedSize
  return method !== 8 || size <= compressedSize * MAX_EXPANSION
}

/** Extra field 1 has, in this order, the fields that are all ones in the record. */
function readZip64Extra(path: string, view: DataView, from: number, to: number, entry: Mutable<ZipEntry>): void {
  for (let at = from; at + 4 <= to; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue
    const end = Math.min(to, at + 4 + view.getUint16(at + 2, true))
    let next = at + 4
    for (const key of ['size', 'compressedSize', 'offset'] as const) {
      if (entry[key] !== MAX32) continue
      if (next + 8 > end) throw zipDamaged(path, `the zip64 sizes of '${entry.path}' are missing`)
      entry[key] = uint64(path, view, next)
      next += 8
    }
    return
  }
}

/** Entries must lie one behind another in front of the directory: overlapping ones are how a small archive holds a huge content. */
function limitEntries(path: string, entries: Mutable<ZipEntry>[], directory: number): void {
  let limit = directory
  for (const entry of entries.toSorted((a, b) => b.offset - a.offset)) {
    if (entry.offset + LOCAL_SIZE + entry.name.length + entry.compressedSize > limit) {
      throw zipDamaged(path, `'${entry.path}' overlaps what lies behind it`)
    }
    entry.limit = limit
    limit = entry.offset
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The upper half of code page 437, which names are in when no flag says UTF-8. Many writers leave the flag out: UTF-8 is tried first. */
const CP437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0'

function decodeName(path: string, name: Uint8Array, flags: number): string {
  try {
    return utf8.decode(name)
  } catch (cause) {
    if (flags & UTF8) throw zipDamaged(path, 'a name in its directory is not UTF-8', cause)
    return Array.from(name, (byte) => (byte < 128 ? String.fromCharCode(byte) : CP437[byte - 128])).join('')
  }
}

async function exact(archive: Archive, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await archive.range(start, end)
  if (bytes.length !== end - start) throw zipDamaged(archive.path, 'it ends too early')
  return new Uint8Array(bytes)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function uint64(path: string, view: DataView, at: number): number {
  const value = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32
  if (!Number.isSafeInteger(value)) throw zipDamaged(path, 'a size in it is beyond any file')
  return value
}

function multiVolume(path: string): UnsupportedError {
  return new UnsupportedError(`The zip '${path}' is one volume of several. Join them to one archive first.`, {
    code: 'zip-multi-volume',
    fields: { path },
  })
}

export function zipDamaged(path: string, why: string, cause?: unknown): CorruptionError {
  return new CorruptionError(`The zip '${path}' is damaged: ${why}. Take it from its source again.`, {
    code: 'zip-damaged',
    fields: { path },
    cause,
  })
}
