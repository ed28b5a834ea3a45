import { InvalidInputError } from '../errors.ts'
import { describe } from '../options.ts'

/** The last segment of the URI's path, else `remote`. */
export function remoteName({ pathname }: URL): string {
  const segment = pathname.split('/').findLast((one) => one !== '')
  if (segment === undefined) return 'remote'
  try {
    return decodeURIComponent(segment).replaceAll('/', '_')
  } catch {
    // A stray % is legal in a URI of another scheme; it stands for itself then.
    return segment
  }
}

// What they hold is in the URI itself or in this process - or runs, where somebody clicks it.
const notPlaces: ReadonlySet<string> = new Set(['javascript:', 'vbscript:', 'data:', 'blob:', 'about:'])

/**
 * The address of data that stays where it is.
 *
 * @throws InvalidInputError `invalid-uri`, `uri-has-credentials`
 */
export function parseUri(uri: string): URL {
  let url: URL
  try {
    url = new URL(uri)
  } catch (cause) {
    throw new InvalidInputError(
      `${describe(uri)} is not a URI. Give one such as 's3://bucket/key' or 'https://host/file.csv'.`,
      { code: 'invalid-uri', cause },
    )
  }
  if (notPlaces.has(url.protocol))
    throw new InvalidInputError(
      `A URI that begins with '${url.protocol}' is no place where data stays. Add what it holds as a value, or give an address such as 's3://bucket/key'.`,
      { code: 'invalid-uri', fields: { scheme: url.protocol } },
    )
  // The link is stored and shown to everyone who may read the artifact.
  if (url.username !== '' || url.password !== '')
    throw new InvalidInputError(
      `The URI of host ${url.host} holds a user name or password, and would be stored with it. Leave them out.`,
      { code: 'uri-has-credentials' },
    )
  return url
}
