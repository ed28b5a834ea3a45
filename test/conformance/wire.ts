import type { Json, WireClient } from './wire-client.ts'

/** A fresh server in each test, a client of it, and an experiment that was made there. */
export interface Wire {
  readonly client: WireClient
  readonly key: string
  /** To a path of the experiment. */
  write(path: string, body: Json): Promise<Json>
  read<T = Json>(path: string, query?: Record<string, string | number | boolean | undefined>): Promise<T>
}

export const workspace = 'team'
export const project = 'wire test'
export const script = { name: 'sample-script.R', type: 'text/plain', bytes: new TextEncoder().encode('x <- 7') }

/** Of one type, whatever each of them names. */
export function queries(...all: readonly Record<string, string>[]): readonly Record<string, string>[] {
  return all
}
