import { InvalidInputError } from './errors.ts'

/** Bytes of UTF-8 in one segment: what ext4, APFS and NTFS (in characters) can hold as one file name. */
const MAX_SEGMENT_BYTES = 255
/** Bytes of UTF-8 in a whole path: the limit of an object key on S3, GCS and R2, and below PATH_MAX everywhere but classic Windows. */
const MAX_PATH_BYTES = 1024
/** Characters (code points) in a name: promised by the public surface. */
const MAX_NAME_LENGTH = 128

const controlCharacter = /\p{Cc}/u
const loneSurrogate = /\p{Surrogate}/u
const driveLetter = /^[a-z]:/i
// Windows opens the device whatever the extension is, and counts the superscript digits: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
const deviceName = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:[.:]|$)/i
const semanticVersion = /^(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})$/

/**
 * A logical path - where an asset is inside an artifact - in its one stored spelling: NFC, relative, `/`-separated. Checked when logged and again
 * when downloaded, so that no path ever leads out of a folder, on any system.
 *
 * @throws InvalidInputError `invalid-path`, naming the path and the reason.
 * @example
 * ```ts
 * checkLogicalPath('photos/a.png') // 'photos/a.png'
 * ```
 */
export function checkLogicalPath(path: string): string {
  const reason = pathProblem(path)
  if (reason === undefined) return path.normalize('NFC')
  throw new InvalidInputError(`The path ${quote(path)} cannot be used in an artifact: ${reason}.`, {
    code: 'invalid-path',
    fields: { path: printable(path), reason },
  })
}

function pathProblem(given: string): string | undefined {
  if (typeof given !== 'string') return `a path is a string, this is ${typeof given}`
  if (given === '') return 'it is empty'
  if (loneSurrogate.test(given)) return 'it is not valid Unicode (a lone surrogate)'
  // Checked after normalising: NFC is what is stored, and it can only be as safe as its stored spelling.
  const path = given.normalize('NFC')
  if (controlCharacter.test(path)) return 'it has a control character'
  if (path.includes('\\')) return "it has a backslash; separate folders with '/'"
  if (path.startsWith('/')) return 'it is absolute; paths are relative to the artifact'
  if (path === '~' || path.startsWith('~/')) return "it begins with '~', which means a home folder"
  if (driveLetter.test(path)) return 'it begins with a drive letter'
  if (utf8Length(path) > MAX_PATH_BYTES) return `it is longer than ${MAX_PATH_BYTES} bytes`
  for (const segment of path.split('/')) {
    const problem = segmentProblem(segment)
    if (problem !== undefined) return problem
  }
  return undefined
}

function segmentProblem(segment: string): string | undefined {
  if (segment === '') return "it has an empty segment ('//' or a trailing '/')"
  if (segment === '.' || segment === '..') return `it has a '${segment}' segment`
  if (segment.endsWith('.') || segment.endsWith(' '))
    return `'${segment}' ends with a dot or a space, which Windows drops`
  if (deviceName.test(segment)) return `'${segment}' is the name of a device on Windows`
  if (segment.length === 2 && driveLetter.test(segment)) return `'${segment}' is a drive letter`
  if (utf8Length(segment) > MAX_SEGMENT_BYTES) return `a segment is longer than ${MAX_SEGMENT_BYTES} bytes`
  return undefined
}

/** What a name belongs to: decides the wording of the refusal. */
export type NameOf = 'artifact' | 'type' | 'alias' | 'tag' | 'workspace' | 'project' | 'experiment'

/**
 * A name of an artifact, alias, tag, workspace or project, in NFC: 1 to 128 characters, no `/`, `:` or control characters.
 *
 * @throws InvalidInputError `invalid-name`, naming the name and the reason.
 */
