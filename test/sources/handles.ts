/** Doubles of what browsers hand over, over one tree of names. */
export interface Names {
  readonly [name: string]: string | Names
}

export function directoryHandle(name: string, names: Names): FileSystemDirectoryHandle {
  const handle = {
    kind: 'directory',
    name,
    async *values() {
      for (const [child, content] of Object.entries(names)) {
        yield typeof content === 'string' ? fileHandle(child, content) : directoryHandle(child, content)
      }
    },
  }
  return handle as unknown as FileSystemDirectoryHandle
}

export function fileHandle(name: string, content: string): FileSystemFileHandle {
  const handle = { kind: 'file', name, getFile: async () => new File([content], name) }
  return handle as unknown as FileSystemFileHandle
}

/** What `<input webkitdirectory>` gives. */
export function fileList(paths: Readonly<Record<string, string>>): File[] {
  return Object.entries(paths).map(([path, content]) => {
    const file = new File([content], path.split('/').at(-1) ?? '')
    return Object.defineProperty(file, 'webkitRelativePath', { value: path })
  })
}

/** The older entries, which come at most 100 at a time. */
export function entry(name: string, content: string | Names): FileSystemEntry {
  const isDirectory = typeof content !== 'string'
  const common = { name, fullPath: `/${name}`, isDirectory, isFile: !isDirectory }
  const made = isDirectory
    ? {
        ...common,
        createReader() {
          const rest = Object.entries(content).map(([child, inner]) => entry(child, inner))
          return { readEntries: (done: (entries: FileSystemEntry[]) => void) => done(rest.splice(0, 100)) }
        },
      }
    : { ...common, file: (done: (file: File) => void) => done(new File([content], name)) }
  return made as unknown as FileSystemEntry
}

/** A `DataTransferItemList` that is emptied as soon as its event is over. */
export function itemList(items: readonly object[]): { list: ArrayLike<object>; empty(): void } {
  const list = Object.assign(
    [...items].map((item) => ({ kind: 'file', getAsFile: () => null, ...item })),
    {},
  )
  return { list, empty: () => void list.splice(0) }
}
