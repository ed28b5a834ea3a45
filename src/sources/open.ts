import { isResponse, isUrl } from '../codecs/capabilities.ts'
import { isDropped, isDroppedItems, isFileList, takeDropped } from '../codecs/dropped.ts'
import { type ContentOptions, fileContent } from '../codecs/file-content.ts'
import type { FileSource } from '../codecs/file-source.ts'
import { isDirectoryHandle, isFileHandle } from '../codecs/handle.ts'
import { isWrapped, unwrap } from '../codecs/values.ts'
import { InvalidInputError } from '../errors.ts'
import { hasFiles } from '../platform/files.ts'
import type { FetchOptions } from './fetch-file.ts'
import { fileListTree } from './file-list.ts'
import { HandedFile } from './handed-file.ts'
import { localFiles } from './local.ts'
import type { Tree } from './tree.ts'
import { type WalkOptions, walk } from './walk.ts'

export interface OpenOptions extends FetchOptions, Pick<WalkOptions, 'wanted'> {
  /** Patterns in the syntax of `.gitignore`, added to what a wrapper and the ignore files in a folder say. */
  readonly ignore?: string | readonly string[]
}

/** What a string, path, handle or wrapper leads to. */
export type Opened =
  /** A string that is neither a path nor a pattern. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly file: FileSource }
  /** Sorted by path; read as they are asked for, once. */
  | { readonly kind: 'folder'; readonly name: string; readonly files: AsyncIterable<FileSource> }

/** What a folder is called when nothing says it: dropped side by side, chosen without a folder. */
export const UNNAMED = 'files'

/** A longer string is text: no system has paths of this many characters. */
const MAX_PATH = 4096

/**
 * Finds the file or folder that is meant: by a string, a URL, a handle, a `FileList`, dropped items, `file(...)`, `folder(...)`, `glob(...)`, or a value
 * that holds a file itself.
 *
 * A string that is the path of a file or folder means that; one with wildcards is a pattern, and must match; one that can only be a path (`./x`, `../x`,
 * `/x`, `~/x`, `C:\\x`) must exist; every other string is text, and so are several lines, a URL, and any string where there are no files.
 *
 * @throws NotFoundError `file-not-found`, `glob-no-match` (while reading); UnsupportedError `no-file-system`; what `fetchFile` and `walk` throw
 * @example
 * ```ts
 * const opened = await openSource('./photos', { ignore: ['*.tmp'] })
 * if (opened.kind === 'folder') for await (const file of opened.files) console.log(file.path, file.size)
 * ```
 */
export async function openSource(value: unknown, options: OpenOptions = {}): Promise<Opened> {
  // Before the first await: see `takeDropped`.
  const source = isDroppedItems(value) ? takeDropped(value) : value
  if (isWrapped(source)) return openWrapped(unwrap(source), options)
  if (typeof source === 'string') return openString(source, options)
  if (isUrl(source)) return openUrl(source, options)
  const tree = await treeOf(source)
  if (tree !== undefined) return { kind: 'folder', name: tree.name ?? UNNAMED, files: walk(tree.tree, options) }
  if (isFileHandle(source)) return openHandle(source)
  return { kind: 'file', file: await contentOf(source) }
}

async function openWrapped(
  { wrapper, value, options: own }: ReturnType<typeof unwrap>,
  options: OpenOptions,
): Promise<Opened> {
  const combined = { ...options, ignore: [...list(own.ignore), ...list(options.ignore)] }
  switch (wrapper) {
    case 'file': {
      if (isResponse(value)) return { kind: 'file', file: await contentOf(value, own) }
      const { file } = await openFile(value, options)
      return { kind: 'file', file: fileContent(file, own) }
    }
    case 'folder':
      return openFolder(value, combined)
    case 'glob': {
      const { openGlob } = await patterns()
      return openGlob(list(value), await treeOf(own.folder), own.folder, combined)
    }
    default:
      throw new InvalidInputError(`${wrapper}(...) is a value, not a file or folder.`, { code: 'unsupported-value' })
  }
}

