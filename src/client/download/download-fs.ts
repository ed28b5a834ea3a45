import { createReadStream, type Stats } from 'node:fs'
import {
  link,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConflictError, InvalidInputError, isTidemarkError, PermissionError, UnavailableError } from '../../errors.ts'
import { refuseHomePath } from '../../platform/home-path.ts'
import { atOnce, Slots } from '../slots.ts'
import { type DownloadTarget, type ExistingFile, fileExists, inTheWay } from './download-target.ts'
import type { Overwrite } from './overwrite.ts'

// Files up to this size are collected and written while the next ones arrive; 16 of them hold 4 MiB.
const smallFile = 256 * 1024
const writesInFlight = 16

/** Downloads into a folder, made when it is not there. Links inside it are never followed. */
export async function fsTarget(given: string | URL): Promise<DownloadTarget> {
  const root = resolve(pathOf(given))
  const first = await named(root, () => mkdir(root, { recursive: true }))
  const target = new FolderTarget(root, String(given))
  if (first !== undefined) target.remember(foldersBetween(first, root))
  const found = await named(root, () => stat(root))
  if (!found.isDirectory()) throw notAFolder(String(given))
  return target
}

/** @throws InvalidInputError `invalid-target` for what looks like a path, and would be a folder called `~` or `https:`. */
function pathOf(given: string | URL): string {
  if (typeof given !== 'string') return fileURLToPath(given)
  refuseHomePath(given, 'invalid-target')
  const scheme = /^([a-z][a-z\d+.-]+:)\/\//i.exec(given)?.[1]?.toLowerCase()
  if (scheme === undefined) return given
  if (scheme === 'file:') return fileURLToPath(given)
  throw new InvalidInputError(`'${given}' is no folder: a download goes to a path or a file: URL.`, {
    code: 'invalid-target',
  })
}

class FolderTarget implements DownloadTarget {
  readonly #root: string
  readonly #name: string
  /** Staged files in the order they came: logical path and number of the temporary. */
  readonly #staged: { path: string; temporary: string }[] = []
  readonly #made: string[] = []
  readonly #folders = new Map<string, boolean>()
  readonly #slots = new Slots(writesInFlight)
  readonly #writes = new Set<Promise<void>>()
  #failure: { error: unknown } | undefined
  #aside: string | undefined

  constructor(root: string, name: string) {
    this.#root = root
    this.#name = name
  }

  /** Folders that were made for this download. */
  remember(folders: readonly string[]): void {
    this.#made.push(...folders)
  }

