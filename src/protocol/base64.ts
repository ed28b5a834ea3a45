import { InvalidInputError } from '../errors.ts'

// `String.fromCharCode(...bytes)` overflows the stack on long input; pieces of this size do not.
const piece = 8192

/** Standard base64 with padding: how small packs travel in JSON. */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += piece) text += String.fromCharCode(...bytes.subarray(at, at + piece))
  return btoa(text)
}

/** @throws InvalidInputError `invalid-base64` */
export function fromBase64(text: string): Uint8Array {
  let binary: string
  try {
    binary = atob(text)
  } catch (cause) {
    throw new InvalidInputError('A field that should hold base64 holds something else.', {
      code: 'invalid-base64',
      cause,
    })
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}

/** The text's UTF-8 bytes in base64 with the URL-safe alphabet, without padding. */
export function toBase64Url(text: string): string {
  return toBase64(new TextEncoder().encode(text)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** @throws InvalidInputError `invalid-base64` when the text is not what `toBase64Url` makes of some string. */
export function fromBase64Url(text: string): string {
  try {
    const decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      fromBase64(text.replaceAll('-', '+').replaceAll('_', '/')),
    )
    if (toBase64Url(decoded) === text) return decoded
  } catch (cause) {
    throw invalid(cause)
  }
  throw invalid()
}

function invalid(cause?: unknown): InvalidInputError {
  return new InvalidInputError('An identifier is not one that was given out.', { code: 'invalid-base64', cause })
}
