import { sizeOfResponse } from '../codecs/response-size.ts'
import type { RemoteReference } from '../content/entry.ts'
import {
  errorFromWire,
  InvalidInputError,
  type TidemarkError,
  throwIfAborted,
  UnavailableError,
  UnsupportedError,
} from '../errors.ts'
import { describe } from '../options.ts'
import { reasonOf } from './api/reason.ts'
import { categoryOf } from './api/status-category.ts'
import { parseUri, remoteName } from './remote-uri.ts'

export interface RemoteOptions {
  /** List what is below the URI, and keep its state; default true where it can be done. */
  readonly sync?: boolean
  /** Ask the server once for the size and ETag, so that a change can be noticed later; default true. */
  readonly checksum?: boolean
  /** Most objects one URI may stand for; default 10,000,000. */
  readonly maxObjects?: number
  readonly signal?: AbortSignal
}

/**
 * What is stored of data that stays where it is, and its name there. For `http:` and `https:` the server is asked for size and ETag, unless `checksum` is false; of other schemes only the
 * link is kept.
 *
 * @throws InvalidInputError `invalid-uri`, `uri-has-credentials`; NotFoundError, PermissionError, UnavailableError `remote-unavailable`; UnsupportedError `sync-unsupported`
 */
export async function linkTo(
  given: string,
  options: RemoteOptions = {},
): Promise<{ readonly name: string; readonly reference: RemoteReference }> {
  const url = parseUri(given)
  return { name: remoteName(url), reference: await referTo(given, url, options) }
}

async function referTo(
  uri: string,
  { protocol }: URL,
  { sync, checksum = true, maxObjects, signal }: RemoteOptions,
): Promise<RemoteReference> {
  if (maxObjects !== undefined && !(Number.isSafeInteger(maxObjects) && maxObjects > 0))
    throw new InvalidInputError(`maxObjects must be a whole number above 0, not ${describe(maxObjects)}.`, {
      code: 'invalid-option',
      fields: { option: 'maxObjects' },
    })
  if (protocol === 'http:' || protocol === 'https:')
    return checksum && sync !== false ? ask(uri, signal) : { uri, synced: false }
  if (sync === true || maxObjects !== undefined)
    throw new UnsupportedError(
      `Objects below ${uri} cannot be listed yet. Leave sync and maxObjects out: the link itself is stored then.`,
      {
        code: 'sync-unsupported',
        fields: { uri },
      },
    )
  return { uri, synced: false }
}

async function ask(uri: string, signal: AbortSignal | undefined): Promise<RemoteReference> {
  const head = await request(uri, 'HEAD', signal)
  // Some servers and all presigned links for GET refuse HEAD.
  const response = head.ok ? head : await request(uri, 'GET', signal)
  await response.body?.cancel()
  if (!response.ok)
    throw unavailable(uri, categoryOf(response.status), `it was answered with status ${response.status}`)
  const etag = response.headers.get('etag') ?? undefined
  const size = sizeOfResponse(response)
  return {
    uri,
    ...(etag !== undefined && { etag }),
    ...(size !== undefined && { size }),
    synced: etag !== undefined || size !== undefined,
  }
}

async function request(uri: string, method: 'HEAD' | 'GET', signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(uri, { method, signal })
  } catch (cause) {
    throwIfAborted(signal)
    throw unavailable(uri, UnavailableError.category, reasonOf(cause), cause)
  }
}

function unavailable(given: string, category: string, reason: string, cause?: unknown): TidemarkError {
  // A query may carry a signature, and messages go to logs.
  const uri = given.replace(/[?#].*$/, '')
  return errorFromWire(
    category,
    `${uri} could not be looked at: ${reason}. Check the address, or pass checksum: false to store the link alone.`,
    {
      code: 'remote-unavailable',
      fields: { uri },
      cause,
    },
  )
}
