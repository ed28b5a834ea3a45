import { PermissionError, type TidemarkError, UnavailableError } from '../../errors.ts'
import { type DownloadTarget, type ExistingFile, inTheWay } from './download-target.ts'

/**
 * Downloads into a folder a browser handed over. A file appears when it is complete (`createWritable` writes aside until it is closed); there is no rename, so
 * that files become visible one after another, and `discard` takes those away again that are new.
 */
export function handleTarget(root: FileSystemDirectoryHandle): DownloadTarget {
  const made: { folder: FileSystemDirectoryHandle; name: string }[] = []
  return {
    folds: async () => true,
    async existing(path): Promise<ExistingFile | undefined> {
      const folder = await folderOf(root, path, false)
      const handle = folder && (await fileIn(folder, path))
      if (!handle) return undefined
      const file = await handle.getFile()
      return { size: file.size, read: () => pieces(file.stream()) }
    },
    async stage(path, _size, body) {
      const folder = await folderOf(root, path, true, made)
      if (!folder) throw refused(path)
      const isNew = (await fileIn(folder, path)) === undefined
      const name = nameOf(path)
      const writable = await told(path, async () => {
        const handle = await folder.getFileHandle(name, { create: true })
        if (isNew) made.push({ folder, name })
        return handle.createWritable()
      })
      try {
        for await (const piece of body) await told(path, () => writable.write(plain(piece)))
      } catch (error) {
        await writable.abort(error)
        throw error
      }
      await told(path, () => writable.close())
    },
    async publish() {
      made.length = 0
    },
    async discard() {
      // In reverse: a folder goes after the files that were made in it, and only when it is empty.
      for (const { folder, name } of made.splice(0).reverse()) await removeOwn(folder, name)
    },
  }
}

async function removeOwn(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  try {
    await folder.removeEntry(name)
  } catch (error) {
    const reason = error instanceof Error ? error.name : ''
    // Somebody else has put something into the folder, or taken it away: either way it is not ours to remove.
    if (reason !== 'InvalidModificationError' && reason !== 'NotFoundError') throw targetError(error, name)
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

async function folderOf(
  root: FileSystemDirectoryHandle,
  path: string,
  create: boolean,
  made: { folder: FileSystemDirectoryHandle; name: string }[] = [],
): Promise<FileSystemDirectoryHandle | undefined> {
  let folder = root
  for (const name of path.split('/').slice(0, -1)) {
    const parent = folder
    const child = await ifThere(() => parent.getDirectoryHandle(name), path)
    if (!child && !create) return undefined
    folder = child ?? (await told(path, () => parent.getDirectoryHandle(name, { create: true })))
    if (!child) made.push({ folder: parent, name })
  }
  return folder
}

function fileIn(folder: FileSystemDirectoryHandle, path: string): Promise<FileSystemFileHandle | undefined> {
  return ifThere(() => folder.getFileHandle(nameOf(path)), path)
}

async function ifThere<T>(get: () => Promise<T>, path: string): Promise<T | undefined> {
  try {
    return await get()
  } catch (error) {
    const name = error instanceof Error ? error.name : ''
    if (name === 'NotFoundError') return undefined
    if (name === 'TypeMismatchError') throw inTheWay(path, 'a folder, or a file where a folder has to be,')
    throw refused(path, error)
  }
}

async function told<T>(path: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    throw targetError(error, path)
  }
}

function targetError(error: unknown, path: string): TidemarkError {
  if (!(error instanceof Error) || error.name !== 'QuotaExceededError') return refused(path, error)
  return new UnavailableError(`There is no room for '${path}' in the folder given. Nothing of the download stays.`, {
    code: 'disk-full',
    fields: { path },
    cause: error,
  })
}

function refused(path: string, cause?: unknown): PermissionError {
  return new PermissionError(`The folder given does not let '${path}' be written. Ask for it with mode 'readwrite'.`, {
    code: 'target-refused',
    fields: { path },
    cause,
  })
}

async function* pieces(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel()
  }
}

/** Bytes that are all of their buffer: of a view, WebKit 2.50 writes the whole buffer behind it. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
    ? new Uint8Array(buffer)
    : bytes.slice()
}
