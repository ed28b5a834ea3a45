import { comparePaths } from '../paths.ts'
import type { Entry } from './entry.ts'
import type { PlacedPage, VersionReader } from './version-reader.ts'

/** What became of one path from one version to another. */
export interface PathChange {
  readonly path: string
  readonly change: 'added' | 'removed' | 'changed'
  readonly before?: Entry
  readonly after?: Entry
}

/** The paths in which two versions differ, sorted. Pages that both versions share are not read. `changed`: see `isChanged`. */
export async function* diffVersions(
  before: VersionReader,
  after: VersionReader,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<PathChange> {
  const olds = unshared(before, after, options.signal)
  const news = unshared(after, before, options.signal)
  let old = await olds.next()
  let fresh = await news.next()
  while (!old.done || !fresh.done) {
    const order = old.done ? 1 : fresh.done ? -1 : comparePaths(old.value.path, fresh.value.path)
    const gone = order <= 0 && !old.done ? old.value : undefined
    const come = order >= 0 && !fresh.done ? fresh.value : undefined
    if (gone && !come) yield { path: gone.path, change: 'removed', before: gone }
    if (come && !gone) yield { path: come.path, change: 'added', after: come }
    if (gone && come && isChanged(gone, come)) yield { path: come.path, change: 'changed', before: gone, after: come }
    if (gone) old = await olds.next()
    if (come) fresh = await news.next()
  }
}

/** Other bytes, another kind or media type, or other metadata. */
export function isChanged(a: Entry, b: Entry): boolean {
  if (a.digest !== b.digest || a.size !== b.size || a.kind !== b.kind || a.mediaType !== b.mediaType) return true
  return JSON.stringify(a.metadata) !== JSON.stringify(b.metadata)
}

/** Entries of leaves that the other version does not have at the same place. */
async function* unshared(version: VersionReader, other: VersionReader, signal?: AbortSignal): AsyncGenerator<Entry> {
  const shared = new Set<string>()
  for await (const { link } of other.leafLinks(signal)) shared.add(key(link))
  for await (const { link, load } of version.leafLinks(signal)) {
    if (shared.has(key(link))) continue
    yield* (await load()).page.entries
  }
}

function key({ digest, pack, offset }: PlacedPage['ref']): string {
  return `${digest} ${pack} ${offset}`
}
