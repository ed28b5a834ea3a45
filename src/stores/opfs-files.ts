/**
 * The files of one store in the private file system of this site (OPFS): each is written once, under a name of its own, and counts from when a record in the
 * database names it. Reading works everywhere; writing where files can be flushed, in web workers.
 */

/** The part of a sync access handle that is used; older WebKits answer with promises. */
interface SyncHandle {
  write(bytes: Uint8Array, options: { at: number }): number
  flush(): void | Promise<void>
  close(): void | Promise<void>
}

// Names of files end at 255 bytes everywhere; this leaves room for what stands before it.
const longestName = 200

export class Files {
  readonly #path: string | undefined
  #folder: Promise<FileSystemDirectoryHandle> | undefined
  /** Why nothing can be written here; known after the first attempt. */
  refused = ''

  constructor(store: string) {
    this.#path = filesFolder(store)
  }

  /**
   * Writes a new file and flushes it; false where that cannot be done (see `refused`).
   *
   * @throws DOMException `QuotaExceededError`
   */
  async write(name: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#inFolder(true, (folder) => writeFile(folder, name, bytes))
      return true
    } catch (error) {
      await this.remove(name)
      if (!(error instanceof DOMException) || error.name === 'QuotaExceededError') throw error
      this.refused = error.message
      return false
    }
  }

  /** The bytes from `start` to `end` of a file, and the size of the whole; `undefined` when there is none of that name. */
  async read(name: string, start: number, end: number): Promise<{ bytes: Uint8Array; size: number } | undefined> {
    return this.#unlessAbsent((folder) => readFile(folder, name, start, end))
  }

  /** Removes a file; what cannot be removed now is left for a sweep. */
  async remove(name: string): Promise<void> {
    await this.#unlessAbsent((folder) => folder.removeEntry(name)).catch(() => undefined)
  }

  /** The names of files that were last written before `time`. */
  async olderThan(time: number): Promise<string[]> {
    const names: string[] = []
    await this.#unlessAbsent(async (folder) => {
      for await (const [name, entry] of folder.entries()) {
        if (!isFile(entry)) continue
        const { lastModified } = await entry.getFile()
        if (lastModified < time) names.push(name)
      }
    })
    return names
  }

  async #unlessAbsent<T>(task: (folder: FileSystemDirectoryHandle) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.#inFolder(false, task)
    } catch (error) {
      if (isNamed(error, 'NotFoundError')) return undefined
      throw error
    }
  }

  /** Somebody may have removed the folder meanwhile: begin anew, once. */
  async #inFolder<T>(create: boolean, task: (folder: FileSystemDirectoryHandle) => Promise<T>): Promise<T> {
    const remembered = this.#folder
    if (remembered) {
      try {
        return await task(await remembered)
      } catch (error) {
        if (!(error instanceof DOMException) || error.name === 'QuotaExceededError') throw error
        if (this.#folder === remembered) this.#folder = undefined
      }
    }
    const opening = this.#open(create)
    const folder = await opening
    this.#folder = opening
    return task(folder)
  }

  async #open(create: boolean): Promise<FileSystemDirectoryHandle> {
    const { storage }: { storage?: Partial<StorageManager> } = Reflect.get(globalThis, 'navigator') ?? {}
    // Insecure contexts have none, nor have some engines.
    if (this.#path === undefined || typeof storage?.getDirectory !== 'function')
      throw new DOMException('there is no private file system for it', 'NotFoundError')
    return (await storage.getDirectory()).getDirectoryHandle(this.#path, { create })
  }
}

async function writeFile(folder: FileSystemDirectoryHandle, name: string, bytes: Uint8Array): Promise<void> {
  const file: object = await folder.getFileHandle(name, { create: true })
  if (!opensSync(file)) throw new DOMException('files cannot be flushed here', 'NotSupportedError')
  const handle = await file.createSyncAccessHandle()
  try {
    for (let at = 0; at < bytes.length; ) {
      const written = handle.write(bytes.subarray(at), { at })
      // Firefox writes what there is room for, and throws nothing.
      if (!(written > 0)) throw new DOMException('nothing more could be written', 'QuotaExceededError')
      at += written
    }
    await handle.flush()
  } finally {
    await handle.close()
  }
}

// Not by a sync handle, which only one reader can have in Firefox. 8 MiB / 30 KiB of them take 10 / 1.4 ms in Chromium 156 and 17 / 0.8 in Firefox 153; by
// sync handles 6 / 2.7 and 9 / 3.2.
async function readFile(folder: FileSystemDirectoryHandle, name: string, start: number, end: number) {
  const file = await (await folder.getFileHandle(name)).getFile()
  return { bytes: new Uint8Array(await file.slice(start, end).arrayBuffer()), size: file.size }
}

/** The name of a store's folder: different for different stores, whatever characters they have. `undefined` when it would be too long. */
export function filesFolder(store: string): string | undefined {
  const units = Array.from({ length: store.length }, (_, i) => store.charCodeAt(i))
  const name = units.map((unit) => (isPlain(unit) ? String.fromCharCode(unit) : `%${unit.toString(16)}.`)).join('')
  return name.length <= longestName ? `tidemark-${name}` : undefined
}

// Lower case only: some systems take A and a for one name.
function isPlain(unit: number): boolean {
  return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x2d || unit === 0x5f
}

function opensSync(file: object): file is { createSyncAccessHandle(): Promise<SyncHandle> } {
  return 'createSyncAccessHandle' in file && typeof file.createSyncAccessHandle === 'function'
}

function isFile(entry: FileSystemHandle): entry is FileSystemFileHandle {
  return entry.kind === 'file'
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof DOMException && error.name === name
}
