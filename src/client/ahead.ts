// Batches on their way at once: enough to hide round trips.
export const lookAhead = 4

/** Works on the items in order, some ahead of the one that is asked for. */
export async function* ahead<Item, Result>(
  items: Iterable<Item>,
  depth: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<{ readonly item: Item; readonly result: Result }> {
  const waiting: { item: Item; result: Promise<Result> }[] = []
  const rest = items[Symbol.iterator]()
  for (;;) {
    while (waiting.length < depth) {
      const { done, value: item } = rest.next()
      if (done) break
      const result = work(item)
      // It is awaited when its turn comes; until then its failure is not "unhandled".
      result.catch(() => undefined)
      waiting.push({ item, result })
    }
    const first = waiting.shift()
    if (first === undefined) return
    yield { item: first.item, result: await first.result }
  }
}
