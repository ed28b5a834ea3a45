// Object stores answer in tens of milliseconds: this many requests at once hide that, and stay far below what any runtime or store refuses.
const atOnce = 16

/** Does the same for each item, a few at a time; results in order. The first failure is thrown once all that was begun has ended. */
export async function eachOf<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const failures: unknown[] = []
  const queue = [...items].entries()
  const worker = async () => {
    for (const [at, item] of queue) {
      if (failures.length > 0) return
      try {
        results[at] = await work(item)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  if (failures.length > 0) throw failures[0]
  return results
}
