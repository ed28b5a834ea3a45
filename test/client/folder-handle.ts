/** A folder as a browser hands it over, in memory: names, errors and writes as the File System standard has them (https://fs.spec.whatwg.org). */
export class FolderHandle {
  readonly kind = 'directory'
  readonly name: string
  readonly entries = new Map<string, FolderHandle | FileHandle>()

  constructor(name = '') {
    this.name = name
  }

  async getDirectoryHandle(name: string, options: { create?: boolean } = {}): Promise<FolderHandle> {
    const found = this.entries.get(name)
    if (found instanceof FileHandle) throw new DOMException('a file', 'TypeMismatchError')
    if (found) return found
    if (!options.create) throw new DOMException('not there', 'NotFoundError')
    const made = new FolderHandle(name)
    this.entries.set(name, made)
    return made
  }

  async getFileHandle(name: string, options: { create?: boolean } = {}): Promise<FileHandle> {
    const found = this.entries.get(name)
    if (found instanceof FolderHandle) throw new DOMException('a folder', 'TypeMismatchError')
    if (found) return found
    if (!options.create) throw new DOMException('not there', 'NotFoundError')
    const made = new FileHandle(name)
    this.entries.set(name, made)
    return made
  }

  async removeEntry(name: string): Promise<void> {
    const found = this.entries.get(name)
    if (!found) throw new DOMException('not there', 'NotFoundError')
    if (found instanceof FolderHandle && found.entries.size > 0)
      throw new DOMException('not empty', 'InvalidModificationError')
    this.entries.delete(name)
  }

  values(): IterableIterator<FolderHandle | FileHandle> {
    return this.entries.values()
  }

  /** Path to text of everything below. */
  async contents(prefix = ''): Promise<Record<string, string>> {
    const found: Record<string, string> = {}
    for (const [name, entry] of this.entries) {
      if (entry instanceof FileHandle) found[prefix + name] = await (await entry.getFile()).text()
      else Object.assign(found, { [`${prefix}${name}/`]: '' }, await entry.contents(`${prefix}${name}/`))
    }
    return found
  }
}

export class FileHandle {
  readonly kind = 'file'
  readonly name: string
  #blob = new Blob([])

  constructor(name: string) {
    this.name = name
  }

  async getFile(): Promise<File> {
    return new File([this.#blob], this.name)
  }

  /** What is written shows once it is closed. */
  async createWritable() {
    const pieces: Uint8Array<ArrayBuffer>[] = []
    return {
      write: async (piece: Uint8Array) => void pieces.push(new Uint8Array(piece)),
      close: async () => {
        this.#blob = new Blob(pieces)
      },
      abort: async () => void pieces.splice(0),
    }
  }
}
