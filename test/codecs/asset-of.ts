import type { AssetReader, Encoded } from '../../src/codecs/codec.ts'

export async function bytesOfBody(encoded: Encoded): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  // A piece is valid until the next one is asked for.
  for await (const piece of encoded.body) pieces.push(piece.slice())
  return Buffer.concat(pieces)
}

/** A stored asset of these bytes. */
export function assetOf(bytes: Uint8Array, path = 'asset'): AssetReader {
  return {
    path,
    mediaType: 'application/octet-stream',
    size: bytes.length,
    range: async (start, end) => bytes.subarray(Math.min(start, bytes.length), Math.min(end, bytes.length)),
    bytes: async () => bytes,
    stream: async function* () {
      yield bytes
    },
  }
}
