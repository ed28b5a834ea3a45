import { CorruptionError, isTidemarkError } from '../errors.ts'
import type { AssetReader, Codec, Encoded } from './codec.ts'
import { readPlain } from './json/json-read.ts'
import { MARK, writeJson } from './json/json-write.ts'
import { textOf } from './text-of.ts'

const PREVIEW_CHARACTERS = 1500

/**
 * Plain values as JSON text that any tool reads: UTF-8, two spaces a level, one line feed at the end, keys in their order. `get` gives back
 * an equal value.
 *
 * What JSON has no notation for becomes an object with the one key `$tidemark`:
 *
 * | value | text |
 * |---|---|
 * | `NaN`, `Infinity`, `-Infinity`, `-0` | `{"$tidemark": "NaN"}`, `"Infinity"`, `"-Infinity"`, `"-0"` |
 * | `undefined` in an array, Map, Set or alone | `{"$tidemark": "undefined"}` (a hole of an array too) |
 * | `undefined` as a property | left out, as JSON does |
 * | `10n` | `{"$tidemark": ["bigint", "10"]}` |
 * | Date | `{"$tidemark": ["Date", "2026-01-31T12:00:00.000Z"]}`; an invalid one `["Date", null]` |
 * | Map | `{"$tidemark": ["Map", [[key, value], ...]]}` |
 * | Set | `{"$tidemark": ["Set", [value, ...]]}` |
 * | typed array | `{"$tidemark": ["Float32Array", [1, 0.5, ...]]}`, each number exactly; 64-bit ones as strings |
 * | `Uint8Array`, ArrayBuffer, DataView | `{"$tidemark": ["Uint8Array", "base64..."]}`, `"ArrayBuffer"`, `"DataView"` |
 * | an object with the key `$tidemark` | `{"$tidemark": ["object", [[key, value], ...]]}` |
 *
 * Functions, symbols, regular expressions and class instances are refused, also those with a `toJSON`: what it gives is not what `get` would
 * have to give back. Values inside themselves are refused; the same object in two places is written twice. `__proto__` is a key like any
 * other. An object without a prototype comes back as a plain one. More than 256 levels of nesting are refused.
 *
 * @example
 * ```ts
 * import { jsonCodec } from './json.ts'
 *
 * const { body } = await jsonCodec.encode({ lr: 1e-3, layers: [64, 64] })
 * ```
 */
export const jsonCodec: Codec = { kind: 'json', encode, decode }

/** @throws InvalidInputError naming the value that cannot be stored, `value.layers[2].activation`. */
function encode(value: unknown): Encoded {
  const parts = writeJson(value)
  return {
    kind: 'json',
    extension: '.json',
    mediaType: 'application/json',
    cuts: 'content',
    body: utf8(parts),
    preview: () => ({ kind: 'json', text: shortened(parts) }),
  }
}

function* utf8(parts: readonly string[]): Generator<Uint8Array> {
  const encoder = new TextEncoder()
  for (const part of parts) yield encoder.encode(part)
}

function shortened(parts: readonly string[]): string {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  let text = ''
  for (const part of parts) {
    if (text.length > PREVIEW_CHARACTERS) break
    text += part
  }
  if (length <= PREVIEW_CHARACTERS) return text.trimEnd()
  // Never half of a surrogate pair.
  const end = /[\uD800-\uDBFF]/.test(text.charAt(PREVIEW_CHARACTERS - 1)) ? PREVIEW_CHARACTERS - 1 : PREVIEW_CHARACTERS
  return `${text.slice(0, end)}\n… ${length} characters in all`
}

/** @throws CorruptionError `json-damaged` when the bytes are not JSON, or not as this codec writes it. */
async function decode(asset: AssetReader): Promise<unknown> {
  const bytes = await asset.bytes()
  // A byte order mark is what an editor left; anything that is not UTF-8 is damage.
  const text = damagedUnless(asset.path, () => textOf(bytes, asset).replace(/^\uFEFF/, ''))
  if (!mayHaveMarks(text)) return damagedUnless(asset.path, () => readPlain(text))
  const { readMarked } = await import('./json/json-marked.ts')
  return damagedUnless(asset.path, () => readMarked(text))
}

/** A key may be written with escapes, too. */
function mayHaveMarks(text: string): boolean {
  return text.includes(MARK) || text.includes('\\u')
}

function damagedUnless<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (isTidemarkError(cause)) throw cause
    throw new CorruptionError(`'${path}' is not readable JSON. Verify the version, or log the value again.`, {
      code: 'json-damaged',
      fields: { path },
      cause,
    })
  }
}
