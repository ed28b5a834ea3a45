import { join } from 'node:path'
import { conflict, restless } from './fs-errors.ts'
import {
  abandonedAfter,
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
import { hasCode } from './fs-io.ts'
import { firstEtag, type KeyState, mostLooks, type Place, stateOf, type Token, valueFile } from './fs-value.ts'
import type { PutOptions } from './store.ts'

// How values change; fs-value.ts says why this is safe.

/** Writes a value under its condition. */
export async function writeValue(
  folder: StoreFolder,
  place: Place,
  bytes: Uint8Array,
  options: PutOptions,
  mayGoOn: () => void,
): Promise<string> {
  await ensureFolder(folder, place.parent)
  if (options.ifMatch !== undefined) {
    const etag = await swapUnseen(folder, place, options.ifMatch, bytes, mayGoOn)
    if (etag !== undefined) return etag
  }
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

// One swap in 64 looks at what lies beside the token, and sweeps it when there is much.
const seenUnder = '04'

/**
 * Swaps the token that an etag names without looking first: a rename that finds it is proof enough. `undefined` when it is not there, or the key has no
 * history yet: then the key must be looked at.
 */
async function swapUnseen(
  folder: StoreFolder,
  place: Place,
  etag: string,
  bytes: Uint8Array,
  mayGoOn: () => void,
): Promise<string | undefined> {
  if (!/^[0-9a-f]{20}$/.test(etag) || etag < seenUnder || !(await isFolder(folder, place.history))) return undefined
  mayGoOn()
  return swap(folder, place, { name: `now-${etag}`, id: etag, gone: false, crowded: false }, bytes, mayGoOn)
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
