/**
 * One key on disk: replaced by compare-and-swap between processes, without a lock.
 *
 * - The first value of a key is the file `name#v`. It is written aside, synced and published by `link`, which fails when the name is taken: of all who
 *   create a key, one succeeds.
 * - Later values live in the folder `name#h`, the history: the value in `v-<id>`, and one empty file, the token, named `now-<id>` while the key has that
 *   value and `gone-<id>` while it is deleted. Ids are random and never used again. **The swap is renaming the token**, `now-<old>` to `now-<new>`, after
 *   `v-<new>` is durable: a rename needs its source, so of all who saw `<old>` one succeeds, and for a writer who saw something older there is nothing to
 *   rename, however long he slept and whatever was swept. No numbers, no clocks, no window.
 * - The history begins by renaming a prepared folder to `name#h`, which fails when there is a history: of all who saw the first value, one succeeds.
 *
 * A key's state, then: its token when it has one; else `name#v`, when that is there and not empty; else absent. An empty `name#v` is a place kept: the name
 * must stay taken while there is a history, or a slow creator could still link a value that nobody would see. So replacing or deleting a first value ends
 * with renaming an empty file over it, which frees its bytes; an empty value is always kept in a history.
 *
 * Two writers: above. Writer and deleter: both rename the same token, or both claim `name#h`; one wins, the other looks again. Reader and writer: the
 * reader lists `name#h` and opens `v-<id>`; when that has been swept meanwhile, it looks again. A reader that opened a file reads it to the end, though the name
 * is gone. Crash: before the rename the old state stands and a stray `v-<id>` or file aside stays, which later writers and the sweep remove; after it
 * the new state stands and `v-<old>` is the stray.
 *
 * Where hard links are missing, every first value begins a history: the guarantees are the same, with three more calls.
 */
import { join } from 'node:path'
import { type About, damage, linkFound, restless } from './fs-errors.ts'
import { isFolder, type StoreFolder, unlessAbsent } from './fs-folder.ts'
import type { FsHandle, FsStat } from './fs-io.ts'
import { pathOfKey } from './fs-names.ts'
import type { StoredValue } from './store.ts'

/** Where one key is kept. */
export interface Place extends About {
  readonly key: string
  /** The folder that holds the two below. */
  readonly parent: string
  readonly first: string
  readonly history: string
}

export type KeyState =
  | { readonly kind: 'absent'; readonly token?: Token; readonly placeKept: boolean }
  | { readonly kind: 'first'; readonly etag: string; readonly stat: FsStat }
  | { readonly kind: 'replaced'; readonly etag: string; readonly token: Token; readonly path: string }

/** The token of a history, and whether many other files lie beside it. */
export interface Token {
  readonly name: string
  readonly id: string
  readonly gone: boolean
  readonly crowded: boolean
}

export function placeOf(folder: StoreFolder, key: string): Place {
  const { folders, name } = pathOfKey(key)
  return placeIn(folder, key, join(folder.data, ...folders), name)
}

export function placeIn(folder: StoreFolder, key: string, parent: string, name: string): Place {
  return { folder: folder.root, key, parent, first: join(parent, `${name}#v`), history: join(parent, `${name}#h`) }
}

// A reader looks again only when a writer has just been quicker: more often than this in a row, and something else is wrong.
export const mostLooks = 1000

export async function stateOf(folder: StoreFolder, place: Place): Promise<KeyState> {
  let placeKept = false
  for (let look = 0; look < mostLooks; look++) {
    const token = await tokenOf(folder, place)
    if (token?.gone) return { kind: 'absent', token, placeKept: true }
    if (token) return { kind: 'replaced', token, etag: token.id, path: valueFile(place, token.id) }
    const stat = await unlessAbsent(folder.io.lstat(place.first))
    if (!stat) return { kind: 'absent', placeKept: false }
    if (stat.isSymbolicLink()) throw linkFound(folder.root, place.first)
    if (!stat.isFile()) throw damage(place, 'its value is not a file')
    if (stat.size > 0) return { kind: 'first', etag: firstEtag(stat), stat }
    // Emptied since the history was looked for; or deleted, and the history swept: a second look tells.
    if (placeKept) return { kind: 'absent', placeKept }
    placeKept = true
  }
  throw restless(place)
}

