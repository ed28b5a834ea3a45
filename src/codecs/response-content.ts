import { InvalidInputError, NotFoundError, PermissionError, UnavailableError } from '../errors.ts'
import { piecesOfStream } from './byte-pieces.ts'
import { type ContentOptions, fileContent, titled } from './file-content.ts'
import type { FileSource } from './file-source.ts'
import { mediaTypeOf, UNKNOWN_MEDIA_TYPE } from './media-type.ts'
import { sizeOfResponse } from './response-size.ts'

/**
 * The file that is the body of a response; it can be opened once.
 *
 * @throws InvalidInputError `response-used`; what `checkResponse` throws
 */
export function responseContent(response: Response, options: ContentOptions = {}): FileSource {
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
        ? fileContent(new Uint8Array(0)).open(signal)
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
