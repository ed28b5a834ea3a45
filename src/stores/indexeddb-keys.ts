/**
 * Where things lie in the one object store of a database. Its keys are bytes, because IndexedDB orders strings by UTF-16 unit and bytes as bytes, which for
 * UTF-8 is the order by code point that a `Store` promises. The first byte says what it is: facts about values lie together, so that a list reads no value.
 */
const facts = 0
const pieces = 1
const files = 2

/**
 * A value lies in pieces of this size, so that a small range of a large one costs little. Part of the stored form. Chromium 156, 8 MiB written / 30 KiB of it
 * read, in ms: 128 KiB 110 / 1.4, 512 KiB 57 / 2.1, 2 MiB 47 / 6.6, whole 167 / 20.
 */
export const pieceSize = 512 * 1024

type Key = Uint8Array<ArrayBuffer>

// Ends a key, which has no control characters, before the number of a piece: keys stay in order, and none begins with another and its end.
const end = 0

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Where the facts about a value are. */
export function factsKey(key: string): Key {
  return tagged(facts, encoder.encode(key))
}

/** The key whose facts lie there, or the name of the file. */
export function keyOfFacts(found: IDBValidKey): string | undefined {
  if (!(found instanceof ArrayBuffer)) return undefined
  return decoder.decode(new Uint8Array(found, 1))
}

/** Where a piece is. */
export function pieceKey(key: string, index: number): Key {
  const name = encoder.encode(key)
  const place = tagged(pieces, name, 5)
  place[name.length + 1] = end
  new DataView(place.buffer).setUint32(name.length + 2, index)
  return place
}

/** All pieces from one to another, of one key or of those between two keys; both included. */
export function pieceRange(first: string, last: string, from = 0, to = lastPiece): IDBKeyRange {
  return IDBKeyRange.bound(pieceKey(first, Math.min(from, lastPiece)), pieceKey(last, Math.min(to, lastPiece)))
}

/** Where it stands that a file of the private file system counts, or never will. */
export function fileKey(name: string): Key {
  return tagged(files, encoder.encode(name))
}

/** All of those. */
export function fileRange(): IDBKeyRange {
  return IDBKeyRange.bound(tagged(files, new Uint8Array(0)), tagged(files + 1, new Uint8Array(0)), false, true)
}

const lastPiece = 2 ** 32 - 1

/** The facts of all keys that begin with `prefix` and come after `after`; `undefined` when there can be none. */
export function listRange(prefix: string, after: string | undefined): IDBKeyRange | undefined {
  // UTF-8 has no bytes for half of a surrogate pair: no key begins so.
  if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(prefix)) return undefined
  const first = factsKey(prefix)
  const beyond = first.slice()
  // Neither UTF-8 nor the first byte is ever 255.
  beyond[beyond.length - 1] = (beyond.at(-1) ?? 0) + 1
  if (after === undefined) return IDBKeyRange.bound(first, beyond, false, true)
  const start = factsKey(after)
  if (indexedDB.cmp(start, first) < 0) return IDBKeyRange.bound(first, beyond, false, true)
  return indexedDB.cmp(start, beyond) < 0 ? IDBKeyRange.bound(start, beyond, true, true) : undefined
}

function tagged(tag: number, name: Uint8Array, more = 0): Key {
  const key = new Uint8Array(1 + name.length + more)
  key[0] = tag
  key.set(name, 1)
  return key
}