async function openFile(value: unknown, options: OpenOptions): Promise<{ file: FileSource }> {
  if (typeof value === 'string') return { file: await (await localFiles(value)).fileSource(value) }
  if (isUrl(value) && value.protocol === 'file:') {
    const local = await localFiles(value.href)
    return { file: await local.fileSource(local.pathOfUrl(value)) }
  }
  if (isUrl(value)) return { file: await fetched(value, options) }
  return isFileHandle(value) ? openHandle(value) : { file: fileContent(value) }
}

async function openHandle(handle: FileSystemFileHandle): Promise<Opened & { kind: 'file' }> {
  const file = new HandedFile(handle.name, () => handle.getFile())
  await file.prepare()
  return { kind: 'file', file }
}

async function openUrl(url: URL, options: OpenOptions): Promise<Opened> {
  if (url.protocol !== 'file:') return { kind: 'file', file: await fetched(url, options) }
  const local = await localFiles(url.href)
  return openPath(local.pathOfUrl(url), options)
}

/** Loaded when an address is met. */
async function fetched(url: URL, options: OpenOptions): Promise<FileSource> {
  const { fetchFile } = await import('./fetch-file.ts')
  return fetchFile(url, options)
}

async function contentOf(value: unknown, options?: ContentOptions): Promise<FileSource> {
  if (!isResponse(value)) return fileContent(value, options)
  const { responseContent } = await import('../codecs/response-content.ts')
  return responseContent(value, options)
}

async function openString(text: string, options: OpenOptions): Promise<Opened> {
  const one = text !== '' && text.length <= MAX_PATH && !/[\r\n\0]/.test(text) && !/^[a-z][a-z\d+.-]+:\/\//i.test(text)
  if (!one || !hasFiles()) return { kind: 'text', text }
  const { statPath } = await localFiles(text)
  if ((await statPath(text)) !== undefined) return openPath(text, options)
  const { hasWildcards, openGlob } = await patterns()
  if (hasWildcards(text)) return openGlob([text], undefined, '.', options)
  return isSurelyPath(text) ? openPath(text, options) : { kind: 'text', text }
}

// A mistyped path must not be stored as a short text.
function isSurelyPath(text: string): boolean {
  return /^(?:\.{0,2}\/|~\/|\.{1,2}\\|[a-z]:[\\/])\S/i.test(text)
}

async function openPath(path: string, options: OpenOptions): Promise<Opened> {
  const local = await localFiles(path)
  const kind = await local.statPath(path)
  if (kind === undefined) throw local.fileNotFound(path)
  return kind === 'folder' ? openFolder(path, options) : { kind: 'file', file: await local.fileSource(path) }
}

async function openFolder(value: unknown, options: OpenOptions): Promise<Opened> {
  const tree = await treeOf(value)
  if (tree !== undefined) return { kind: 'folder', name: tree.name ?? UNNAMED, files: walk(tree.tree, options) }
  const local = await localFiles(String(value))
  const path = isUrl(value) ? local.pathOfUrl(value) : String(value)
  await local.assertFolder(path)
  return { kind: 'folder', name: local.folderName(path), files: local.walkFolder(path, options) }
}

/** Loaded when a pattern is met: they weigh more than all the rest of this room. */
function patterns() {
  return import('./glob-source.ts')
}

async function treeOf(value: unknown): Promise<{ name: string | undefined; tree: Tree } | undefined> {
  if (isDirectoryHandle(value)) {
    const { handleTree } = await import('./handles.ts')
    return { name: value.name === '' ? undefined : value.name, tree: handleTree(value) }
  }
  if (isDropped(value)) return (await import('./handles.ts')).droppedTree(value)
  return isFileList(value) ? fileListTree(Array.from(value)) : undefined
}

function list(value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value]
  return values.filter((item) => typeof item === 'string')
}
