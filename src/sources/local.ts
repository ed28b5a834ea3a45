import { UnsupportedError } from '../errors.ts'
import { hasFiles } from '../platform/files.ts'

type Local = typeof import('./paths-fs.ts')

/**
 * Files on disk, where there are any.
 *
 * @throws UnsupportedError `no-file-system`, naming what was asked for
 */
export async function localFiles(asked: string): Promise<Local> {
  // Asked before importing: bundlers for browsers put an empty module in the place of `node:fs`.
  if (!hasFiles()) throw noFileSystem(asked)
  try {
    return await import('./paths-fs.ts')
  } catch (cause) {
    throw noFileSystem(asked, cause)
  }
}

function noFileSystem(asked: string, cause?: unknown): UnsupportedError {
  return new UnsupportedError(
    /^https?:/i.test(asked)
      ? `A string is the path of a file, and this runtime has none. Write new URL('${asked}') for what is at that address.`
      : `'${asked}' is a path, and this runtime has no files. Hand over the file or folder itself: a File, a FileList, a FileSystemHandle, or bytes.`,
    { code: 'no-file-system', fields: { path: asked }, cause },
  )
}
