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
import { type About, conflict, damage, linkFound, restless } from './fs-errors.ts'
import {
  createFile,
  discard,
  ensureFolder,
  isFolder,
  orRemove,
  refusesLinks,
  type StoreFolder,
  syncFolder,
  uniqueName,
  unlessAbsent,
  writeAside,
} from './fs-folder.ts'
import { type FsHandle, type FsStat, hasCode } from './fs-io.ts'
import { pathOfKey } from './fs-names.ts'
import type { PutOptions, StoredValue } from './store.ts'

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
interface Token {
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
const mostLooks = 1000

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

function valueFile(place: Place, id: string): string {
  return join(place.history, `v-${id}`)
}

// A first value is published once in the life of its history, so what tells it from others need only outlast the sweep of deleted keys.
function firstEtag({ ino, mtimeMs, size }: FsStat): string {
  return `first-${ino}-${mtimeMs}-${size}`
}

/** The name of the token, when the key has a history. */
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

/** Opens the current value of a key for reading. */
export async function openValue(
  folder: StoreFolder,
  place: Place,
): Promise<{ handle: FsHandle; stat: FsStat; etag: string } | undefined> {
  for (let look = 0; look < mostLooks; look++) {
    const token = await tokenOf(folder, place)
    if (token?.gone) return undefined
    const path = token ? valueFile(place, token.id) : place.first
    const handle = await unlessAbsent(folder.io.open(path, 'read'))
    if (!handle && token) continue
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

/** Writes a value under its condition. */
export async function writeValue(
  folder: StoreFolder,
  place: Place,
  bytes: Uint8Array,
  options: PutOptions,
  mayGoOn: () => void,
): Promise<string> {
  await ensureFolder(folder, place.parent)
  for (let look = 0; look < mostLooks; look++) {
    const state = await stateOf(folder, place)
    if (options.ifAbsent && state.kind !== 'absent') throw conflict(place, 'it exists already')
    if (options.ifMatch !== undefined && (state.kind === 'absent' || state.etag !== options.ifMatch))
      throw conflict(place, state.kind === 'absent' ? 'it does not exist' : 'somebody else changed it first')
    mayGoOn()
    const etag = await publish(folder, place, state, bytes, mayGoOn)
    if (etag !== undefined) return etag
    // Somebody was quicker: look again, and find the condition broken or a new state to replace.
  }
  throw restless(place)
}

/** Publishes a value in place of a state; `undefined` when the state has changed. */
async function publish(
  folder: StoreFolder,
  place: Place,
  state: KeyState,
  bytes: Uint8Array,
  mayGoOn: () => void,
): Promise<string | undefined> {
  if (state.kind === 'first') return beginHistory(folder, place, bytes, mayGoOn)
  if (state.token) return swap(folder, place, state.token, bytes, mayGoOn)
  if (state.kind === 'absent' && state.placeKept) return beginHistory(folder, place, bytes, mayGoOn)
  if (folder.hardLinks && bytes.length > 0) {
    const etag = await linkFirst(folder, place, bytes, mayGoOn)
    if (etag !== 'no links') return etag
  }
  if (folder.hardLinks && !(await keepPlace(folder, place))) return undefined
  return beginHistory(folder, place, bytes, mayGoOn)
}

async function linkFirst(
  folder: StoreFolder,
  place: Place,
  bytes: Uint8Array,
  mayGoOn: () => void,
): Promise<string | 'no links' | undefined> {
  const { io } = folder
  const aside = await writeAside(folder, bytes)
  return orRemove(folder, aside, async () => {
    const stat = await io.lstat(aside)
    mayGoOn()
    const linked = await link(folder, aside, place.first)
    await Promise.all([linked === 'done' ? syncFolder(folder, place.parent) : undefined, discard(folder, aside)])
    if (linked === 'no links') return linked
    return linked === 'done' ? firstEtag(stat) : undefined
  })
}

/** Takes the name of the first value with an empty file, so that nobody can link a value that a history would hide. */
async function keepPlace(folder: StoreFolder, place: Place): Promise<boolean> {
  const aside = join(folder.aside, uniqueName())
  await createFile(folder, aside, new Uint8Array(0))
  return orRemove(folder, aside, async () => {
    const linked = await link(folder, aside, place.first)
    await discard(folder, aside)
    return linked !== 'taken'
  })
}

async function link(folder: StoreFolder, from: string, to: string): Promise<'done' | 'taken' | 'no links'> {
  try {
    await folder.io.link(from, to)
    return 'done'
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return 'taken'
    if (!refusesLinks(error)) throw error
    folder.hardLinks = false
    return 'no links'
  }
}

/** Begins the history of a key with a value, or with its deletion when there are no bytes to keep. */
async function beginHistory(
  folder: StoreFolder,
  place: Place,
  bytes: Uint8Array | undefined,
  mayGoOn: () => void,
): Promise<string | undefined> {
  const { io } = folder
  const id = uniqueName()
  const prepared = join(folder.aside, `h-${id}`)
  const value = join(prepared, `v-${id}`)
  const token = join(prepared, bytes ? `now-${id}` : `gone-${id}`)
  const empty = join(folder.aside, `e-${id}`)
  try {
    await io.mkdir(prepared)
    if (bytes) await createFile(folder, value, bytes)
    await createFile(folder, token, new Uint8Array(0))
    await syncFolder(folder, prepared)
    await createFile(folder, empty, new Uint8Array(0), false)
    mayGoOn()
    if (await claim(folder, prepared, place)) {
      await syncFolder(folder, place.parent)
      // Frees the bytes of the first value. When it fails they stay until the key is swept; what the key holds is decided already.
      await io.rename(empty, place.first).catch(() => discard(folder, empty))
      return id
    }
  } catch (error) {
    await discardPrepared()
    throw error
  }
  await discardPrepared()
  return undefined

  async function discardPrepared(): Promise<void> {
    await Promise.all([value, token, empty].map((path) => discard(folder, path)))
    await unlessAbsent(io.rmdir(prepared)).catch(() => io.rmdir(prepared).catch(() => undefined))
  }
}

/** Renames a prepared folder to be the history; false when there is one. A folder may be renamed over an empty one, and not over others. */
async function claim(folder: StoreFolder, prepared: string, place: Place): Promise<boolean> {
  try {
    await folder.io.rename(prepared, place.history)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST', 'ENOTEMPTY')) return false
    // Windows says so when the name is taken, also by an empty folder.
    if (!hasCode(error, 'EPERM', 'EACCES')) throw error
    const names = await unlessAbsent(folder.io.readdir(place.history))
    if (!names) throw error
    if (names.length === 0) await unlessAbsent(folder.io.rmdir(place.history)).catch(() => undefined)
    return false
  }
}

async function swap(
  folder: StoreFolder,
  place: Place,
  token: Token,
  bytes: Uint8Array | undefined,
  mayGoOn: () => void,
): Promise<string | undefined> {
  const { io } = folder
  const id = uniqueName()
  const value = valueFile(place, id)
  try {
    // Written where it stays: one folder sync makes it and the token durable. Nobody looks at it before the token names it.
    if (bytes) await createFile(folder, value, bytes)
    mayGoOn()
    await io.rename(join(place.history, token.name), join(place.history, bytes ? `now-${id}` : `gone-${id}`))
  } catch (error) {
    await discard(folder, value)
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
  await syncFolder(folder, place.history)
  if (!token.gone) await discard(folder, valueFile(place, token.id))
  if (token.crowded) await sweepStrays(folder, place, id)
  return id
}

// The token, its value, and the values that other writers are making: more than this, and some were left by crashes.
const crowd = 16
/** A file aside is abandoned after an hour: the longest single write we know of, 8 MiB over a slow network share, takes minutes. */
export const abandonedAfter = 60 * 60 * 1000

async function sweepStrays(folder: StoreFolder, place: Place, id: string): Promise<void> {
  const names = (await unlessAbsent(folder.io.readdir(place.history))) ?? []
  for (const { name } of names) {
    if (!name.startsWith('v-') || name === `v-${id}`) continue
    const path = join(place.history, name)
    const stat = await unlessAbsent(folder.io.lstat(path))
    if (stat && Date.now() - stat.mtimeMs > abandonedAfter) await discard(folder, path)
  }
}

/** Deletes a key. Gives the id of the deletion, or `undefined` when the key was absent. */
export async function deleteValue(folder: StoreFolder, place: Place, mayGoOn: () => void): Promise<string | undefined> {
  if (!(await isFolder(folder, place.parent))) return undefined
  for (let look = 0; look < mostLooks; look++) {
    const state = await stateOf(folder, place)
    if (state.kind === 'absent') return undefined
    mayGoOn()
    const id =
      state.kind === 'first'
        ? await beginHistory(folder, place, undefined, mayGoOn)
        : await swap(folder, place, state.token, undefined, mayGoOn)
    if (id !== undefined) return id
  }
  throw restless(place)
}
