import { UnsupportedError } from '../errors.ts'
import type { AssetReader } from './codec.ts'

/**
 * UTF-8 as a string, a byte order mark included.
 *
 * @throws UnsupportedError `text-too-long`; TypeError, to be wrapped by the caller, when it is no UTF-8
 */
export function textOf(bytes: Uint8Array, { path, size }: Pick<AssetReader, 'path' | 'size'>): string {
  const tooLong = (cause?: unknown) =>
    new UnsupportedError(`The text '${path}' is longer than a string of this runtime can be. Read it with open().`, {
      code: 'text-too-long',
      fields: { path, size },
      cause,
    })
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw isTooLong(error) ? tooLong(error) : error
  }
  // Chromium 156 says so by giving nothing.
  if (text === '' && bytes.length > 0) throw tooLong()
  return text
}

// Node throws an Error with this code, JavaScriptCore a RangeError; invalid UTF-8 is a TypeError everywhere.
function isTooLong(error: unknown): boolean {
  return (
    error instanceof RangeError || (error instanceof Error && 'code' in error && error.code === 'ERR_STRING_TOO_LONG')
  )
}
