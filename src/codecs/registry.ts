import { UnsupportedError } from '../errors.ts'
import type { AssetKind, Codec } from './codec.ts'
import { readingValue } from './reading-value.ts'

/** Codecs by kind, each loaded when it is first met: Arrow alone is 50 kB. */
export type CodecRegistry = Map<string, () => Promise<Codec>>

/** A registry with the built-in codecs, to add to or replace in without touching anyone else's. */
export function createCodecs(): CodecRegistry {
  const builtIn: Record<AssetKind, () => Promise<Codec>> = {
    // Named, so that bundlers make a part of its own of Arrow: it is half of what tables need, and stays what it was when Tidemark changes.
    table: async () => (await Promise.all([import('./table.ts'), import('./arrow/arrow.ts')]))[0].tableCodec,
    json: async () => (await import('./json.ts')).jsonCodec,
    npz: async () => (await import('./npz.ts')).npzCodec,
    png: async () => (await import('./png.ts')).pngCodec,
    zip: async () => (await import('./zip.ts')).zipCodec,
    text: async () => (await import('./text.ts')).textCodec,
    file: async () => (await import('./file.ts')).fileCodec,
  }
  return new Map(Object.entries(builtIn))
}

/** The codecs used where no others were given. */
export const codecs: CodecRegistry = createCodecs()

/**
 * The codec of a kind.
 *
 * @throws UnsupportedError `unknown-asset-kind`: the asset was written by a newer version, or with a codec that is not registered here.
 */
export async function loadCodec(kind: string, registry: CodecRegistry = codecs): Promise<Codec> {
  const load = registry.get(kind)
  if (load === undefined) throw unknownKind(kind)
  const known = loaded.get(load)
  if (known !== undefined) return known
  const loading = load().then(guarded)
  loaded.set(load, loading)
  // The next one tries again.
  loading.catch(() => loaded.delete(load))
  return loading
}

// A dynamic import takes 20 us and 2 KB of garbage also when the module is there: too much to ask for each of 100,000 files.
const loaded = new WeakMap<() => Promise<Codec>, Promise<Codec>>()

function guarded(codec: Codec): Codec {
  return {
    kind: codec.kind,
    encode: (value, options) => readingValue(() => codec.encode(value, options), options?.signal),
    decode: (asset) => codec.decode(asset),
  }
}

function unknownKind(kind: string): UnsupportedError {
  return new UnsupportedError(
    `No codec reads assets of kind '${kind}' here. Update tidemark, or read the bytes with open().`,
    {
      code: 'unknown-asset-kind',
      fields: { kind },
    },
  )
}
