/**
 * Things that are fetched page by page as they are asked for.
 *
 * @example
 * ```ts
 * for await (const artifact of tidemark.getArtifacts()) console.log(artifact.name)
 * const all = await tidemark.getArtifacts().toArray()
 * ```
 */
export class Listing<Item> implements AsyncIterable<Item> {
  readonly #iterate: () => AsyncIterable<Item>

  constructor(iterate: () => AsyncIterable<Item>) {
    this.#iterate = iterate
  }

  [Symbol.asyncIterator](): AsyncIterator<Item> {
    return this.#iterate()[Symbol.asyncIterator]()
  }

  /** All of them; at most `limit` when it is given. */
  async toArray(limit = Number.POSITIVE_INFINITY): Promise<Item[]> {
    const items: Item[] = []
    if (limit <= 0) return items
    for await (const item of this) if (items.push(item) >= limit) break
    return items
  }
}
