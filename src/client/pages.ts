import type { PageReply } from '../protocol/shapes.ts'
import type { Api, CallOptions } from './api.ts'

/** The items of all pages of a list. */
export async function* pages<Item>(api: Api, path: string, { search, signal }: CallOptions): AsyncGenerator<Item> {
  let after: string | undefined
  do {
    const page = await api.json<PageReply<Item>>('GET', path, { search: { ...search, after }, signal })
    yield* page.items
    after = page.next
  } while (after !== undefined)
}
