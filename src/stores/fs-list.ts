import { join } from 'node:path'
import { throwIfAborted } from '../errors.ts'
import { linkFound, restless } from './fs-errors.ts'
import { isFolder, type StoreFolder, unlessAbsent } from './fs-folder.ts'
import { decodeSegment, foldersOf, isNameOf } from './fs-names.ts'
import { LostValue, mostLooks, type Place, placeIn, readValue, stateOf } from './fs-value.ts'
import { compareKeys } from './key-order.ts'
import type { ListEntry, ListOptions, ListPage } from './store.ts'

// Four threads serve file calls; a few more in hand keep them busy.
const atOnce = 16

/** One page of the keys that begin with a prefix. Folders that cannot hold such a key are not read. */
export async function listPage(
  folder: StoreFolder,
  prefix: string,
  limit: number,
  options: ListOptions,
): Promise<ListPage> {
  const segments = prefix.split('/')
  const partial = segments.pop() ?? ''
  // No key has an empty segment, so none begins so.
  if (segments.includes('')) return { entries: [] }
  const top = join(folder.data, ...foldersOf(segments))
  const above = segments.map((segment) => `${segment}/`).join('')
  const places = placesBelow(folder, top, above, partial, options.after ?? '')
  const entries: ListEntry[] = []
  for (let more = true; more && entries.length <= limit; ) {
    throwIfAborted(options.signal)
    const batch: Place[] = []
    while (batch.length < Math.min(atOnce, limit + 1 - entries.length)) {
      const next = await places.next()
      more = !next.done
      if (next.done) break
      batch.push(next.value)
    }
    const found = await Promise.all(batch.map((place) => entryOf(folder, place, options.values ?? false)))
    for (const entry of found) if (entry) entries.push(entry)
  }
  if (entries.length <= limit) return { entries }
  const page = entries.slice(0, limit)
  const last = page.at(-1)
  return last ? { entries: page, next: last.key } : { entries: page }
}

async function entryOf(folder: StoreFolder, place: Place, values: boolean): Promise<ListEntry | undefined> {
  if (values) {
    const value = await readValue(folder, place)
    if (!value) return undefined
    const { bytes, etag, size, modified } = value
    return { key: place.key, size, etag, modified, bytes }
  }
  const lost = new LostValue()
  for (let look = 0; look < mostLooks; look++) {
    const state = await stateOf(folder, place)
    if (state.kind === 'absent') return undefined
    const stat = state.kind === 'first' ? state.stat : await unlessAbsent(folder.io.lstat(state.path))
    if (stat) return { key: place.key, size: stat.size, etag: state.etag, modified: Math.floor(stat.mtimeMs) }
    if (state.kind === 'replaced') lost.missed(state.token, place)
  }
  throw restless(place)
}

/** Places in key order, below one folder. */
async function* placesBelow(
  folder: StoreFolder,
  path: string,
  above: string,
  partial: string,
  after: string,
): AsyncGenerator<Place, undefined> {
  if (!(await isFolder(folder, path))) return
  const children: Child[] = []
  await readChildren(folder, path, '', children)
  const wanted: { sort: string; child: Child }[] = []
  const seen = new Set<string>()
  for (const child of children) {
    const segment = decodeSegment(child.name)
    if (
      segment === undefined ||
      !segment.startsWith(partial) ||
      !(segment === child.name || isNameOf(child.name, segment))
    )
      continue
    const sort = child.below === undefined ? above + segment : `${above}${segment}/`
    // A value may be both a first value and a history. Of a folder, what comes after `after` may be inside.
    if (seen.has(sort) || (compareKeys(sort, after) <= 0 && !(child.below && after.startsWith(sort)))) continue
    seen.add(sort)
    wanted.push({ sort, child })
  }
  wanted.sort((a, b) => compareKeys(a.sort, b.sort))
  for (const { sort, child } of wanted) {
    if (child.below === undefined) yield placeIn(folder, sort, child.parent, child.stem)
    else yield* placesBelow(folder, child.below, sort, '', after)
  }
}

/** A name in a folder, with the pieces of a long one put together. */
interface Child {
  readonly name: string
  readonly parent: string
  readonly stem: string
  /** The folder of the keys below this segment; values have none. */
  readonly below?: string
}

async function readChildren(folder: StoreFolder, path: string, begun: string, into: Child[]): Promise<void> {
  const names = (await unlessAbsent(folder.io.readdir(path))) ?? []
  for (const entry of names) {
    const [stem = '', mark] = entry.name.split('#')
    const name = begun + stem
    const full = join(path, entry.name)
    if (entry.isSymbolicLink()) throw linkFound(folder.root, full)
    if (mark === 'c' && (await isFolder(folder, full))) await readChildren(folder, full, name, into)
    else if ((mark === 'v' && entry.isFile()) || (mark === 'h' && entry.isDirectory()))
      into.push({ name, parent: path, stem })
    else if (mark === undefined && entry.isDirectory()) into.push({ name, parent: path, stem, below: full })
  }
}
