import { builtin } from './builtin.ts'

const zlib = builtin('node:zlib')

/**
 * CRC-32 as zip, gzip and PNG use it, unsigned. Pass the result for the bytes before as `previous` to go on.
 *
 * @example
 * ```ts
 * crc32(new TextEncoder().encode('123456789')) // 0xcbf43926
 * ```
 */
export function crc32(bytes: Uint8Array, previous = 0): number {
  return zlib?.crc32?.(bytes, previous) ?? portableCrc32(bytes, previous)
}

/** The same without Node's zlib: 16 table look-ups for 16 bytes at a time (1.65 GB/s where zlib.crc32 does 5). */
export function portableCrc32(bytes: Uint8Array, previous = 0): number {
  const t = slices()
  let crc = ~previous
  let i = 0
  for (const end = bytes.length - 15; i < end; i += 16) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24)
    crc =
      t[0xf00 | (crc & 255)] ^
      t[0xe00 | ((crc >>> 8) & 255)] ^
      t[0xd00 | ((crc >>> 16) & 255)] ^
      t[0xc00 | (crc >>> 24)] ^
      t[0xb00 | bytes[i + 4]] ^
      t[0xa00 | bytes[i + 5]] ^
      t[0x900 | bytes[i + 6]] ^
      t[0x800 | bytes[i + 7]] ^
      t[0x700 | bytes[i + 8]] ^
      t[0x600 | bytes[i + 9]] ^
      t[0x500 | bytes[i + 10]] ^
      t[0x400 | bytes[i + 11]] ^
      t[0x300 | bytes[i + 12]] ^
      t[0x200 | bytes[i + 13]] ^
      t[0x100 | bytes[i + 14]] ^
      t[bytes[i + 15]]
  }
  for (; i < bytes.length; i++) crc = t[(crc ^ bytes[i]) & 255] ^ (crc >>> 8)
  return ~crc >>> 0
}

/** Reversed 0x04c11db7. */
const POLYNOMIAL = 0xedb88320

let tables: Int32Array | undefined

/** Table k, at k * 256, advances a byte over k more bytes of zeros. */
function slices(): Int32Array {
  if (tables) return tables
  const t = new Int32Array(16 * 256)
  for (let n = 0; n < 256; n++) {
    let crc = n
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    t[n] = crc
  }
  for (let n = 256; n < t.length; n++) {
    const before = t[n - 256]
    t[n] = (before >>> 8) ^ t[before & 255]
  }
  tables = t
  return t
}
