import type { AssetReader } from '../../src/codecs/codec.ts'

/** Bytes as a stored asset. They sit at an odd offset of a larger buffer, as a slice of a pack does. */
export function assetOf(content: Uint8Array, path = 'asset'): AssetReader {
  const bytes = atOddOffset(content)
  return {
    path,
    mediaType: 'application/octet-stream',
    size: bytes.length,
    range: async (start, end) => bytes.subarray(Math.min(start, bytes.length), Math.min(end, bytes.length)),
    bytes: async () => bytes,
    async *stream() {
      for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000)
    },
  }
}

export function atOddOffset(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length + 7)
  larger.set(bytes, 3)
  return larger.subarray(3, 3 + bytes.length)
}

/** All pieces in one buffer; each is copied before the next is asked for, as its buffer may be used again. */
export async function collect(pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const copies: Uint8Array[] = []
  for await (const piece of pieces) copies.push(piece.slice())
  return concat(copies)
}

export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