export function checkName(name: string, what: NameOf = 'artifact'): string {
  const reason = nameProblem(name)
  if (reason === undefined) return name.normalize('NFC')
  throw new InvalidInputError(
    `The ${what} name ${quote(name)} cannot be used: ${reason}. Names have 1 to ${MAX_NAME_LENGTH} characters and no '/', ':' or control characters.`,
    { code: 'invalid-name', fields: { name: printable(name), what, reason } },
  )
}

function nameProblem(given: string): string | undefined {
  if (typeof given !== 'string') return `a name is a string, this is ${typeof given}`
  if (loneSurrogate.test(given)) return 'it is not valid Unicode (a lone surrogate)'
  const name = given.normalize('NFC')
  if (name === '') return 'it is empty'
  if (name === '.' || name === '..') return 'it means a folder'
  if (/[/:]/.test(name)) return "it has a '/' or a ':'"
  if (controlCharacter.test(name)) return 'it has a control character'
  // A code point is at most two units, so a longer string need not be counted.
  if (name.length > 2 * MAX_NAME_LENGTH || [...name].length > MAX_NAME_LENGTH)
    return `it is longer than ${MAX_NAME_LENGTH} characters`
  return undefined
}

/**
 * A semantic version as Tidemark uses it: `major.minor.patch`, digits only.
 *
 * @throws InvalidInputError `invalid-version`
 */
export function checkSemanticVersion(version: string): string {
  if (typeof version === 'string' && semanticVersion.test(version)) return version
  throw new InvalidInputError(
    `The version ${quote(version)} is not 'major.minor.patch' with whole numbers, like '2.0.0'.`,
    {
      code: 'invalid-version',
      fields: { version: printable(version) },
    },
  )
}

export interface ArtifactName {
  readonly workspace?: string
  readonly name: string
  /** `v3`, `4.0.0` or an alias, as written; checked as a name only. */
  readonly versionOrAlias?: string
}

/**
 * The parts of `[workspace/]name[:version-or-alias]`.
 *
 * @throws InvalidInputError `invalid-name`
 * @example
 * ```ts
 * parseArtifactName('vision/flowers:golden') // { workspace: 'vision', name: 'flowers', versionOrAlias: 'golden' }
 * ```
 */
export function parseArtifactName(text: string): ArtifactName {
  if (typeof text !== 'string') return { name: checkName(text) }
  const slash = text.indexOf('/')
  const rest = text.slice(slash + 1)
  const colon = rest.indexOf(':')
  return {
    ...(slash === -1 ? undefined : { workspace: checkName(text.slice(0, slash), 'workspace') }),
    name: checkName(colon === -1 ? rest : rest.slice(0, colon)),
    ...(colon === -1 ? undefined : { versionOrAlias: checkName(rest.slice(colon + 1), 'alias') }),
  }
}

/**
 * Order of two paths by Unicode code point, which is the order of their UTF-8 bytes. JavaScript's `<` compares UTF-16 units instead, and puts
 * U+1F600 before U+FF5E.
 */
export function comparePaths(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return codePointRank(x) - codePointRank(y)
  }
  return a.length - b.length
}

// Surrogates stand for code points above every other unit: they move behind U+E000..U+FFFF.
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

/** One spelling for all paths that a case-insensitive or normalising file system takes for the same file. Only to find such collisions, never stored. */
export function foldPath(path: string): string {
  // Upper first: it expands (ß to SS) and unites letters whose lower case depends on their neighbours (final sigma).
  return path.normalize('NFD').toUpperCase().toLowerCase().normalize('NFD').toUpperCase().toLowerCase().normalize('NFC')
}

function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    // A surrogate pair is 4 bytes, two for each unit; well-formedness was checked before.
    if (unit >= 0x80) bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2
  }
  return bytes
}

// Messages go to terminals and logs: control characters and endless strings do not.
function printable(value: unknown): string {
  const text = String(value).replace(
    /[\p{Cc}\p{Surrogate}]/gu,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return text.length > 200 ? `${text.slice(0, 200)}...` : text
}

function quote(value: unknown): string {
  return `'${printable(value)}'`
}
