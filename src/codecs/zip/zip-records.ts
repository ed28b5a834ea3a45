/** The records of a zip archive (PKWARE APPNOTE 6.3.10), as the writer makes them. All numbers are little-endian. */

export const LOCAL_HEADER = 0x04034b50
export const DATA_DESCRIPTOR = 0x08074b50
export const CENTRAL_HEADER = 0x02014b50
export const ZIP64_END = 0x06064b50
export const ZIP64_LOCATOR = 0x07064b50
export const END = 0x06054b50

/** 1980-01-01, the first day a zip can name: equal content, equal bytes. */
const DOS_DATE = 0x0021
export const UTF8 = 0x0800
export const DESCRIPTOR_FOLLOWS = 0x0008
const VERSION = 20
const VERSION_ZIP64 = 45
const MADE_BY_UNIX = 3 << 8
const FILE_ATTRIBUTES = (0o100644 << 16) >>> 0
const FOLDER_ATTRIBUTES = ((0o040755 << 16) | 0x10) >>> 0
/** Of the flags: the content needs a password. */
export const ENCRYPTED = 0x0001
export const MAX32 = 0xffffffff
const MAX_COUNT = 65_534
/** Holds the longest record. */
const DIRECTORY_PIECE = 256 * 1024

export interface ZipRecord {
  readonly name: Uint8Array
  readonly size: number
  readonly offset: number
  readonly flags: number
  readonly crc: number
}

/** Header with zip64 sizes, without the name; a data descriptor is shorter. */
export const LOCAL_MAX = 30 + 20 + 24

export function needsZip64(size: number): boolean {
  return size >= MAX32
}

export function localLength(entry: ZipRecord): number {
  return 30 + entry.name.length + (needsZip64(entry.size) ? 20 : 0)
}

/** Writes the local header at `at`; returns the position behind it. */
export function writeLocal(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  { name, size, flags, crc }: ZipRecord,
): number {
  const streamed = (flags & DESCRIPTOR_FOLLOWS) !== 0
  const zip64 = needsZip64(size)
  view.setUint32(at, LOCAL_HEADER, true)
  view.setUint16(at + 4, zip64 ? VERSION_ZIP64 : VERSION, true)
  view.setUint16(at + 6, flags, true)
  view.setUint16(at + 8, 0, true)
  view.setUint16(at + 10, 0, true)
  view.setUint16(at + 12, DOS_DATE, true)
  view.setUint32(at + 14, streamed ? 0 : crc, true)
  const size32 = zip64 ? MAX32 : streamed ? 0 : size
  view.setUint32(at + 18, size32, true)
  view.setUint32(at + 22, size32, true)
  view.setUint16(at + 26, name.length, true)
  view.setUint16(at + 28, zip64 ? 20 : 0, true)
  bytes.set(name, at + 30)
  let end = at + 30 + name.length
  if (zip64) {
    view.setUint16(end, 1, true)
    view.setUint16(end + 2, 16, true)
    setUint64(view, end + 4, streamed ? 0 : size)
    setUint64(view, end + 12, streamed ? 0 : size)
    end += 20
  }
  return end
}

export function writeDescriptor(view: DataView, at: number, crc: number, size: number, zip64: boolean): number {
  view.setUint32(at, DATA_DESCRIPTOR, true)
  view.setUint32(at + 4, crc, true)
  if (zip64) {
    setUint64(view, at + 8, size)
    setUint64(view, at + 16, size)
    return at + 24
  }
  view.setUint32(at + 8, size, true)
  view.setUint32(at + 12, size, true)
  return at + 16
}

/** The central directory, kept as the bytes it will be: 46 and the name for each entry. */
export function createDirectory() {
  const full: Uint8Array[] = []
  let bytes = new Uint8Array(DIRECTORY_PIECE)
  let view = new DataView(bytes.buffer)
  let at = 0
  let before = 0
  let count = 0

  return {
    add({ name, size, offset, flags, crc }: ZipRecord): void {
      const largeSize = needsZip64(size)
      const largeOffset = offset >= MAX32
      const extra = (largeSize ? 16 : 0) + (largeOffset ? 8 : 0)
      const zip64 = extra > 0
      if (at + 46 + name.length + 4 + extra > DIRECTORY_PIECE) {
        full.push(bytes.subarray(0, at))
        before += at
        bytes = new Uint8Array(DIRECTORY_PIECE)
        view = new DataView(bytes.buffer)
        at = 0
      }
      const version = zip64 ? VERSION_ZIP64 : VERSION
      const folder = name[name.length - 1] === 0x2f
      view.setUint32(at, CENTRAL_HEADER, true)
      view.setUint16(at + 4, MADE_BY_UNIX | version, true)
      view.setUint16(at + 6, version, true)
      view.setUint16(at + 8, flags, true)
      view.setUint16(at + 14, DOS_DATE, true)
      view.setUint32(at + 16, crc, true)
      view.setUint32(at + 20, largeSize ? MAX32 : size, true)
      view.setUint32(at + 24, largeSize ? MAX32 : size, true)
      view.setUint16(at + 28, name.length, true)
      view.setUint16(at + 30, zip64 ? extra + 4 : 0, true)
      view.setUint32(at + 38, folder ? FOLDER_ATTRIBUTES : FILE_ATTRIBUTES, true)
      view.setUint32(at + 42, largeOffset ? MAX32 : offset, true)
      bytes.set(name, at + 46)
      at += 46 + name.length
      if (zip64) {
        view.setUint16(at, 1, true)
        view.setUint16(at + 2, extra, true)
        at += 4
        if (largeSize) {
          setUint64(view, at, size)
          setUint64(view, at + 8, size)
          at += 16
        }
        if (largeOffset) {
          setUint64(view, at, offset)
          at += 8
        }
      }
      count++
    },

    *finish(offset: number): Generator<Uint8Array> {
      const size = before + at
      yield* full
      yield bytes.subarray(0, at)
      yield endRecords(count, size, offset)
    },
  }
}

function endRecords(count: number, size: number, offset: number): Uint8Array {
  const zip64 = count > MAX_COUNT || size >= MAX32 || offset >= MAX32
  const bytes = new Uint8Array(zip64 ? 56 + 20 + 22 : 22)
  const view = new DataView(bytes.buffer)
  let at = 0
  if (zip64) {
    view.setUint32(0, ZIP64_END, true)
    setUint64(view, 4, 44)
    view.setUint16(12, MADE_BY_UNIX | VERSION_ZIP64, true)
    view.setUint16(14, VERSION_ZIP64, true)
    setUint64(view, 24, count)
    setUint64(view, 32, count)
    setUint64(view, 40, size)
    setUint64(view, 48, offset)
    view.setUint32(56, ZIP64_LOCATOR, true)
    setUint64(view, 64, offset + size)
    view.setUint32(72, 1, true)
    at = 76
  }
  view.setUint32(at, END, true)
  view.setUint16(at + 8, Math.min(count, 0xffff), true)
  view.setUint16(at + 10, Math.min(count, 0xffff), true)
  view.setUint32(at + 12, Math.min(size, MAX32), true)
  view.setUint32(at + 16, Math.min(offset, MAX32), true)
  return bytes
}

function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true)
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true)
}
