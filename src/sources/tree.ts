import type { FileSource } from '../codecs/file-source.ts'
import type { TidemarkError } from '../errors.ts'

/** A file of a walk, not yet looked at. */
export interface TreeFile extends FileSource {
  /** Finds its size as it is now, a few files ahead of whoever takes them; perhaps reads it already, when the files before it are being read. */
  prepare(): Promise<void>
}

/** A folder, wherever it is: on disk, behind a browser's handle, or pieced together from a list of files. */
export interface Tree {
  /** What is in it, in any order. `path` is where the walk is, '' at the top: for messages. */
  entries(path: string): Promise<readonly TreeEntry[]>
}

/** Paths are given when they are needed: they are relative to the top of the walk, which an entry does not know. */
export type TreeEntry =
  | { readonly kind: 'file'; readonly name: string; file(path: string): TreeFile; refuse?(path: string): TidemarkError }
  | { readonly kind: 'folder'; readonly name: string; readonly tree: Tree; refuse?(path: string): TidemarkError }
  | { readonly kind: 'link'; readonly name: string; resolve(path: string): Promise<TreeEntry> }
  /** Neither file nor folder. */
  | { readonly kind: 'other'; readonly name: string; refuse(path: string): TidemarkError }
