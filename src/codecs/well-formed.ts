import { InvalidInputError } from '../errors.ts'

const loneSurrogate = /\p{Surrogate}/u

/**
 * UTF-8 has no way to say half a surrogate pair, and the platform would put U+FFFD in its place without a word.
 *
 * @throws InvalidInputError `lone-surrogate`
 */
export function assertWellFormed(text: string, locate: () => string): void {
  if (!loneSurrogate.test(text)) return
  const path = locate()
  throw new InvalidInputError(
    `${path} has half a surrogate pair, which UTF-8 cannot express: most likely a text that was cut in the middle of a character. Repair it (toWellFormed()).`,
    { code: 'lone-surrogate', fields: { path } },
  )
}
