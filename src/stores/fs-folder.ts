import { randomBytes } from 'node:crypto'
import { dirname, join, resolve } from 'node:path'
import { CorruptionError, InvalidInputError, UnsupportedError } from '../errors.ts'
import { SharedRuns } from '../platform/shared-runs.ts'
import { linkFound } from './fs-errors.ts'
import { codeOf, type FsIo, type FsStat, hasCode } from './fs-io.ts'

/** An open store folder: its places, and the few compound steps everything else is made of. */
export interface StoreFolder {
  readonly io: FsIo
  readonly root: string
  /** Everything that is kept. */
  readonly data: string
  /** Reserved for what is being written; readers never look there. */
  readonly aside: string
  /** One note per deleted key, for the sweep. */
  readonly deleted: string
  /** False once the file system has refused a hard link. */
  hardLinks: boolean
  /** Folders known to be folders and not links. */
  readonly known: Set<string>
  /** Those of them whose entry is durable. */
  readonly durable: Set<string>
  readonly syncs: SharedRuns<void>
}

const marker = 'tidemark-store'
const version = 1
// Left by desktops, version control and mkfs: a folder with only these is empty to its owner.
const noise = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini', '.gitignore', '.gitkeep', 'lost+found', 'aside'])

/**
 * Opens the folder of a store, or gives `undefined` when there is none yet and `create` is false: reading makes nothing.
 *
 * The file `tidemark-store` names the format. A folder that holds other things and no marker is refused: it is more likely a mistyped path than a wish.
 */
export async function openFolder(path: string, io: FsIo, create: boolean): Promise<StoreFolder | undefined> {
  const given = resolve(path)
  const found = await kindOf(io, given)
  if (found === 'other') {
    throw new InvalidInputError(`The store path '${path}' is a file. Give a folder, or a path where one can be made.`, {
      code: 'store-path-is-file',
    })
  }
  if (found === 'nothing') {
    if (!create) return undefined
    await makeFolders(io, given)
  }
  // The folder itself may be reached through a link, as its owner likes; what is inside may not.
  const root = await io.realpath(given)
  const folder: StoreFolder = {
    io,
    root,
    data: join(root, 'data'),
    aside: join(root, 'aside'),
    deleted: join(root, 'deleted'),
    hardLinks: true,
    known: new Set(),
    durable: new Set(),
    syncs: new SharedRuns(),
  }
  if (!(await readMarker(folder, path))) {
    const names = await io.readdir(root)
    const other = names.find(({ name }) => !noise.has(name))
    // Somebody else may have made the store while we looked.
    if (other && !(await readMarker(folder, path))) {
      throw new InvalidInputError(
        `The folder '${path}' is not empty and is not a Tidemark store (it holds '${other.name}'). Give an empty folder or a new path.`,
        { code: 'store-folder-not-empty' },
      )
    }
    if (!create && !other) return undefined
    if (!other) await writeMarker(folder)
  }
  if (create) for (const place of [folder.data, folder.aside, folder.deleted]) await ensureFolder(folder, place)
  return folder
}

async function kindOf(io: FsIo, path: string): Promise<'nothing' | 'folder' | 'other'> {
  try {
    const real = await io.lstat(await io.realpath(path))
    return real.isDirectory() ? 'folder' : 'other'
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 'nothing'
    if (hasCode(error, 'ENOTDIR')) return 'other'
    throw error
  }
}

async function readMarker({ io, root }: StoreFolder, path: string): Promise<boolean> {
  const text = await readSmall(io, join(root, marker))
  if (text === undefined) return false
  const found = /^tidemark-store ([0-9]{1,9})\n$/.exec(text)
  if (!found) {
    throw new CorruptionError(
      `The file '${marker}' in '${path}' is damaged: it should read 'tidemark-store ${version}'.`,
      {
        code: 'store-damaged',
      },
    )
  }
  if (Number(found[1]) > version) {
    throw new UnsupportedError(
      `The store '${path}' has format ${found[1]}; this version of Tidemark reads up to ${version}. Install a newer Tidemark.`,
      { code: 'store-format-too-new' },
    )
  }
  return true
}

async function writeMarker(folder: StoreFolder): Promise<void> {
  await ensureFolder(folder, folder.aside)
  const aside = await writeAside(folder, new TextEncoder().encode(`tidemark-store ${version}\n`))
  // Replacing is right here: whoever came first wrote the same.
  await orRemove(folder, aside, () => folder.io.rename(aside, join(folder.root, marker)))
  await syncFolder(folder, folder.root)
}