export function valueFile(place: Place, id: string): string {
  return join(place.history, `v-${id}`)
}

// A first value is published once in the life of its history, so what tells it from others need only outlast the sweep of deleted keys.
export function firstEtag({ ino, mtimeMs, size }: FsStat): string {
  return `first-${ino}-${mtimeMs}-${size}`
}

// The token, its value, and the values that other writers are making: more than this, and some were left by crashes.
const crowd = 16

/** The token of a key, when the key has a history. */
export async function tokenOf(folder: StoreFolder, place: Place): Promise<Token | undefined> {
  for (let look = 0; look < mostLooks; look++) {
    const names = await unlessAbsent(folder.io.readdir(place.history))
    if (!names) return undefined
    if (!(await isFolder(folder, place.history))) continue
    const tokens = names.filter(({ name }) => /^(now|gone)-[0-9a-f]{20}$/.test(name))
    const [token] = tokens
    if (token && tokens.length === 1) {
      const [kind, id = ''] = token.name.split('-')
      return { name: token.name, id, gone: kind === 'gone', crowded: names.length > crowd }
    }
    if (names.length === 0) return undefined
    // None or two: a folder is not always read in one piece, and the token was renamed meanwhile.
  }
  throw damage(place, 'its history has no current value')
}

// A token whose value is missing was renamed since, and the next look finds another. A network file system may show the old one a few times more.
const mostLooksAtOne = 20

/** Counts looks at a token whose value is not there. */
export class LostValue {
  #id = ''
  #looks = 0

  /** @throws CorruptionError `store-damaged` when it is the same one again and again. */
  missed({ id }: Token, place: Place): void {
    this.#looks = id === this.#id ? this.#looks + 1 : 1
    this.#id = id
    if (this.#looks > mostLooksAtOne) throw damage(place, 'the file of its current value is missing')
  }
}

/** Opens the current value of a key for reading. */
export async function openValue(
  folder: StoreFolder,
  place: Place,
): Promise<{ handle: FsHandle; stat: FsStat; etag: string } | undefined> {
  const lost = new LostValue()
  for (let look = 0; look < mostLooks; look++) {
    const token = await tokenOf(folder, place)
    if (token?.gone) return undefined
    const path = token ? valueFile(place, token.id) : place.first
    const handle = await unlessAbsent(folder.io.open(path, 'read'))
    if (!handle && token) {
      lost.missed(token, place)
      continue
    }
    if (!handle) return undefined
    let stat: FsStat
    try {
      stat = await handle.stat()
      if (!stat.isFile()) throw damage(place, 'its value is not a file')
    } catch (error) {
      await handle.close()
      throw error
    }
    if (token) return { handle, stat, etag: token.id }
    if (stat.size > 0) return { handle, stat, etag: firstEtag(stat) }
    await handle.close()
    const state = await stateOf(folder, place)
    if (state.kind === 'absent') return undefined
  }
  throw restless(place)
}

/** Reads the current value, or a range of it. */
export async function readValue(
  folder: StoreFolder,
  place: Place,
  range: { start: number; end?: number } = { start: 0 },
): Promise<(StoredValue & { readonly modified: number }) | undefined> {
  if (!(await isFolder(folder, place.parent))) return undefined
  const open = await openValue(folder, place)
  if (!open) return undefined
  try {
    const { size } = open.stat
    const start = Math.min(range.start, size)
    const end = Math.min(range.end ?? size, size)
    const bytes = new Uint8Array(Math.max(0, end - start))
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await open.handle.read(bytes, at, bytes.length - at, start + at)
      if (bytesRead === 0) throw damage(place, 'its file was cut short while it was read')
      at += bytesRead
    }
    return { bytes, etag: open.etag, size, modified: Math.floor(open.stat.mtimeMs) }
  } finally {
    await open.handle.close()
  }
}
