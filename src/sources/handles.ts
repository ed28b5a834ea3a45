import { sourceError } from '../codecs/byte-pieces.ts'
import type { Dropped, DroppedItem } from '../codecs/dropped.ts'
import { fileContent } from '../codecs/file-content.ts'
import { isDirectoryHandle, isFileHandle } from '../codecs/handle.ts'
import { mediaTypeOf, UNKNOWN_MEDIA_TYPE } from '../codecs/media-type.ts'
import { InvalidInputError } from '../errors.ts'
import type { Tree, TreeEntry, TreeFile } from './tree.ts'

/** A folder handle of the File System Access API, or of the origin private file system. */
export function handleTree(handle: FileSystemDirectoryHandle): Tree {
  return {
    async entries(path) {
      const entries: TreeEntry[] = []
      try {
        for await (const child of handle.values()) entries.push(handleEntry(child))
      } catch (error) {
        throw sourceError(error, `'${path === '' ? handle.name : path}'`)
      }
      return entries
    },
  }
}

function handleEntry(handle: FileSystemHandle): TreeEntry {
  const { name } = handle
  if (isDirectoryHandle(handle)) return { kind: 'folder', name, tree: handleTree(handle) }
  if (isFileHandle(handle)) return fileEntry(name, () => handle.getFile())
  return { kind: 'other', name, refuse: (path) => unreadable(path) }
}

/**
 * A `FileList` or array of `File`, as `<input type="file" webkitdirectory multiple>` gives it: folders from each file's `webkitRelativePath`. The
 * folder that was chosen is the first segment of them all; it becomes the name, not a part of the paths.
 */
export function fileListTree(files: Iterable<File>): { name: string | undefined; tree: Tree } {
  const list = [...files].map((file) => ({ file, path: relativePath(file).split('/') }))
  const name = list[0]?.path.length === 1 ? undefined : list[0]?.path[0]
  const inside = name !== undefined && list.every(({ path }) => path.length > 1 && path[0] === name)
  const top = new Branch()
  for (const { file, path } of list) top.add(inside ? path.slice(1) : path, file)
  return { name: inside ? name : undefined, tree: top }
}

function relativePath(file: File): string {
  return file.webkitRelativePath === undefined || file.webkitRelativePath === '' ? file.name : file.webkitRelativePath
}

class Branch implements Tree {
  readonly #folders = new Map<string, Branch>()
  readonly #files = new Map<string, File>()

  add(path: readonly string[], file: File): void {
    const [first = '', ...rest] = path
    if (rest.length > 0) {
      const folder = this.#folders.get(first) ?? new Branch()
      this.#folders.set(first, folder)
      folder.add(rest, file)
    } else if (this.#files.has(first)) {
      throw new InvalidInputError(`Two files of the list are both called '${first}'. Rename one.`, {
        code: 'duplicate-path',
        fields: { path: first },
      })
    } else {
      this.#files.set(first, file)
    }
  }

  async entries(): Promise<readonly TreeEntry[]> {
    return [
      ...[...this.#folders].map(([name, tree]): TreeEntry => ({ kind: 'folder', name, tree })),
      ...[...this.#files].map(([name, file]) => fileEntry(name, async () => file)),
    ]
  }
}

/** Dropped items: the one folder that was dropped, or all items side by side. */
export async function droppedTree({ dropped }: Dropped): Promise<{ name: string | undefined; tree: Tree }> {
  const entries = await Promise.all(dropped.map(droppedEntry))
  const only = entries.length === 1 ? entries[0] : undefined
  if (only?.kind === 'folder') return { name: only.name, tree: only.tree }
  return { name: undefined, tree: { entries: async () => entries } }
}

async function droppedEntry({ handle: coming, entry, file }: DroppedItem): Promise<TreeEntry> {
  const handle = await coming
  if (isDirectoryHandle(handle) || isFileHandle(handle)) return handleEntry(handle)
  // WebKit has entries for files that a script made, and no file behind them.
  if (file && !entry?.isDirectory) return fileEntry(file.name, async () => file)
  if (entry) return entryOfEntry(entry)
  throw new InvalidInputError('A dropped item is neither a file nor a folder. Drop files or folders.', {
    code: 'not-a-file',
  })
}

// The older interface of dropped folders: https://wicg.github.io/entries-api/
function entryOfEntry(entry: FileSystemEntry): TreeEntry {
  if (isDirectoryEntry(entry)) return { kind: 'folder', name: entry.name, tree: entryTree(entry) }
  if (isFileEntry(entry))
    return fileEntry(entry.name, () => new Promise((resolve, reject) => entry.file(resolve, reject)))
  return { kind: 'other', name: entry.name, refuse: (path) => unreadable(path) }
}

function entryTree(folder: FileSystemDirectoryEntry): Tree {
  return {
    async entries(path) {
      const reader = folder.createReader()
      const entries: FileSystemEntry[] = []
      try {
        // Chromium gives at most 100 at a time; an empty answer is the end.
        for (;;) {
          const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
          if (some.length === 0) return entries.map(entryOfEntry)
          entries.push(...some)
        }
      } catch (error) {
        throw sourceError(error, `'${path === '' ? folder.name : path}'`)
      }
    },
  }
}

function isDirectoryEntry(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory
}

function isFileEntry(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}

function fileEntry(name: string, getFile: () => Promise<File>): TreeEntry {
  return { kind: 'file', name, file: (path) => new HandedFile(path, getFile) }
}

/** A file that a browser handed over. Asking for it again after the walk found it would hide a change: it is asked for once. */
export class HandedFile implements TreeFile {
  readonly name: string
  readonly path: string
  mediaType: string
  size?: number
  modified?: number
  readonly #getFile: () => Promise<File>
  #file: File | undefined

  constructor(path: string, getFile: () => Promise<File>) {
    this.path = path
    this.name = path.slice(path.lastIndexOf('/') + 1)
    this.mediaType = mediaTypeOf(this.name)
    this.#getFile = getFile
  }

  async prepare(): Promise<void> {
    await this.#asked()
  }

  async *open(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* fileContent(await this.#asked(), { name: this.path }).open(signal)
  }

  async #asked(): Promise<File> {
    if (this.#file !== undefined) return this.#file
    try {
      const file = await this.#getFile()
      this.size = file.size
      this.modified = file.lastModified
      // The same file is the same everywhere: a browser's guess counts only where the name says nothing.
      if (mediaTypeOf(this.name) === UNKNOWN_MEDIA_TYPE && file.type !== '') this.mediaType = file.type
      this.#file = file
      return file
    } catch (error) {
      throw sourceError(error, `'${this.path}'`)
    }
  }
}

function unreadable(path: string): InvalidInputError {
  return new InvalidInputError(`'${path}' is neither a file nor a folder. Leave it out with ignore.`, {
    code: 'not-a-file',
    fields: { path },
  })
}