/** The text of a small file, or `undefined` when there is none. */
export async function readSmall(io: FsIo, path: string): Promise<string | undefined> {
  const handle = await unlessAbsent(io.open(path, 'read'))
  if (!handle) return undefined
  try {
    // Markers and notes are below 1,100 bytes: a key and an id.
    const buffer = new Uint8Array(2048)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
    return new TextDecoder().decode(buffer.subarray(0, bytesRead))
  } finally {
    await handle.close()
  }
}

/** What a call gives, or `undefined` when the thing is not there. */
export async function unlessAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** A name that nobody else uses. 80 random bits, in hexadecimal. */
export function uniqueName(): string {
  return randomBytes(10).toString('hex')
}

/** Writes a file aside, durably, and gives its path. Removes it when that fails. */
export async function writeAside(folder: StoreFolder, bytes: Uint8Array): Promise<string> {
  const path = join(folder.aside, uniqueName())
  await createFile(folder, path, bytes)
  return path
}

/** Creates a file and writes it through to the disk. Removes it when that fails. */
export async function createFile(folder: StoreFolder, path: string, bytes: Uint8Array, durable = true): Promise<void> {
  const handle = await folder.io.open(path, 'create')
  await orRemove(folder, path, async () => {
    try {
      for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten
      if (durable) await handle.sync()
    } finally {
      await handle.close()
    }
  })
}

/** A file aside is abandoned after an hour: the longest single write we know of, 8 MiB over a slow network share, takes minutes. */
export const abandonedAfter = 60 * 60 * 1000

/** Runs a step, and removes the file when the step fails. */
export async function orRemove<T>(folder: StoreFolder, path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    await discard(folder, path)
    throw error
  }
}

/**
 * Removes a file that no reader looks at. A failure is of no consequence to the caller - the file is invisible and the sweep comes back for it - and
 * must not hide what he is about to be told. One more try, because virus scanners on Windows hold new files open for a moment.
 */
export async function discard({ io }: StoreFolder, path: string): Promise<void> {
  await unlessAbsent(io.unlink(path)).catch(() => io.unlink(path).catch(() => undefined))
}

/** Makes a folder inside the store and those above it, each entry durable. */
export async function ensureFolder(folder: StoreFolder, path: string): Promise<void> {
  if (folder.durable.has(path)) return
  const stat = await unlessAbsent(folder.io.lstat(path))
  if (!stat) {
    if (path !== folder.root) await ensureFolder(folder, dirname(path))
    try {
      await folder.io.mkdir(path)
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error
      return ensureFolder(folder, path)
    }
  } else assertRealFolder(folder, path, stat)
  // Also when it stood there already: its maker may have crashed, or not be this far.
  await syncFolder(folder, dirname(path))
  remember(folder.known, path)
  remember(folder.durable, path)
}

/** True when a folder inside the store, and all above it, are there and are no links. */
export async function isFolder(folder: StoreFolder, path: string): Promise<boolean> {
  if (path === folder.root || folder.known.has(path)) return true
  if (!(await isFolder(folder, dirname(path)))) return false
  const stat = await unlessAbsent(folder.io.lstat(path))
  if (!stat) return false
  assertRealFolder(folder, path, stat)
  remember(folder.known, path)
  return true
}

function assertRealFolder(folder: StoreFolder, path: string, stat: FsStat): void {
  if (stat.isSymbolicLink()) throw linkFound(folder.root, path)
  if (stat.isDirectory()) return
  throw new CorruptionError(
    `'${path}' should be a folder of the store '${folder.root}'. Restore the store from a copy.`,
    {
      code: 'store-damaged',
    },
  )
}

// A path and its entry take some 200 bytes: 2 MB at most.
const mostKnown = 10_000

function remember(set: Set<string>, path: string): void {
  if (set.size >= mostKnown) set.clear()
  set.add(path)
}

async function makeFolders(io: FsIo, path: string): Promise<void> {
  const parent = dirname(path)
  try {
    await io.mkdir(path)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return
    if (!hasCode(error, 'ENOENT') || parent === path) throw error
    await makeFolders(io, parent)
    return makeFolders(io, path)
  }
  await syncPath(io, parent)
}

/**
 * Makes the entries of a folder durable. One sync serves all who asked before it began: those who come while one runs share the next.
 */
export function syncFolder(folder: StoreFolder, path: string): Promise<void> {
  return folder.syncs.run(path, () => syncPath(folder.io, path))
}

async function syncPath(io: FsIo, path: string): Promise<void> {
  try {
    const handle = await io.open(path, 'folder')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    // Windows and some network file systems cannot sync a folder; there, entries are as durable as the system makes them.
    if (hasCode(error, 'EISDIR', 'EINVAL', 'ENOTSUP', 'EBADF')) return
    if (process.platform === 'win32' && hasCode(error, 'EPERM', 'EACCES')) return
    throw error
  }
}

/** True when hard links are missing here: exFAT, some network and container file systems. */
export function refusesLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(error) ?? '')
}
