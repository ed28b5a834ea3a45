import { InvalidInputError } from './errors.ts'
import { describe } from './options.ts'

/**
 * The address of a server.
 *
 * @throws InvalidInputError `invalid-url`
 */
export function serverUrl(given: string): URL {
  let url: URL
  try {
    url = new URL(given)
  } catch (cause) {
    throw invalidUrl(given, cause)
  }
  if (
    (url.protocol !== 'http:' && url.protocol !== 'https:') ||
    url.username !== '' ||
    url.password !== '' ||
    url.search !== '' ||
    url.hash !== ''
  )
    throw invalidUrl(given)
  return url
}

function invalidUrl(given: unknown, cause?: unknown): InvalidInputError {
  // Not repeated when it is a string: it may hold a password.
  const what = typeof given === 'string' ? 'The url' : describe(given)
  return new InvalidInputError(
    `${what} is not the address of a server: give one such as 'https://host', without user, query or fragment.`,
    {
      code: 'invalid-url',
      cause,
    },
  )
}
