import { promises as fs } from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FileSource } from '../codecs/file-source.ts'
import { InvalidInputError, isTidemarkError, NotFoundError } from '../errors.ts'
import { fsError } from './errors-fs.ts'
import { LocalFile, notAFile } from './file-fs.ts'
import { openFolder } from './folder-fs.ts'
import { compileGlob, noMatch } from './glob.ts'
import { stat } from './read-fs.ts'
import { type WalkOptions, walk } from './walk.ts'

export type PathKind = 'file' | 'folder' | 'other'

/** What is at a path; `undefined` when nothing is. Links are followed. */
export async function statPath(path: string): Promise<PathKind | undefined> {
  if (path === '' || path.includes('\0')) return undefined
  try {
    const stats = await stat(path)
    if (stats.isFile()) return 'file'
    return stats.isDirectory() ? 'folder' : 'other'
  } catch (error) {
    if (error instanceof Error && 'code' in error && nothingThere.has(String(error.code))) return undefined
    throw fsError(error, path, false)
  }
}

// A text that is far too long, or has characters no file name has, is no path.
const nothingThere = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EINVAL', 'ERR_INVALID_ARG_VALUE'])

/**
 * One file by its path, a link followed.
 *
 * @throws NotFoundError `file-not-found`, InvalidInputError `not-a-file`
 */
export async function fileSource(path: string): Promise<FileSource> {
  const kind = await statPath(path)
  if (kind === undefined) throw fileNotFound(path)
  if (kind === 'folder') {
    throw new InvalidInputError(`'${path}' is a folder. Log it with folder(...).`, {
      code: 'not-a-file',
      fields: { path },
    })
  }
  if (kind === 'other') throw notAFile(path)
  const name = basename(path).normalize('NFC')
  const real = await realPath(path)
  const place = { real: dirname(real), shown: () => path, reading: { begun: false, held: 0 } }
  const file = new LocalFile(place, basename(real), name)
  await file.prepare()
  return file
}

async function realPath(path: string): Promise<string> {
  try {
    return await fs.realpath(path)
  } catch (error) {
    throw fsError(error, path, true)
  }
}

export function fileNotFound(path: string): NotFoundError {
  return new NotFoundError(
    `There is no file or folder '${path}'. Check the spelling and the current folder; if it is text, say so with text(...).`,
    {
      code: 'file-not-found',
      fields: { path },
    },
  )
}

/** Says at once what reading the folder would say later. */
export async function assertFolder(path: string): Promise<void> {
  await openFolder(path, path)
}

/** The files of a folder, see `walk`. */
export async function* walkFolder(path: string, options: WalkOptions = {}): AsyncGenerator<FileSource> {
  yield* walk(await openFolder(path, path), options)
}

export interface GlobOptions extends Omit<WalkOptions, 'wanted'> {
  /** Where relative patterns start; the current folder when left out. */
  readonly folder?: string
}

/**
 * The files that patterns match, sorted. Their paths are relative to the folder that the patterns name without wildcards: `photos/**\/*.jpg` gives
 * `2024/a.jpg`; several patterns are relative to the folder they share. Only folders that can hold a match are read.
 *
 * @throws NotFoundError `glob-no-match` when a pattern matches nothing, after the files of the others
 */
export async function* expandGlob(
  patterns: readonly string[],
  { folder = '.', ...options }: GlobOptions = {},
): AsyncGenerator<FileSource> {
  const glob = compileGlob(sep === '\\' ? patterns.map((pattern) => pattern.replaceAll('\\', '/')) : patterns)
  const where = glob.base === '' ? folder : resolve(folder, glob.base)
  const shown = glob.base === '' ? folder : folder === '.' ? glob.base : join(folder, glob.base)
  yield* walk(await openBase(where, shown, patterns), { ...options, wanted: glob.wanted })
  glob.assertMatched(shown === '.' ? 'the current folder' : `'${shown}'`)
}

async function openBase(path: string, shown: string, patterns: readonly string[]) {
  try {
    return await openFolder(path, shown)
  } catch (error) {
    if (!isTidemarkError(error) || !['file-not-found', 'not-a-folder'].includes(error.code)) throw error
    throw noMatch(patterns.join("', '"), `'${shown}', which is no folder`, error)
  }
}

/** The last segment of a folder's path, also when it is written `.` or `photos/`. */
export function folderName(path: string): string {
  return basename(resolve(path)).normalize('NFC')
}

export function pathOfUrl(url: URL): string {
  try {
    return fileURLToPath(url)
  } catch (cause) {
    throw new InvalidInputError(`The URL '${url.href}' is not the path of a file on this machine.`, {
      code: 'invalid-path',
      cause,
    })
  }
}
