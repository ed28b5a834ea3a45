import { fileContent } from '../codecs/file-content.ts'
import type { FileSource } from '../codecs/file-source.ts'
import { nameOfUrl, responseContent } from '../codecs/response-content.ts'
import { AbortedError, InvalidInputError, throwIfAborted, UnavailableError } from '../errors.ts'

export interface FetchOptions {
  /** Instead of the global one: a proxy, a test, credentials. */
  readonly fetch?: typeof globalThis.fetch
  readonly signal?: AbortSignal
}

const schemes = new Set(['http:', 'https:', 'blob:', 'data:'])

/**
 * The file behind a URL, fetched now; its bytes are read once, as they come.
 *
 * @throws InvalidInputError `unknown-url-scheme`; NotFoundError, PermissionError, UnavailableError `http-status`; UnavailableError `fetch-failed`
 */
export async function fetchFile(
  url: URL,
  { fetch = globalThis.fetch, signal }: FetchOptions = {},
): Promise<FileSource> {
  throwIfAborted(signal)
  if (!schemes.has(url.protocol)) {
    throw new InvalidInputError(
      `A URL that begins with '${url.protocol}' cannot be fetched. Link it with addRemote, or use file:, http: or https:.`,
      { code: 'unknown-url-scheme', fields: { scheme: url.protocol } },
    )
  }
  const response = await fetchOrExplain(url, fetch, signal)
  try {
    const file = responseContent(response)
    const name = file.name === '' ? nameOfUrl(url.href) : file.name
    return name === file.name ? file : fileContent(file, { name, mediaType: file.mediaType })
  } catch (error) {
    // An answer nobody will read holds its connection.
    await response.body?.cancel().catch(() => undefined)
    throw error
  }
}

async function fetchOrExplain(
  url: URL,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal | undefined,
): Promise<Response> {
  try {
    return await fetch(url, signal === undefined ? {} : { signal })
  } catch (cause) {
    if (signal?.aborted) throw new AbortedError('The operation was aborted.', { code: 'aborted', cause })
    // Without the query: it may carry a signature or a token.
    const shown = url.protocol.startsWith('http') ? `${url.origin}${url.pathname}` : url.protocol
    throw new UnavailableError(
      `'${shown}' could not be fetched. Check the address and the network; in a browser, whether it allows this page (CORS).`,
      {
        code: 'fetch-failed',
        cause,
      },
    )
  }
}
