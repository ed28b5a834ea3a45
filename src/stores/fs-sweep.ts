import { join } from 'node:path'
import {
  abandonedAfter,
  createFile,
  discard,
  readSmall,
  type StoreFolder,
  uniqueName,
  unlessAbsent,
} from './fs-folder.ts'
import { placeOf, tokenOf } from './fs-value.ts'

// A history may go once nobody can be in the middle of a write that began before the deletion: a day is far beyond any write.
const forgottenAfter = 24 * 60 * 60 * 1000

/** Leaves a note that a key was deleted, so that the sweep need not look for it. Losing a note loses a few kilobytes of disk, never a value. */
export async function noteDeleted(folder: StoreFolder, id: string, key: string): Promise<void> {
  const path = join(folder.deleted, id)
  await createFile(folder, path, new TextEncoder().encode(`${id} ${key}`), false).catch(() => discard(folder, path))
}

/**
 * Removes what crashes left aside, and the histories of keys deleted long ago. Of a deleted key one empty file stays: its name must stay taken (see fs-value.ts).
 * Anything that cannot be removed now is left for the next sweep: opening a store must not fail because of its litter.
 */
export async function sweepFolder(folder: StoreFolder, now = Date.now()): Promise<void> {
  for (const path of await olderThan(folder, folder.aside, now - abandonedAfter)) await discardAll(folder, path)
  for (const path of await olderThan(folder, folder.deleted, now - forgottenAfter)) {
    await forget(folder, path).catch(() => undefined)
  }
}

async function olderThan({ io }: StoreFolder, path: string, time: number): Promise<string[]> {
  const old: string[] = []
  for (const { name } of (await unlessAbsent(io.readdir(path))) ?? []) {
    const full = join(path, name)
    const stat = await unlessAbsent(io.lstat(full))
    if (stat && stat.mtimeMs < time) old.push(full)
  }
  return old
}

async function discardAll(folder: StoreFolder, path: string): Promise<void> {
  const stat = await unlessAbsent(folder.io.lstat(path))
  if (!stat?.isDirectory()) return discard(folder, path)
  for (const { name } of (await unlessAbsent(folder.io.readdir(path))) ?? []) await discard(folder, join(path, name))
  await folder.io.rmdir(path).catch(() => undefined)
}

/** Removes the history of a deleted key, if it is still the deletion that the note tells of. */
async function forget(folder: StoreFolder, note: string): Promise<void> {
  const { io } = folder
  const [id = '', key = ''] = split((await readSmall(io, note)) ?? '')
  if (key !== '') {
    const place = placeOf(folder, key)
    const token = await tokenOf(folder, place)
    if (token?.gone && token.id === id) {
      // The first value must be empty before the history that hides it goes.
      const first = await unlessAbsent(io.lstat(place.first))
      if (!first || first.size > 0) {
        const empty = join(folder.aside, uniqueName())
        await createFile(folder, empty, new Uint8Array(0))
        await io.rename(empty, place.first)
      }
      for (const { name } of await io.readdir(place.history))
        if (name.startsWith('v-')) await discard(folder, join(place.history, name))
      // Taking the token away is the claim: it fails when somebody has written the key anew.
      const taken = join(folder.aside, uniqueName())
      await io.rename(join(place.history, token.name), taken)
      await discard(folder, taken)
    }
    if (!token) await unlessAbsent(io.rmdir(place.history))
    else if (token.gone && token.id === id) await io.rmdir(place.history)
  }
  await discard(folder, note)
}

function split(note: string): [string, string] {
  const space = note.indexOf(' ')
  return [note.slice(0, space), note.slice(space + 1)]
}
