import {
  ConflictError,
  CorruptionError,
  InvalidInputError,
  isTidemarkError,
  PermissionError,
  type TidemarkError,
  UnavailableError,
} from '../errors.ts'
import { isNotPermitted } from '../platform/process.ts'
import { codeOf } from './fs-io.ts'

/** What an error is about: the folder goes into the message only. */
export interface About {
  readonly folder: string
  readonly key?: string
}

/** A system error as one of ours: the one place where errno codes are translated. Other errors, ours and plain mistakes in the code, pass unchanged. */
export function storeError(error: unknown, about: About): unknown {
  if (isNotPermitted(error)) return notPermitted(error, about)
  const errno = codeOf(error)
  if (isTidemarkError(error) || !errno || !/^E[A-Z0-9]+$/.test(errno)) return error
  const { category: Category, code, advice } = meanings[errno] ?? unknown
  const what = about.key === undefined ? '' : ` at '${about.key}'`
  const message = `Store folder '${about.folder}'${what}: ${advice} (${errno}).`
  return new Category(message, { code, fields: { key: about.key, errno }, cause: error })
}

/** Deno's own words name the path and the flag. */
function notPermitted(cause: Error, { folder, key }: About): PermissionError {
  return new PermissionError(
    `Store folder '${folder}': the program was not started with permission for it. ${cause.message}.`,
    {
      code: 'store-permission',
      fields: { key },
      cause,
    },
  )
}

interface Meaning {
  readonly category: new (
    message: string,
    options: { code: string; fields: { key: string | undefined; errno: string | undefined }; cause: unknown },
  ) => TidemarkError
  readonly code: string
  readonly advice: string
}

const full: Meaning = {
  category: UnavailableError,
  code: 'disk-full',
  advice: 'the disk or the quota is full; free some space and try again',
}
const refused: Meaning = {
  category: PermissionError,
  code: 'store-permission',
  advice: 'the operating system refuses; check the permissions of the folder and who owns it',
}
const busy: Meaning = {
  category: UnavailableError,
  code: 'too-many-open-files',
  advice: 'too many files are open; raise the limit (ulimit -n) or do less at once',
}
const damaged: Meaning = {
  category: CorruptionError,
  code: 'store-damaged',
  advice: 'a file stands where a folder should be, or the other way round; restore the store from a copy',
}
const unknown: Meaning = {
  category: UnavailableError,
  code: 'store-io',
  advice: 'the disk did not do what was asked; try again, and check the disk if it stays so',
}

const meanings: Readonly<Record<string, Meaning | undefined>> = {
  ENOSPC: full,
  EDQUOT: full,
  EACCES: refused,
  EPERM: refused,
  EROFS: { category: PermissionError, code: 'store-read-only', advice: 'the file system is mounted read-only' },
  EMFILE: busy,
  ENFILE: busy,
  ELOOP: {
    category: CorruptionError,
    code: 'store-has-link',
    advice: 'a link stands there, and links are never followed',
  },
  ENOTDIR: damaged,
  EISDIR: damaged,
  ENAMETOOLONG: {
    category: InvalidInputError,
    code: 'store-path-too-long',
    advice:
      'the path would be longer than this system allows; use a store folder with a shorter path or a shorter name',
  },
}

/** A link found inside the store. */
export function linkFound(folder: string, path: string): CorruptionError {
  return new CorruptionError(
    `Store folder '${folder}' holds a link, '${path}', and links are never followed: it may lead anywhere. Remove it, or put the file itself there.`,
    { code: 'store-has-link' },
  )
}

/** Something in the store that this program cannot have written. */
export function damage({ folder, key }: About, what: string): CorruptionError {
  return new CorruptionError(`Store folder '${folder}' is damaged at '${key}': ${what}. Restore it from a copy.`, {
    code: 'store-damaged',
    fields: { key },
  })
}

/** A condition of a `put` that does not hold. */
export function conflict({ folder, key }: About, reason: string): ConflictError {
  return new ConflictError(
    `Could not write '${key}' in the store folder '${folder}': ${reason}. Read it again and retry.`,
    { code: 'store-conflict', fields: { key } },
  )
}

/** A key that others changed at every one of very many looks. */
export function restless({ folder, key }: About): UnavailableError {
  return new UnavailableError(
    `The key '${key}' in the store folder '${folder}' was changed by others at every look. Try again later, or have fewer writers.`,
    { code: 'store-busy', fields: { key } },
  )
}
