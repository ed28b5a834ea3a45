import { InvalidInputError, isTidemarkError, throwIfAborted } from '../errors.ts'
import { piecesOf, piecesOfIterable, piecesOfStream, sourceError, viewBytes } from './byte-pieces.ts'
import { describe, isAsyncIterable, isBlob, isBytes, isFile, isReadableStream } from './capabilities.ts'
import { type FileSource, isFileSource } from './file-source.ts'
import { mediaTypeOf } from './media-type.ts'

export interface ContentOptions {
  /** What the file is called; else what it says itself, else nothing. */
  readonly name?: string
  readonly mediaType?: string
}

/**
 * One form for every value that holds the bytes of a file; for a `Response` there is `responseContent`. Streams can be opened once; blobs and bytes again
 * and again. A value without a name has the name ''.
 *
 * @throws InvalidInputError `unsupported-value`
 */
export function fileContent(value: unknown, options: ContentOptions = {}): FileSource {
  if (isFileSource(value)) return describedAs(value, options)
  if (isBytes(value)) return fromBytes(viewBytes(value), options)
  if (isBlob(value)) return fromBlob(value, options)
  const name = options.name ?? ''
  const mediaType = options.mediaType ?? mediaTypeOf(name)
  if (isReadableStream(value))
    return { name, mediaType, open: (signal) => piecesOfStream(value, titled(name, 'the stream'), signal) }
  if (isAsyncIterable(value))
    return { name, mediaType, open: (signal) => piecesOfIterable(value, titled(name, 'the stream'), signal) }
  throw new InvalidInputError(
    `A file is a path, a URL, a File, a Blob, bytes, a ReadableStream, a Response or an async iterable of bytes; this is ${describe(value)}.`,
    { code: 'unsupported-value', fields: { value: describe(value) } },
  )
}

function describedAs(source: FileSource, { name, mediaType }: ContentOptions): FileSource {
  if (name === undefined && mediaType === undefined) return source
  return {
    ...(source.path === undefined ? undefined : { path: source.path }),
    ...(source.size === undefined ? undefined : { size: source.size }),
    ...(source.modified === undefined ? undefined : { modified: source.modified }),
    name: name ?? source.name,
    mediaType: mediaType ?? (name === undefined ? source.mediaType : mediaTypeOf(name)),
    open: (signal) => source.open(signal),
  }
}

function fromBytes(bytes: Uint8Array, { name = '', mediaType = mediaTypeOf(name) }: ContentOptions): FileSource {
  async function* open(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    for (const piece of piecesOf(bytes)) {
      throwIfAborted(signal)
      yield piece
    }
  }
  return { name, mediaType, size: bytes.length, open }
}

function fromBlob(blob: Blob, options: ContentOptions): FileSource {
  const name = options.name ?? (isFile(blob) ? blob.name : '')
  return {
    name,
    mediaType: options.mediaType ?? (blob.type === '' ? mediaTypeOf(name) : blob.type),
    size: blob.size,
    ...(isFile(blob) && typeof blob.lastModified === 'number' ? { modified: blob.lastModified } : undefined),
    open: (signal) => piecesOfBlob(blob, titled(name, 'the blob'), signal),
  }
}

async function* piecesOfBlob(blob: Blob, name: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* piecesOfStream(blob.stream(), name, signal)
  } catch (error) {
    if (isTidemarkError(error) && error.code === 'read-failed') await assertReadable(blob, name)
    throw error
  }
}

/** The stream of a file that has changed speaks of the network in browsers; whoever reads it otherwise is told, though by AbortError in Firefox 153. */
async function assertReadable(blob: Blob, name: string): Promise<void> {
  try {
    await blob.slice(0, 1).arrayBuffer()
  } catch (cause) {
    const gone = cause instanceof Error && cause.name === 'NotFoundError'
    throw sourceError(gone ? cause : new DOMException(String(cause), 'NotReadableError'), name)
  }
}

export function titled(name: string, otherwise: string): string {
  return name === '' ? otherwise : `'${name}'`
}
