import { type ArrowHeader, readHeader } from './arrow-header.ts'

const PREFIX = 8

/** One message of a stream, and where its body begins. */
export interface ArrowMessage {
  readonly header: ArrowHeader
  /** Bytes before the body. */
  readonly bodyAt: number
}

export interface WholeMessage extends ArrowMessage {
  readonly body: Uint8Array
}

/**
 * The message that begins these bytes; `undefined` when they end before its metadata does, `'end'` when they end the stream.
 *
 * @throws RangeError when no message begins here.
 */
export function readMessage(bytes: Uint8Array): ArrowMessage | 'end' | undefined {
  if (bytes.byteLength < PREFIX) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREFIX)
  const size = view.getInt32(4, true)
  if (view.getInt32(0, true) !== -1 || size < 0) throw new RangeError('No message begins here.')
  if (size === 0) return 'end'
  if (bytes.byteLength < PREFIX + size) return undefined
  return { header: readHeader(bytes.subarray(PREFIX, PREFIX + size)), bodyAt: PREFIX + size }
}

/** Whole messages, one after another, each with its body. @throws RangeError when the last is not whole. */
export function* messagesIn(bytes: Uint8Array): Generator<WholeMessage> {
  for (let at = 0; at < bytes.byteLength; ) {
    const message = readMessage(bytes.subarray(at))
    if (message === undefined) throw new RangeError(`The message at byte ${at} is cut off.`)
    if (message === 'end') return
    const bodyAt = at + message.bodyAt
    const end = bodyAt + message.header.bodyBytes
    if (end > bytes.byteLength) throw new RangeError(`The body at byte ${bodyAt} is cut off.`)
    yield { ...message, body: bytes.subarray(bodyAt, end) }
    at = end
  }
}
