import type { AssetReader } from '../../codecs/codec.ts'
import { loadCodec } from '../../codecs/registry.ts'
import type { Entry } from '../../content/entry.ts'
import type { VersionReading } from '../../content/version-reading.ts'
import { UnsupportedError } from '../../errors.ts'

/** The value that an asset of a version holds. */
export async function decodeAsset(reader: VersionReading, entry: Entry, signal?: AbortSignal): Promise<unknown> {
  const codec = await loadCodec(entry.kind)
  return codec.decode(readAsset(reader, entry, signal))
}

/** An asset of a version, as codecs read it. */
export function readAsset(reader: VersionReading, entry: Entry, signal?: AbortSignal): AssetReader {
  const { path, mediaType, size } = entry
  const range = async (start: number, end: number) =>
    collect(reader.read(entry, { start, end, signal }), Math.max(0, Math.min(end, size) - Math.max(0, start)), path)
  return { path, mediaType, size, range, bytes: () => range(0, size), stream: () => reader.read(entry, { signal }) }
}

async function collect(pieces: AsyncIterable<Uint8Array>, size: number, path: string): Promise<Uint8Array> {
  const bytes = allocate(size, path)
  let filled = 0
  for await (const piece of pieces) {
    bytes.set(piece, filled)
    filled += piece.length
  }
  return bytes
}

function allocate(size: number, path: string): Uint8Array {
  try {
    return new Uint8Array(size)
  } catch (cause) {
    throw new UnsupportedError(
      `'${path}' has ${size} bytes: more than this runtime holds in one piece. Read it with open(), or download it.`,
      {
        code: 'asset-too-large',
        fields: { path, size },
        cause,
      },
    )
  }
}
