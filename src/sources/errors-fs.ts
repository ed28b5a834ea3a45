import { AbortedError, InvalidInputError, NotFoundError, PermissionError, UnavailableError } from '../errors.ts'

/**
 * What the operating system said, as an error that shows the path as the user knows it. `known`: it was there a moment ago. `path`: relative to what the
 * user named, for the fields, which travel further than the message.
 */
export function fsError(error: unknown, shown: string, known: boolean, path: string = shown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error
  if ('category' in error) return error
  const more = { fields: { path }, cause: error }
  switch (error.code) {
    case 'ABORT_ERR':
      return new AbortedError('The operation was aborted.', { code: 'aborted', cause: error })
    case 'ENOENT':
    case 'ENOTDIR':
      return known
        ? new NotFoundError(`'${shown}' vanished while it was read. Log it again when nobody changes the folder.`, {
            code: 'file-vanished',
            ...more,
          })
        : new NotFoundError(`There is no file or folder '${shown}'. Check the spelling and the current folder.`, {
            code: 'file-not-found',
            ...more,
          })
    case 'EACCES':
    case 'EPERM':
      return new PermissionError(
        `'${shown}' may not be read by this user. Change its permissions, or leave it out with ignore.`,
        {
          code: 'file-unreadable',
          ...more,
        },
      )
    case 'ELOOP':
      return new InvalidInputError(
        known
          ? `'${shown}' became a link after it was looked at, and links that lead elsewhere are not followed. Log it again when nobody changes the folder.`
          : `'${shown}' is a link that leads back to itself. Repair it, or leave it out with ignore.`,
        {
          code: 'link-leaves-folder',
          ...more,
        },
      )
    case 'ENAMETOOLONG':
      return new InvalidInputError(`The path '${shown}' is longer than this system allows. Shorten it.`, {
        code: 'invalid-path',
        ...more,
      })
    case 'EMFILE':
    case 'ENFILE':
      return new UnavailableError(
        `'${shown}' could not be opened: too many files are open. Close some, or raise the limit (ulimit -n).`,
        {
          code: 'too-many-open-files',
          ...more,
        },
      )
    default:
      return new UnavailableError(
        `'${shown}' could not be read (${error.code}). Check the disk, or leave it out with ignore.`,
        {
          code: 'file-read-failed',
          ...more,
        },
      )
  }
}
