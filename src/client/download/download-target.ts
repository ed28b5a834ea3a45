import type { Hasher } from '../../content/digest.ts'
import { openDigester } from '../../content/digest.ts'
import { ConflictError } from '../../errors.ts'
import type { Overwrite } from './overwrite.ts'

/** What lies at a path of the target. */
export interface ExistingFile {
  readonly size: number
  read(): AsyncIterable<Uint8Array>
}

/** Where a download goes. Files are staged out of sight, then published all together; whatever happens, `discard` leaves no temporary behind. */
export interface DownloadTarget {
  /** Whether paths that differ in case or spelling alone may be one place there. Without it, every path is its own, also one below a file. */
  folds?(): Promise<boolean>
  /**
   * The file at this path, if any.
   *
   * @throws ConflictError `file-exists` when something else than a file is in the way; PermissionError `link-in-target` for a link.
   */
  existing(path: string): Promise<ExistingFile | undefined>
  /** Stores the bytes aside. Called for one path at a time, once each. */
  stage(path: string, size: number, body: AsyncIterable<Uint8Array>): Promise<void>
  /** Makes what was staged visible. A file that has appeared meanwhile is treated by the rule: replaced, left, or a ConflictError `file-exists`. */
  publish(overwrite: Overwrite): Promise<void>
  /** Removes all that was staged and not published, and folders made for it. Safe to call at any time. */
  discard(): Promise<void>
}

/** What the rules replace or leave. */
export function fileExists(path: string, what = 'a different file'): ConflictError {
  return new ConflictError(
    `'${path}' exists already in the target: ${what}. Download to another folder, or pass overwrite: 'overwrite' or 'preserve'.`,
    { code: 'file-exists', fields: { path } },
  )
}

/** What no rule replaces. */
export function inTheWay(path: string, what: string): ConflictError {
  return new ConflictError(
    `'${path}' cannot be written to the target: ${what} is in its place. Remove that, or download to another folder.`,
    { code: 'file-exists', fields: { path } },
  )
}

/** SHA-256 of a file's bytes. */
export async function digestOf(file: ExistingFile): Promise<string> {
  const hasher: Hasher = (await openDigester()).create()
  for await (const piece of file.read()) hasher.update(piece)
  return hasher.hex()
}
