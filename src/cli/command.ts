import type { OnProgress, Tidemark } from '../index.ts'
import type { Output } from './output.ts'
import type { Values } from './values.ts'

export interface Option {
  /** A flag takes no value. */
  readonly type: 'text' | 'flag'
  readonly short?: string
  /** What the value is called in the help. */
  readonly value?: string
  readonly choices?: readonly string[]
  readonly about: string
}

export type Options = Readonly<Record<string, Option>>

export interface Operands {
  /** As in the help: `NAME PATH...` */
  readonly usage: string
  readonly least: number
  readonly most: number
}

/** What a command works with. */
export interface Context {
  readonly values: Values
  readonly out: Output
  readonly signal: AbortSignal
  /** Draws a bar on a terminal; says nothing elsewhere. */
  readonly onProgress: OnProgress
  /** Opens the connection. Commands that only read want the store to be there already: `create` makes it. */
  connect(options?: { create?: boolean }): Promise<Tidemark>
}

export interface Command {
  readonly name: string
  readonly summary: string
  readonly operands: Operands
  /** Paragraphs of the help. */
  readonly about: readonly string[]
  readonly options: Options
  readonly examples: readonly string[]
  /** Gives the exit code; 0 when it gives none. */
  run(context: Context): Promise<number | undefined>
}

export const globalOptions: Options = {
  store: {
    type: 'text',
    value: 'STORE',
    about: 'where the data is: a folder, a file: URL or memory: (default: .tidemark)',
  },
  url: { type: 'text', value: 'URL', about: 'a server instead of a store: a Tidemark server, or Comet' },
  'api-key': {
    type: 'text',
    value: 'KEY',
    about: 'key for that server; others on this machine may see it here: TIDEMARK_API_KEY they do not',
  },
  workspace: { type: 'text', value: 'NAME', about: 'where names without a workspace are looked up (default: default)' },
  project: { type: 'text', value: 'NAME', about: 'project that new versions are logged under (default: general)' },
  json: { type: 'flag', about: 'print exact figures as JSON, and no progress' },
  help: { type: 'flag', short: 'h', about: 'print help' },
}
