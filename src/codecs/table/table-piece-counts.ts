/** How many pieces the schema with the dictionaries took, and each batch: so that a reader finds a batch without reading those before it. */
export class PieceCounts {
  readonly all: number[] = []
  #current = 0;

  *count(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
    for (const piece of pieces) {
      this.#current += 1
      yield piece
    }
  }

  /** Of pieces that are not made: `counts` of the schema and of each batch. */
  known(counts: readonly number[]): void {
    this.all.push(...counts)
  }

  end(): void {
    this.all.push(this.#current)
    this.#current = 0
  }
}

/** Counts with runs of equal ones told once, `3 7x240 8 7x4`: most batches have as many pieces as the one before. */
export function writePieceCounts(counts: readonly number[]): string {
  const runs: { count: number; times: number }[] = []
  for (const count of counts) {
    const last = runs[runs.length - 1]
    if (last?.count === count) last.times += 1
    else runs.push({ count, times: 1 })
  }
  return runs.map(({ count, times }) => (times === 1 ? String(count) : `${count}x${times}`)).join(' ')
}
