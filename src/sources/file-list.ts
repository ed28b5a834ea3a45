import { InvalidInputError } from '../errors.ts'
import { fileEntry } from './handed-file.ts'
import type { Tree, TreeEntry } from './tree.ts'

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
