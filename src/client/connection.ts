import type { Logger } from '../logging.ts'
import type { Timers } from '../platform/timers.ts'
import type { Server } from './api/server.ts'
import type { Api } from './api.ts'

/** What everything a user holds shares: one connection to one backend. */
export interface Connection {
  readonly api: Api
  /** What the other side can do. */
  readonly server: Server
  readonly logger: Logger
  /** Deflate full chunks: where bytes are dearer than time. */
  readonly compress: boolean
  /** Where unqualified names are looked up. */
  readonly workspace: string
  readonly project: string
  /** Never stored, wherever it turns up. */
  readonly secrets: readonly string[]
  /** Default: the runtime's own. */
  readonly timers?: Timers
  /** Work that closing waits for. How it ends is told to whoever began it. */
  readonly underWay: Set<Promise<unknown>>
  /** What is done before it closes: last looks at watched tables. */
  readonly beforeClose: Set<() => Promise<void>>
  /** Experiments that were begun on it and have not ended. */
  readonly begun: Set<Endable>
}

export interface Endable {
  end(): Promise<void>
}
