import { InvalidInputError, UnsupportedError } from '../errors.ts'
import { memoryStore } from './memory.ts'
import type { Store } from './store.ts'

/** Makes a store of one scheme from its whole URI. Loads the code of that store only now. */
export type StoreOpener = (uri: string, options: OpenOptions) => Promise<Store>

export interface OpenOptions {
  /** Told what the user of a store should know of it, such as that a browser may delete it. */
  readonly warn?: (message: string) => void
}

/** Which stores there are, by the scheme of their URIs. A new kind of store is one line here. */
export const storeOpeners: ReadonlyMap<string, StoreOpener> = new Map<string, StoreOpener>([
  ['memory', async () => memoryStore()],
  ['file', async (uri) => openPath(pathOfUrl(uri))],
  [
    'indexeddb',
    async (uri, options) => {
      const { indexedDbStore } = await import('./indexeddb.ts')
      return indexedDbStore(uri.slice('indexeddb:'.length), options)
    },
  ],
  [
    'opfs',
    async (uri, options) => {
      const { opfsStore } = await import('./opfs.ts')
      return opfsStore(uri.slice('opfs:'.length), options)
    },
  ],
])

/**
 * Opens a store: `memory:` (a fresh one each time), a path, a `file:` URL, `indexeddb:name`, `opfs:name`; a `Store` is given back as it is. Whatever does not begin with a scheme of two or
 * more letters and a colon is a path, so `C:\data` is one. A path that does begin so can be written `./odd:name`.
 *
 * @throws UnsupportedError `unknown-store-scheme`; `no-file-system` for a path in a runtime without one
 * @throws InvalidInputError `invalid-store`, `invalid-store-path`, `invalid-store-name`
 *
 * @example
 * ```ts
 * import { openStore } from './open.ts'
 *
 * const store = await openStore('memory:')
 * await store.put('a', new Uint8Array([1]))
 * ```
 */
export async function openStore(where: string | Store, options: OpenOptions = {}): Promise<Store> {
  if (typeof where !== 'string') {
    if (isStore(where)) return where
    throw new InvalidInputError('A store is a URI, a path, or an object with get, put, delete and list.', {
      code: 'invalid-store',
    })
  }
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(where)?.[1]?.toLowerCase()
  if (scheme === undefined) return openPath(where)
  const open = storeOpeners.get(scheme)
  if (open) return open(where, options)
  const known = [...storeOpeners.keys()].map((name) => `${name}:`).join(', ')
  throw new UnsupportedError(
    `Unknown store scheme '${scheme}:'. Known are ${known} and paths (write './${scheme}:...' for a path that looks like a URI).`,
    { code: 'unknown-store-scheme', fields: { scheme, known: [...storeOpeners.keys()] } },
  )
}

function isStore(value: unknown): value is Store {
  if (typeof value !== 'object' || value === null) return false
  const { get, put, delete: remove, list } = value as Partial<Record<keyof Store, unknown>>
  return [get, put, remove, list].every((verb) => typeof verb === 'function')
}

async function openPath(path: string): Promise<Store> {
  let fs: typeof import('./fs.ts')
  try {
    fs = await import('./fs.ts')
  } catch (cause) {
    throw new UnsupportedError(
      `This runtime has no file system, so the store '${path}' cannot be opened. Use 'memory:' or pass a Store.`,
      { code: 'no-file-system', cause },
    )
  }
  return fs.fsStore(path)
}

/** The path a `file:` URL names, in the form of the system it is for: `file:///C:/x` is `C:/x`. `file:x` is the relative path `x`. */
function pathOfUrl(uri: string): string {
  const rest = uri.slice('file:'.length)
  const absolute = /^\/\/([^/]*)(\/.*)$/.exec(rest)
  const host = absolute?.[1]?.toLowerCase() ?? ''
  const encoded = absolute ? (absolute[2] ?? '') : rest
  if (encoded === '' || /[?#]/.test(encoded) || (host !== '' && host !== 'localhost') || /%2f/i.test(encoded))
    throw invalidUrl(uri)
  try {
    return decodeURIComponent(encoded).replace(/^\/([A-Za-z]:(\/|$))/, '$1')
  } catch (cause) {
    throw invalidUrl(uri, cause)
  }
}

function invalidUrl(uri: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError(
    `Invalid store URL '${uri}': give file:///absolute/path, with no host, query or fragment, or a plain path.`,
    { code: 'invalid-store-path', cause },
  )
}
