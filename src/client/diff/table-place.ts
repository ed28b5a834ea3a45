import type { Entry } from '../../content/entry.ts'
import type { VersionReader } from '../../content/version-reader.ts'

/** A table in a version. */
export interface TablePlace {
  readonly reader: VersionReader
  readonly entry: Entry
}

/** Tables as they were logged, and files that are Arrow by their name or media type. */
export function isTable({ entry: { kind, mediaType, path } }: TablePlace): boolean {
  return (
    kind === 'table' || (kind === 'file' && (/\.(arrow|arrows|feather)$/i.test(path) || /\barrow\b/.test(mediaType)))
  )
}