  /** Asked of the file system itself: each disk of a machine may have its own way. */
  async folds(): Promise<boolean> {
    const aside = await this.#openAside()
    return (await this.#look(join(this.#root, basename(aside).toUpperCase()))) !== undefined
  }

  async existing(path: string): Promise<ExistingFile | undefined> {
    const parents = path.split('/').slice(0, -1)
    for (let depth = 1; depth <= parents.length; depth++)
      if (!(await this.#isFolder(parents.slice(0, depth).join('/'), path))) return undefined
    const full = join(this.#root, path)
    const found = await this.#look(full)
    if (!found) return undefined
    if (found.isSymbolicLink()) throw linkInTarget(path)
    if (!found.isFile()) throw inTheWay(path, 'a folder or a special file')
    return { size: found.size, read: () => readBack(full, found.size, this.#name) }
  }

  async stage(path: string, size: number, body: AsyncIterable<Uint8Array>): Promise<void> {
    this.#assertWhole()
    const temporary = join(await this.#openAside(), String(this.#staged.length))
    this.#staged.push({ path, temporary })
    if (size > smallFile) return named(this.#name, () => writeLarge(temporary, body))
    const bytes = await collect(body, size)
    await this.#slots.enter()
    const write = this.#slots.leaveAfter(writeFile(temporary, bytes, { flag: 'wx' }))
    const settled = write.catch((error: unknown) => {
      this.#failure ??= { error: explain(error, this.#name) }
    })
    this.#writes.add(settled)
    settled.then(() => this.#writes.delete(settled))
  }

  async publish(overwrite: Overwrite): Promise<void> {
    await Promise.all(this.#writes)
    this.#assertWhole()
    for (const { path } of this.#staged) await this.#makeFolders(path)
    const published: string[] = []
    try {
      await atOnce(writesInFlight, this.#staged, async ({ path, temporary }) => {
        const full = join(this.#root, path)
        if (overwrite === 'overwrite') await named(this.#name, () => rename(temporary, full))
        else if (await named(this.#name, () => publishNew(temporary, full))) published.push(full)
        else if (overwrite === 'fail') throw fileExists(path, 'it appeared during the download')
      })
    } catch (error) {
      // What was replaced cannot be brought back; what is new can be taken away again.
      for (const full of published) await unlink(full)
      throw error
    }
    this.#made.length = 0
  }

  async #openAside(): Promise<string> {
    this.#aside ??= await named(this.#name, () => mkdtemp(join(this.#root, '.tidemark-')))
    return this.#aside
  }

  #assertWhole(): void {
    if (this.#failure) throw this.#failure.error
  }

  async discard(): Promise<void> {
    await Promise.all(this.#writes)
    if (this.#aside !== undefined) await rm(this.#aside, { recursive: true, force: true })
    this.#aside = undefined
    this.#staged.length = 0
    for (const folder of this.#made.splice(0).reverse()) await removeIfEmpty(folder)
  }

  /** False when there is nothing there. */
  async #isFolder(folder: string, path: string): Promise<boolean> {
    const known = this.#folders.get(folder)
    if (known !== undefined) return known
    const found = await this.#look(join(this.#root, folder))
    if (found?.isSymbolicLink()) throw linkInTarget(folder)
    if (found && !found.isDirectory()) throw inTheWay(path, `the file '${folder}'`)
    this.#folders.set(folder, found !== undefined)
    return found !== undefined
  }

  async #makeFolders(path: string): Promise<void> {
    const parent = dirname(path)
    if (parent === '.' || this.#folders.get(parent)) return
    await this.#makeFolders(parent)
    // Looked at once more: what was not there before the transfer may be a link by now.
    this.#folders.delete(parent)
    if (await this.#isFolder(parent, path)) return
    const full = join(this.#root, parent)
    await named(this.#name, () => mkdir(full))
    this.#made.push(full)
    this.#folders.set(parent, true)
  }

  async #look(full: string): Promise<Stats | undefined> {
    try {
      return await lstat(full)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw explain(error, this.#name)
    }
  }
}

async function* readBack(file: string, size: number, target: string): AsyncGenerator<Uint8Array> {
  try {
    if (size > smallFile) yield* createReadStream(file)
    else yield await readFile(file)
  } catch (error) {
    throw explain(error, target)
  }
}

/** False, where `rename` would silently replace. */
async function publishNew(temporary: string, full: string): Promise<boolean> {
  try {
    await link(temporary, full)
    await unlink(temporary)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST') return false
    // FAT, exFAT and some network file systems have no hard links.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EOPNOTSUPP') throw error
    await rename(temporary, full)
  }
  return true
}

async function writeLarge(file: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(file, 'wx')
  try {
    for await (const piece of body) await handle.writeFile(piece)
  } finally {
    await handle.close()
  }
}

async function collect(body: AsyncIterable<Uint8Array>, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size)
  let filled = 0
  for await (const piece of body) {
    bytes.set(piece, filled)
    filled += piece.length
  }
  return bytes
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder)
  } catch (error) {
    const code = codeOf(error)
    // Somebody else has put something there, or taken the folder away: either way it is not ours to remove.
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error
  }
}

/** `first` and the folders from there down to `last`. */
function foldersBetween(first: string, last: string): string[] {
  const folders = [last]
  while (folders[0] !== first && dirname(folders[0]) !== folders[0]) folders.unshift(dirname(folders[0]))
  return folders
}

async function named<T>(target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw explain(error, target)
  }
}

function explain(error: unknown, target: string): unknown {
  if (isTidemarkError(error)) return error
  const code = codeOf(error)
  const options = { fields: { target }, cause: error }
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new UnavailableError(
      `The disk is full: the download into '${target}' was undone. Free some space and try again.`,
      { ...options, code: 'disk-full' },
    )
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new PermissionError(
      `The folder '${target}' cannot be written. Correct its permissions, or choose another.`,
      { ...options, code: 'target-refused' },
    )
  if (code === 'EEXIST' || code === 'ENOTDIR') return notAFolder(target)
  return new UnavailableError(
    `The download into '${target}' failed: ${error instanceof Error ? error.message : error}.`,
    { ...options, code: 'target-failed' },
  )
}

function notAFolder(target: string): ConflictError {
  return new ConflictError(`'${target}' is a file, or below one: a download needs a folder. Choose another.`, {
    code: 'target-is-file',
    fields: { target },
  })
}

function linkInTarget(path: string): PermissionError {
  return new PermissionError(
    `'${path}' in the target is a link, and links are not followed. Remove it, or download to another folder.`,
    {
      code: 'link-in-target',
      fields: { path },
    },
  )
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
