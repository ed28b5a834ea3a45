import { hasMethods, isFile, isObject } from './capabilities.ts'

// A dict of a user's may well have a list under `dropped`. Shared through the global registry, as the brand of wrappers is.
const brand = Symbol.for('tidemark.dropped')

/** What was dropped on a page, taken out of its `DataTransferItemList` while that still holds it. */
export interface Dropped {
  readonly [brand]: true
  readonly dropped: readonly DroppedItem[]
}

/** A handle on its way, the older entry, or just a file: all that a browser gives, since each of them may turn out to be nothing. */
export interface DroppedItem {
  /** Null for an item that a script made, as Chromium 156 has it. */
  readonly handle?: Promise<unknown>
  readonly entry?: FileSystemEntry
  readonly file?: File
}

/** A `DataTransferItemList`. */
export function isDroppedItems(value: unknown): value is ArrayLike<DataTransferItem> {
  return isArrayLike(value) && value.length > 0 && hasMethods(value[0], 'getAsFile')
}

export function isDropped(value: unknown): value is Dropped {
  return isObject(value) && brand in value
}

/** A `FileList`, or an array of `File`. Empty lists are told by their class: there is no member to ask. */
export function isFileList(value: unknown): value is ArrayLike<File> {
  if (!isArrayLike(value)) return false
  if (value.length === 0) return Object.prototype.toString.call(value) === '[object FileList]'
  // An array is not copied to be looked at: it may be a table of a million rows.
  if (Array.isArray(value)) return value.every(isFile)
  return hasMethods(value, 'item') && Array.from(value).every(isFile)
}

/**
 * Takes the items out of the list. Call it before anything is awaited: the list is emptied when the event's handlers have returned.
 * https://html.spec.whatwg.org/multipage/dnd.html#the-datatransferitemlist-interface
 */
export function takeDropped(items: ArrayLike<unknown>): Dropped {
  const dropped: DroppedItem[] = []
  for (const item of Array.from(items)) {
    if (isObject(item) && 'kind' in item && item.kind === 'string') continue
    dropped.push(takeItem(item))
  }
  return { [brand]: true, dropped }
}

function takeItem(item: unknown): DroppedItem {
  const handle = hasMethods(item, 'getAsFileSystemHandle') ? Promise.resolve(item.getAsFileSystemHandle()) : undefined
  // It is awaited later, perhaps much later: until then its failure is not "unhandled".
  handle?.catch(() => undefined)
  const entry = hasMethods(item, 'webkitGetAsEntry') ? item.webkitGetAsEntry() : undefined
  const file = hasMethods(item, 'getAsFile') ? item.getAsFile() : undefined
  return { ...(handle && { handle }), ...(isEntry(entry) && { entry }), ...(isFile(file) && { file }) }
}

function isEntry(value: unknown): value is FileSystemEntry {
  return isObject(value) && 'isDirectory' in value && 'fullPath' in value
}

function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return isObject(value) && 'length' in value && typeof value.length === 'number'
}
