import { type Dirent, promises as fs } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import { InvalidInputError, isTidemarkError, NotFoundError, type TidemarkError } from '../errors.ts'
import { fsError } from './errors-fs.ts'
import { LocalFile, notAFile, type Place } from './file-fs.ts'
import { stat } from './read-fs.ts'
import type { Tree, TreeEntry } from './tree.ts'

/**
 * A folder on disk. Links that stay inside it are taken as what they point to.
 *
 * @throws NotFoundError `file-not-found`, InvalidInputError `not-a-folder`, PermissionError `file-unreadable`
 */
export async function openFolder(path: string, shown: string): Promise<Tree> {
  try {
    const real = await fs.realpath(path)
    if (!(await stat(real)).isDirectory()) {
      throw new InvalidInputError(`'${shown}' is not a folder. Log it with file(...).`, {
        code: 'not-a-folder',
        fields: { path: shown },
      })
    }
    const top = {
      real,
      shown: (at: string) => (at === '' ? shown : `${shown.replace(/[/\\]$/, '')}/${at.replace(/\/$/, '')}`),
      reading: { begun: false, held: 0 },
    }
    return folder(top, real, [])
  } catch (error) {
    throw fsError(error, shown, false)
  }
}

/** `via`: the folders whose links led here. Coming back to one of them is a cycle. */
function folder(top: Place, real: string, via: readonly string[]): Tree {
  const place = { ...top, real }
  return {
    async entries(path) {
      try {
        const entries = await fs.readdir(real, { withFileTypes: true })
        // What is not UTF-8 comes out of readdir with this character in its place.
        if (entries.some((entry) => entry.name.includes('\ufffd'))) await refuseOtherEncodings(real, top.shown(path))
        return entries.map((entry) => entryOf(top, place, via, entry))
      } catch (error) {
        throw fsError(error, top.shown(path), true, path)
      }
    },
  }
}

function entryOf(top: Place, place: Place, via: readonly string[], entry: Dirent): TreeEntry {
  const { name } = entry
  if (entry.isFile()) return { kind: 'file', name, file: (path) => new LocalFile(place, name, path) }
  if (entry.isDirectory()) return { kind: 'folder', name, tree: folder(top, join(place.real, name), via) }
  if (entry.isSymbolicLink()) return { kind: 'link', name, resolve: (path) => follow(top, place.real, via, name, path) }
  return { kind: 'other', name, refuse: (path) => notAFile(top.shown(path), path) }
}

async function follow(
  top: Place,
  parent: string,
  via: readonly string[],
  name: string,
  path: string,
): Promise<TreeEntry> {
  const shown = top.shown(path)
  let real: string
  let isFolder: boolean
  try {
    real = await fs.realpath(join(parent, name))
    const stats = await stat(real)
    if (!stats.isFile() && !stats.isDirectory()) return { kind: 'other', name, refuse: () => notAFile(shown, path) }
    isFolder = stats.isDirectory()
  } catch (error) {
    const refusal = isMissing(error) ? brokenLink(shown, path, error) : fsError(error, shown, false, path)
    if (!isTidemarkError(refusal)) throw refusal
    return { kind: 'other', name, refuse: () => refusal }
  }
  const refuse = leaves(top, parent, via, real, shown, path)
  if (!isFolder)
    return {
      kind: 'file',
      name,
      file: (at) => new LocalFile({ ...top, real: dirname(real) }, basename(real), at),
      ...refuse,
    }
  return { kind: 'folder', name, tree: folder(top, real, [...via, parent]), ...refuse }
}

// Only when the link is wanted: a pattern may pass by it.
function leaves(
  top: Place,
  parent: string,
  via: readonly string[],
  real: string,
  shown: string,
  path: string,
): { refuse?: () => TidemarkError } {
  const error = (reason: string, message: string) =>
    new InvalidInputError(`${message} Leave it out with ignore, or name what it points to itself.`, {
      code: 'link-leaves-folder',
      fields: { path, reason },
    })
  if (!isWithin(real, top.real))
    return { refuse: () => error('outside', `The link '${shown}' leads out of '${top.shown('')}'.`) }
  const cycle = [...via, parent].some((passed) => isWithin(passed, real))
  return cycle ? { refuse: () => error('cycle', `The link '${shown}' leads back to a folder it is in.`) } : {}
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(outer.endsWith(sep) ? outer : outer + sep)
}

function brokenLink(shown: string, path: string, cause: unknown): NotFoundError {
  return new NotFoundError(`The link '${shown}' points to nothing. Repair it, or leave it out with ignore.`, {
    code: 'link-broken',
    fields: { path },
    cause,
  })
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

async function refuseOtherEncodings(real: string, shown: string): Promise<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for (const name of await fs.readdir(real, { encoding: 'buffer' })) {
    try {
      decoder.decode(name)
    } catch (cause) {
      throw new InvalidInputError(
        `'${shown}' holds a name that is not UTF-8: '${new TextDecoder().decode(name)}'. Rename it.`,
        {
          code: 'invalid-path',
          fields: { path: shown },
          cause,
        },
      )
    }
  }
}
