import type { Store } from '../../stores/store.ts'

/** The segments that follow a prefix ending in `/`, in order, jumping over the keys below each. */
export async function* foldersBelow(store: Store, prefix: string): AsyncGenerator<string> {
  for (let after: string | undefined, more = true; more; ) {
    const page = await store.list(prefix, { limit: 1, ...(after !== undefined && { after }) })
    const [entry] = page.entries
    if (!entry) return
    const rest = entry.key.slice(prefix.length)
    const slash = rest.indexOf('/')
    if (slash !== -1) yield rest.slice(0, slash)
    // '0' is the character after '/': greater than every key below the folder, and no key itself.
    after = slash === -1 ? entry.key : `${prefix}${rest.slice(0, slash)}0`
    more = page.next !== undefined
  }
}
