import { CorruptionError, isTidemarkError, UnavailableError } from '../../errors.ts'
import type { Api, CallOptions } from '../api.ts'
import { toClientError } from './api-error.ts'
import { pauseAfter } from './retry.ts'
import { streamOf } from './stream-of.ts'

export interface ResumedOptions extends Pick<CallOptions, 'search' | 'signal'> {
  readonly start?: number
  readonly end?: number
  /** Of the whole file. Where it is not known, the file ends where the answer does. */
  readonly size?: number
}

/**
 * The bytes of a file, or of one span of it, while they arrive. An answer that breaks off is asked for again from there, or passed over up to there where the server
 * knows no ranges: until the connection's attempts are used up without anything new. A file that is shorter than `size`, or longer, is left to the caller.
 *
 * @throws UnavailableError when it keeps breaking off; CorruptionError `asset-changed` when what follows is of another file
 */
export async function* resumedBytes(
  api: Api,
  path: string,
  { search, signal, start = 0, size = Number.POSITIVE_INFINITY, ...rest }: ResumedOptions,
): AsyncGenerator<Uint8Array> {
  const end = Math.min(rest.end ?? size, size)
  const isToTheEnd = end === size
  const what = `GET ${path}`
  const tries = api.retries(what, signal)
  let etag: string | null = null
  let failures = 0
  for (let at = start; at < end || (at === 0 && isToTheEnd); ) {
    const from = at
    const response = await answerFrom(api, path, { search, signal, start: from, ...(!isToTheEnd && { end }) })
    if (!response) return
    const first = firstByte(response) ?? from
    const tag = response.headers.get('etag')
    if (first > from || (etag !== null && tag !== null && tag !== etag)) {
      await response.body?.cancel()
      throw changed(what)
    }
    etag ??= tag
    let failure: unknown = endedEarly(what)
    try {
      let position = first
      for await (const piece of piecesOf(response)) {
        const wanted = piece.subarray(
          Math.max(0, at - position),
          isToTheEnd ? piece.length : Math.max(0, end - position),
        )
        position += piece.length
        at += wanted.length
        if (wanted.length > 0) yield wanted
        if (isToTheEnd ? at > end : at >= end) return
      }
      if (at >= size || size === Number.POSITIVE_INFINITY) return
    } catch (error) {
      failure = await toClientError(error, what, signal, api.remote)
    }
    // What is new is a new beginning - not where all that came before is sent each time.
    failures = at > from && first === from ? 1 : failures + 1
    await pauseAfter(failure, failures, tries)
  }
}

/** A file whose size is not known, in one piece. */
export async function wholeFile(
  api: Api,
  path: string,
  options: Pick<ResumedOptions, 'search' | 'signal'>,
): Promise<Uint8Array> {
  const bytes = streamOf(resumedBytes(api, path, options))
  return new Uint8Array(await new Response(bytes).arrayBuffer())
}

/** `undefined` when nothing is left there, though something came before. */
async function answerFrom(
  api: Api,
  path: string,
  { search, signal, start, end }: Pick<ResumedOptions, 'search' | 'signal' | 'end'> & { readonly start: number },
): Promise<Response | undefined> {
  const headers: Record<string, string> =
    start > 0 || end !== undefined ? { range: `bytes=${start}-${end === undefined ? '' : end - 1}` } : {}
  try {
    return await api.response('GET', path, { search, headers, signal })
  } catch (error) {
    if (start > 0 && isTidemarkError(error) && isNothingThere(error)) return undefined
    throw error
  }
}

function isNothingThere({
  code,
  fields,
}: {
  readonly code: string
  readonly fields: Readonly<Record<string, unknown>>
}) {
  return code === 'range-not-satisfiable' || fields.status === 416
}

/** Where in the file an answer begins. Browsers hide that of other sites, unless these say otherwise: it is then what was asked for. */
function firstByte({ status, headers }: Response): number | undefined {
  if (status !== 206) return 0
  const first = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1]
  return first === undefined ? undefined : Number(first)
}

async function* piecesOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  if (!reader) return
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    await reader.cancel()
  }
}

function endedEarly(what: string): UnavailableError {
  return new UnavailableError(
    `The answer to ${what} ended before its time. Check the network, and what lies between.`,
    {
      code: 'no-connection',
      fields: { transient: true },
    },
  )
}

function changed(what: string): CorruptionError {
  return new CorruptionError(`What ${what} gives was changed while it was read. Read it again.`, {
    code: 'asset-changed',
  })
}
