import { sourceError } from '../codecs/byte-pieces.ts'
import type { Dropped, DroppedItem } from '../codecs/dropped.ts'
import { isDirectoryHandle, isFileHandle } from '../codecs/handle.ts'
import { InvalidInputError } from '../errors.ts'
import { fileEntry } from './handed-file.ts'
import type { Tree, TreeEntry } from './tree.ts'

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

function unreadable(path: string): InvalidInputError {
  return new InvalidInputError(`'${path}' is neither a file nor a folder. Leave it out with ignore.`, {
    code: 'not-a-file',
    fields: { path },
  })
}
