import { ConflictError, InvalidInputError } from '../errors.ts'
import { isResponse, isUrl } from './capabilities.ts'
import type { AssetReader, Codec, Encoded, Preview } from './codec.ts'
import { type ContentOptions, fileContent } from './file-content.ts'
import type { FileSource } from './file-source.ts'
import { isTextMediaType } from './media-type.ts'
import { isWrapped, unwrap } from './values.ts'

/** Bytes of a text-like file shown in its preview: a screenful, and small beside the record it is stored in. */
const PREVIEW_BYTES = 1024

/**
 * Files as they are: `FileSource`, Blob, File, bytes, ReadableStream, Response, async iterables of bytes, and these in `file(...)`. Name and media type
 * are kept. `get` gives the bytes.
 *
 * Paths and URLs are opened by `openSource` first.
 */
export const fileCodec: Codec = {
  kind: 'file',

  encode(value, { signal } = {}): Encoded | Promise<Encoded> {
    const { content, options } = contentOf(value)
    if (!isResponse(content)) return encodeFile(fileContent(content, options), signal)
    return import('./response-content.ts').then(({ responseContent }) =>
      encodeFile(responseContent(content, options), signal),
    )
  },

  decode: (asset: AssetReader): Promise<Uint8Array> => asset.bytes(),
}

function encodeFile(file: FileSource, signal?: AbortSignal): Encoded {
  const head = new Uint8Array(isTextMediaType(file.mediaType) ? PREVIEW_BYTES : 0)
  let total = 0
  async function* body(): AsyncGenerator<Uint8Array> {
    for await (const piece of file.open(signal)) {
      if (total < head.length) head.set(piece.subarray(0, head.length - total), total)
      total += piece.length
      if (file.size !== undefined && total > file.size) throw changed(file, total)
      yield piece
    }
    if (file.size !== undefined && total !== file.size) throw changed(file, total)
  }
  return {
    kind: 'file',
    extension: '',
    ...(file.name === '' ? undefined : { name: file.name }),
    mediaType: file.mediaType,
    ...(file.size === undefined ? undefined : { size: file.size }),
    cuts: 'content',
    body: body(),
    preview: () => previewOf(file, total, head),
  }
}

function contentOf(value: unknown): { content: unknown; options?: ContentOptions } {
  const { value: content, options } = isWrapped(value) ? unwrap(value) : { value, options: undefined }
  if (typeof content === 'string' || isUrl(content)) {
    throw new InvalidInputError('A path or a URL is opened with openSource before it is encoded.', {
      code: 'source-not-opened',
    })
  }
  return { content, options }
}

function previewOf(file: FileSource, size: number, head: Uint8Array): Preview {
  const text = size === 0 ? undefined : textOf(head.subarray(0, Math.min(size, head.length)), size > head.length)
  return {
    kind: 'file',
    mediaType: file.mediaType,
    size,
    ...(text === undefined ? undefined : { text, truncated: size > head.length }),
  }
}

function textOf(bytes: Uint8Array, more: boolean): string | undefined {
  if (bytes.length === 0) return undefined
  try {
    // `stream` holds back a character cut in half at the end.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: more })
  } catch (error) {
    // Not UTF-8 after all: a file may be called .txt and hold anything.
    if (error instanceof TypeError) return undefined
    throw error
  }
}

function changed(file: FileSource, total: number): ConflictError {
  const name = file.path ?? file.name
  return new ConflictError(
    `${name === '' ? 'The source' : `'${name}'`} should have ${file.size} bytes, and ${total > (file.size ?? 0) ? 'more' : `only ${total}`} came. Log it again when nobody writes to it.`,
    { code: 'file-changed', fields: name === '' ? {} : { path: name } },
  )
}
