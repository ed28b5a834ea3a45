import { InvalidInputError } from '../../errors.ts'
import { requestsTakeStreams } from '../../platform/request-streams.ts'
import type { JsonValue } from '../../protocol/shapes.ts'
import { isDeeperThan, refuseRequest } from '../shape.ts'

// What is much deeper can be parsed, but not written again.
const deepestBody = 256

/** The body of a request, never more of it than `limit` bytes. One that comes in one piece is handed on as it is. */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get('content-length') ?? 0)
  if (declared > limit) throw tooLarge(limit)
  if (!requestsTakeStreams()) {
    const bytes = new Uint8Array(await request.arrayBuffer())
    if (bytes.length > limit) throw tooLarge(limit)
    return bytes
  }
  const pieces: Uint8Array[] = []
  let size = 0
  const reader = request.body?.getReader()
  if (!reader) return new Uint8Array(0)
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.length
      if (size > limit) throw tooLarge(limit)
      pieces.push(next.value)
    }
  } finally {
    // After the end this does nothing; before it, the sender learns that nobody reads on. Not waited for: of a request that was cloned it would not resolve
    // before the other half is cancelled too. A source that also fails to stop has nothing to add.
    void reader.cancel().catch(() => undefined)
  }
  if (pieces.length === 1) return pieces[0]
  const bytes = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** The body as JSON; `undefined` when there is none. */
export async function readJson(request: Request, limit: number): Promise<JsonValue | undefined> {
  const bytes = await readBytes(request, limit)
  if (bytes.length === 0) return undefined
  const type = request.headers.get('content-type') ?? ''
  // A form or a plain-text post can be sent by any web page without asking first; JSON cannot.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new InvalidInputError(`The body is of type '${type.slice(0, 100)}', it must be application/json.`, {
      code: 'invalid-request',
    })
  }
  let json: JsonValue
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new InvalidInputError('The body is not JSON in UTF-8.', { code: 'invalid-request', cause })
  }
  if (isDeeperThan(json, deepestBody)) throw refuseRequest(`it is nested deeper than ${deepestBody} levels`)
  return json
}

function tooLarge(limit: number): InvalidInputError {
  return new InvalidInputError(
    `The request is larger than the ${limit} bytes allowed. What is that large, such as metadata, belongs into an asset.`,
    { code: 'body-too-large', fields: { limit } },
  )
}
