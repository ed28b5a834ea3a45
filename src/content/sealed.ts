import { CorruptionError, InvalidInputError, UnsupportedError } from '../errors.ts'
import { deflateRaw, inflateRaw } from '../platform/deflate.ts'
import type { JsonValue } from '../protocol/shapes.ts'
import { openDigester } from './digest.ts'
import { fromHex, toHex } from './pack.ts'

// A sealed record: "TMR"; 16 bytes of SHA-256 over the rest; the format; two lengths; deflated JSON; an attachment (the small pack of a version).
const magic = Uint8Array.of(0x54, 0x4d, 0x52)
const format = 1
const checkedFrom = 3 + 16
const lengthsAt = checkedFrom + 1
const jsonAt = lengthsAt + 8

// Nothing larger is written, so a record that claims more is not one of ours: refuse before allocating.
const largestJson = 256 * 1024 * 1024

/**
 * JSON, and perhaps some bytes beside it, in a form in which damage to any byte shows.
 *
 * @throws InvalidInputError `record-too-large`
 */
export async function seal(json: JsonValue, attachment: Uint8Array = new Uint8Array(0)): Promise<Uint8Array> {
  const digester = await openDigester()
  const text = new TextEncoder().encode(JSON.stringify(json))
  if (text.length > largestJson)
    throw new InvalidInputError(
      `What is to be kept together is larger than ${largestJson} bytes. Log large texts and metadata as assets.`,
      { code: 'record-too-large', fields: { limit: largestJson } },
    )
  const deflated = await deflateRaw(text)
  const sealed = new Uint8Array(jsonAt + deflated.length + attachment.length)
  const view = new DataView(sealed.buffer)
  sealed.set(magic)
  sealed[checkedFrom] = format
  view.setUint32(lengthsAt, text.length, true)
  view.setUint32(lengthsAt + 4, deflated.length, true)
  sealed.set(deflated, jsonAt)
  sealed.set(attachment, jsonAt + deflated.length)
  sealed.set(checksum(digester.hex(sealed.subarray(checkedFrom))), magic.length)
  return sealed
}

/**
 * Undoes `seal`.
 *
 * @param what names the record in messages: `the record of flowers:v3`.
 * @throws CorruptionError `record-damaged`; UnsupportedError `record-too-new` for a record of a later format.
 */
export async function unseal(bytes: Uint8Array, what: string): Promise<{ json: JsonValue; attachment: Uint8Array }> {
  const digester = await openDigester()
  if (bytes.length < jsonAt || magic.some((byte, index) => bytes[index] !== byte))
    throw damaged(what, 'it does not begin as a record does')
  const expected = toHex(bytes.subarray(magic.length, checkedFrom))
  if (toHex(checksum(digester.hex(bytes.subarray(checkedFrom)))) !== expected)
    throw damaged(what, 'its checksum does not match')
  if (bytes[checkedFrom] !== format) {
    throw new UnsupportedError(
      `${what} was written by a newer Tidemark (format ${bytes[checkedFrom]}): update to read it.`,
      {
        code: 'record-too-new',
      },
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = view.getUint32(lengthsAt, true)
  const length = view.getUint32(lengthsAt + 4, true)
  if (jsonAt + length > bytes.length || size > largestJson) throw damaged(what, 'its lengths do not fit')
  const text = await inflateRaw(bytes.subarray(jsonAt, jsonAt + length), size)
  return { json: parse(text, what), attachment: bytes.slice(jsonAt + length) }
}

function parse(text: Uint8Array, what: string): JsonValue {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text))
  } catch (cause) {
    throw damaged(what, 'it does not hold JSON', cause)
  }
}

function checksum(hex: string): Uint8Array {
  return fromHex(hex.slice(0, 32))
}

function damaged(what: string, reason: string, cause?: unknown): CorruptionError {
  return new CorruptionError(`${what} is damaged: ${reason}. Restore it from a copy of the store.`, {
    code: 'record-damaged',
    fields: { what },
    cause,
  })
}
