import type { Browser } from '../browsers/installed.d.mts'

/** One row of the matrix: a runtime of this machine, or why there is none. */
export interface Runtime {
  readonly name: string
  readonly program?: string
  readonly version?: string
  readonly browser?: Browser
  readonly missing?: string
}

/** Node 20, 22 and 26, Deno, Bun, workerd, and each browser with its kinds of places. */
export function findRuntimes(): Runtime[]
