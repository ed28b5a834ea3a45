import { CorruptionError, InvalidInputError, isTidemarkError } from '../errors.ts'
import { describe } from './capabilities.ts'
import type { AssetReader, Codec, Encoded } from './codec.ts'
import { textOf } from './text-of.ts'

/** Characters encoded at a time: a piece of at most 768 KiB, near the largest chunk and small beside the text. */
const SLICE = 256 * 1024
/** Characters shown in a preview: a screenful, and small beside the record it is stored in. */
const PREVIEW_LENGTH = 1000

const encoder = new TextEncoder()

/**
 * Strings as UTF-8 text. A string with a lone surrogate has no UTF-8 and is refused, so that `get` gives back exactly what was logged; a byte
 * order mark and line ends stay as they are.
 */
export const textCodec: Codec = {
  kind: 'text',

  encode(value): Encoded {
    if (typeof value !== 'string') {
      throw new InvalidInputError(`Text is a string, this is ${describe(value)}.`, { code: 'unsupported-value' })
    }
    const lone = value.search(/\p{Surrogate}/u)
    if (lone !== -1) {
      throw new InvalidInputError(
        `The text has half a surrogate pair at index ${lone}, which UTF-8 cannot express. Repair it (toWellFormed()), or log it as json.`,
        { code: 'lone-surrogate', fields: { index: lone } },
      )
    }
    return {
      kind: 'text',
      extension: '.txt',
      mediaType: 'text/plain; charset=utf-8',
      cuts: 'content',
      body: encodeSlices(value),
      preview: () => ({
        kind: 'text',
        text: firstCharacters(value, PREVIEW_LENGTH),
        length: value.length,
        truncated: value.length > PREVIEW_LENGTH,
      }),
    }
  },

  async decode(asset: AssetReader): Promise<string> {
    const bytes = await asset.bytes()
    try {
      return textOf(bytes, asset)
    } catch (cause) {
      if (isTidemarkError(cause)) throw cause
      throw new CorruptionError(`The text '${asset.path}' is not valid UTF-8.`, {
        code: 'text-damaged',
        fields: { path: asset.path },
        cause,
      })
    }
  },
}

function* encodeSlices(text: string): Generator<Uint8Array> {
  for (let start = 0; start < text.length; ) {
    const slice = firstCharacters(text.slice(start, start + SLICE + 1), SLICE)
    yield encoder.encode(slice)
    start += slice.length
  }
}

/** Never half of a surrogate pair. */
function firstCharacters(text: string, length: number): string {
  if (text.length <= length) return text
  const last = text.charCodeAt(length - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length)
}
