/** At most so many at once; the others wait in the order they came. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Does the work once there is a slot for it. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.enter()
    return this.leaveAfter(work())
  }

  /** Waits for a slot and takes it: for callers that must not run ahead of the work they begin. */
  async enter(): Promise<void> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#free--
  }

  /** Gives the slot back when the work is done. */
  async leaveAfter<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}

/** Works through the items, so many at once. The first failure ends it, after what is under way. */
export async function atOnce<Item>(
  count: number,
  items: Iterable<Item>,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let failure: { error: unknown } | undefined
  const worker = async () => {
    for (let next = iterator.next(); !failure && !next.done; next = iterator.next()) {
      try {
        await work(next.value)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: count }, worker))
  if (failure) throw failure.error
}
