/** Work that serves all who asked before it began: those who come while it runs share the next run. By name, so that what is not the same does not wait for each other. */
export class SharedRuns<T> {
  readonly #runs = new Map<string, { readonly running: Promise<T>; next?: Promise<T> }>()

  run(name: string, work: () => Promise<T>): Promise<T> {
    const current = this.#runs.get(name)
    if (!current) return this.#start(name, work)
    // A failure belongs to those who waited for that run; the next tries for itself.
    current.next ??= current.running.then(
      () => this.#start(name, work),
      () => this.#start(name, work),
    )
    return current.next
  }

  #start(name: string, work: () => Promise<T>): Promise<T> {
    const running = work().finally(() => {
      const run = this.#runs.get(name)
      if (run?.running === running && !run.next) this.#runs.delete(name)
    })
    this.#runs.set(name, { running })
    return running
  }
}
