import { isDirectoryHandle } from '../../codecs/handle.ts'
import { InvalidInputError, UnsupportedError } from '../../errors.ts'
import { describe } from '../../options.ts'
import { hasFiles } from '../../platform/files.ts'
import { handleTarget } from './download-handle.ts'
import { mapTarget } from './download-map.ts'
import type { DownloadTarget } from './download-target.ts'

/** Where downloads can go: a folder by its path or `file:` URL, a folder a browser handed over, or a Map of path to bytes. */
export type DownloadTo = string | URL | DirectoryHandle | Map<string, Uint8Array>

/** Nothing in programs that are compiled without the types of pages, as many for Node are: their compiler would not know the name. */
type DirectoryHandle = typeof globalThis extends { FileSystemDirectoryHandle: { prototype: infer Handle } }
  ? Handle
  : never

/** @throws InvalidInputError `invalid-target`; UnsupportedError `no-file-system` */
export async function openTarget(to: DownloadTo): Promise<DownloadTarget> {
  if (to instanceof Map) return mapTarget(to)
  if (isDirectoryHandle(to)) return handleTarget(to)
  const isPath = (typeof to === 'string' && to !== '') || (to instanceof URL && to.protocol === 'file:')
  if (!isPath)
    throw new InvalidInputError(
      `A download goes to the path of a folder, a FileSystemDirectoryHandle or a Map, not to ${describe(to)}.`,
      { code: 'invalid-target' },
    )
  if (!hasFiles())
    throw new UnsupportedError('This runtime has no file system: download to a FileSystemDirectoryHandle or a Map.', {
      code: 'no-file-system',
    })
  const { fsTarget } = await import('./download-fs.ts')
  return fsTarget(to)
}
