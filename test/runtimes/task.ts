/** What the runner asks of a runtime. */
export interface Task {
  readonly do: 'write' | 'run'
  /** Of each property. */
  readonly numRuns: number
  /** Default: all. */
  readonly rooms?: readonly string[]
  /** Where there are files: an empty folder, the only place to write to. */
  readonly scratch: string
  /** For `write`, where there are files: where the folder store is to be. */
  readonly folder?: string
  /** For `run`: what was written by each runtime. */
  readonly written: readonly Written[]
}

/** The fixed values as one runtime wrote them. */
export interface Written {
  readonly by: string
  readonly digests: Readonly<Record<string, string | undefined>>
  /** Everything in a memory store: keys, and bytes in base64. */
  readonly entries: readonly (readonly [key: string, base64: string])[]
  /** A folder store, where there are files. */
  readonly folder?: string
}
