import { CorruptionError } from '../errors.ts'
import { breathe } from '../platform/breathe.ts'
import { inflateRaw } from '../platform/deflate.ts'
import type { ChunkEncoding } from '../protocol/chunk-ref.ts'
import { type Digester, openDigester } from './digest.ts'
import { ByteReader, ByteWriter } from './varint.ts'

// A pack: magic, the stored chunks back to back, an index of them, and a tail that tells the index's length and repeats the magic.
const magic = Uint8Array.of(0x54, 0x4d, 0x50, 0x4b, 0x01, 0, 0, 0) // "TMPK", format 1
const tailMagic = Uint8Array.of(0x54, 0x4d, 0x50, 0x58) // "TMPX"
const tailLength = 8

/** Bytes in front of the first chunk. */
export const packHeader: Uint8Array = magic

/** One chunk as its pack's index tells it. */
export interface PackedChunk {
  readonly digest: string
  readonly size: number
  readonly encoding: ChunkEncoding
  readonly offset: number
  readonly length: number
  /** Of the stored form, 32 hexadecimal digits; for raw chunks `digest` says it. */
  readonly storedDigest?: string
  /** Digest of the base of a delta. */
  readonly base?: string
}

// Chunks have 8 MiB at most, pages 16: an index that tells of more is not believed, lest somebody has memory set aside for it.
const largestChunk = 16 * 1024 * 1024

// Some milliseconds of inflating and digesting.
const checkedAtOnce = 8 * 1024 * 1024

const encodings: readonly ChunkEncoding[] = ['raw', 'deflate', 'delta']

/** The index and tail that follow the chunks, and the name of the pack: the SHA-256 of the index, which names every chunk by digest. */
export function packFooter(chunks: readonly PackedChunk[], digester: Digester): { id: string; footer: Uint8Array } {
  const index = new ByteWriter(chunks.length * 40 + 16)
  for (const chunk of chunks) {
    index.number(encodings.indexOf(chunk.encoding))
    index.number(chunk.length)
    index.number(chunk.size)
    index.bytes(fromHex(chunk.digest))
    if (chunk.storedDigest) index.bytes(fromHex(chunk.storedDigest))
    if (chunk.base) index.bytes(fromHex(chunk.base))
  }
  const id = digester.hex(index.view())
  const footer = new Uint8Array(index.length + tailLength)
  footer.set(index.view())
  new DataView(footer.buffer).setUint32(index.length, index.length, true)
  footer.set(tailMagic, index.length + 4)
  return { id, footer }
}

/**
 * What a pack holds, in order.
 *
 * @throws CorruptionError `pack-damaged` when its structure is not that of a pack.
 */
export function readPackIndex(pack: Uint8Array): PackedChunk[] {
  return parseIndex(indexBytes(pack), pack.length)
}

/**
 * Checks a pack against its name: the index, and the stored form of every chunk.
 *
 * @throws CorruptionError `pack-damaged` naming the pack and what is wrong with it.
 */
export async function verifyPack(pack: Uint8Array, id: string): Promise<void> {
  const digester = await openDigester()
  const index = indexBytes(pack)
  if (digester.hex(index) !== id) throw damaged('its index does not have the digest that is its name', id)
  let checked = 0
  for (const chunk of parseIndex(index, pack.length, id)) {
    const stored = pack.subarray(chunk.offset, chunk.offset + chunk.length)
    const found = digester.hex(stored)
    const expected = chunk.storedDigest ?? chunk.digest
    if (found.slice(0, expected.length) !== expected)
      throw damaged(`chunk ${chunk.digest} is not what its index says`, id)
    if (chunk.encoding === 'deflate' && digester.hex(await inflateRaw(stored, chunk.size)) !== chunk.digest)
      throw damaged(`chunk ${chunk.digest} inflates to something else`, id)
    // A small pack may hold a thousand times as much: others have their turn meanwhile.
    checked += chunk.size
    if (checked < checkedAtOnce) continue
    checked = 0
    await breathe()
  }
}

function indexBytes(pack: Uint8Array): Uint8Array {
  const end = pack.length - tailLength
  if (end < magic.length || !startsWith(pack, 0, magic)) throw damaged('it does not begin as a pack does')
  if (!startsWith(pack, pack.length - tailMagic.length, tailMagic)) throw damaged('it does not end as a pack does')
  const length = new DataView(pack.buffer, pack.byteOffset + end).getUint32(0, true)
  if (length > end - magic.length) throw damaged('its index is said to be longer than the pack')
  return pack.subarray(end - length, end)
}

function parseIndex(index: Uint8Array, packLength: number, id?: string): PackedChunk[] {
  const chunks: PackedChunk[] = []
  let offset = magic.length
  try {
    const reader = new ByteReader(index)
    while (!reader.done) {
      const encoding = encodings[reader.number()]
      if (!encoding) throw new RangeError('an unknown encoding')
      const length = reader.number()
      const size = reader.number()
      if (size > largestChunk) throw new RangeError('a chunk larger than any')
      const digest = toHex(reader.bytes(32))
      const storedDigest = encoding === 'raw' ? undefined : toHex(reader.bytes(16))
      const base = encoding === 'delta' ? toHex(reader.bytes(32)) : undefined
      if (encoding === 'raw' && size !== length) throw new RangeError('a raw chunk with two sizes')
      chunks.push({ digest, size, encoding, offset, length, storedDigest, base })
      offset += length
    }
  } catch (cause) {
    throw damaged('its index cannot be read', id, cause)
  }
  if (offset + index.length + tailLength !== packLength) throw damaged('its chunks do not fill it', id)
  return chunks
}

function startsWith(bytes: Uint8Array, at: number, expected: Uint8Array): boolean {
  return expected.every((byte, index) => bytes[at + index] === byte)
}

function damaged(reason: string, id?: string, cause?: unknown): CorruptionError {
  return new CorruptionError(`Pack ${id ?? ''} is damaged: ${reason}.`.replace('  ', ' '), {
    code: 'pack-damaged',
    fields: { pack: id },
    cause,
  })
}

const hexDigits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += hexDigits[byte]
  return text
}

export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2)
  for (let index = 0; index < bytes.length; index++)
    bytes[index] = (digitOf(text.charCodeAt(index * 2)) << 4) | digitOf(text.charCodeAt(index * 2 + 1))
  return bytes
}

// By arithmetic: `parseInt` of each pair took 8 % of the time of logging 100,000 small assets. Digits are 0x30 to 0x39, letters 0x41 or 0x61 and on.
function digitOf(code: number): number {
  return (code & 15) + (code >> 6) * 9
}
