import { InvalidInputError, NotFoundError, PermissionError, throwIfAborted, UnavailableError } from '../errors.ts'
import { piecesOf, piecesOfIterable, piecesOfStream, viewBytes } from './byte-pieces.ts'
import { describe, isAsyncIterable, isBlob, isBytes, isFile, isReadableStream, isResponse } from './capabilities.ts'
import { type FileSource, isFileSource } from './file-source.ts'
import { mediaTypeOf, UNKNOWN_MEDIA_TYPE } from './media-type.ts'

export interface ContentOptions {
  /** What the file is called; else what it says itself, else nothing. */
  readonly name?: string
  readonly mediaType?: string
}

/**
 * One form for every value that holds the bytes of a file. Streams and responses can be opened once; blobs and bytes again and again. A value without
 * a name has the name ''.
 *
 * @throws InvalidInputError `unsupported-value`, `response-used`; what `checkResponse` throws.
 */
export function fileContent(value: unknown, options: ContentOptions = {}): FileSource {
  if (isFileSource(value)) return describedAs(value, options)
  if (isBytes(value)) return fromBytes(viewBytes(value), options)
  if (isResponse(value)) return fromResponse(value, options)
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
    open: (signal) => piecesOfStream(blob.stream(), titled(name, 'the blob'), signal),
  }
}

function fromResponse(response: Response, options: ContentOptions): FileSource {
  checkResponse(response, response.url === '' ? 'The response' : withoutQuery(response.url))
  const name = options.name ?? nameOfResponse(response)
  const said = response.headers.get('content-type')
  const size = sizeOfResponse(response)
  return {
    name,
    // A server that does not know says octet-stream: the name may know more.
    mediaType: options.mediaType ?? (said === null || said.startsWith(UNKNOWN_MEDIA_TYPE) ? mediaTypeOf(name) : said),
    ...(size === undefined ? undefined : { size }),
    open: (signal) =>
      response.body === null
        ? fromBytes(new Uint8Array(0), {}).open(signal)
        : piecesOfStream(response.body, titled(name, 'the response'), signal),
  }
}

/**
 * @throws NotFoundError (404, 410), PermissionError (401, 403), UnavailableError (any other failure), all `http-status`; PermissionError `response-opaque`; InvalidInputError `response-used`
 */
function checkResponse(response: Response, what: string): void {
  const { status, type } = response
  if (type === 'opaque')
    throw new PermissionError(
      `${what} was fetched with mode 'no-cors': the browser keeps its bytes back. Fetch it with mode 'cors', from a server that allows it.`,
      { code: 'response-opaque' },
    )
  if (!response.ok) {
    const options = { code: 'http-status', fields: { status } }
    const message = `${what} answered with status ${status}: there is no file in it.`
    if (status === 404 || status === 410) throw new NotFoundError(message, options)
    if (status === 401 || status === 403) throw new PermissionError(message, options)
    throw new UnavailableError(message, options)
  }
  if (response.bodyUsed) {
    throw new InvalidInputError(`${what} has been read already. Log it before reading it, or log response.clone().`, {
      code: 'response-used',
    })
  }
}

/** Bytes the body will have; unknown when it travels compressed, for then the header counts the compressed ones. */
function sizeOfResponse(response: Response): number | undefined {
  const length = response.headers.get('content-length')
  if (length === null || response.headers.get('content-encoding') !== null || !/^\d{1,15}$/.test(length))
    return undefined
  return Number(length)
}

function nameOfResponse(response: Response): string {
  return dispositionName(response.headers.get('content-disposition') ?? '') ?? nameOfUrl(response.url)
}

// RFC 6266: the encoded form wins. Only the last segment: a server does not choose folders.
function dispositionName(header: string): string | undefined {
  const encoded = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(header)?.[1]
  const plain = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(header)
  const name = encoded === undefined ? (plain?.[1]?.replace(/\\(.)/g, '$1') ?? plain?.[2]) : decoded(encoded)
  return name === undefined ? undefined : lastSegment(name)
}

/** The last segment of a URL's path; '' when it has none. */
export function nameOfUrl(url: string): string {
  if (!/^https?:|^file:/.test(url)) return ''
  return lastSegment(decoded(new URL(url).pathname))
}

function lastSegment(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1).replace(/\p{Cc}/gu, '')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    // A stray % is legal in a URL; it stands for itself then.
    if (error instanceof URIError) return text
    throw error
  }
}

// A query may carry a signature or a token; messages go to logs.
function withoutQuery(url: string): string {
  const parsed = new URL(url)
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`
}

function titled(name: string, otherwise: string): string {
  return name === '' ? otherwise : `'${name}'`
}
