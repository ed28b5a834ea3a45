import type { CodecRegistry } from '../codecs/registry.ts'
import type { Logger } from '../logging.ts'
import type { Api } from './api.ts'

/** What everything a user holds shares: one connection to one backend. */
export interface Connection {
  readonly api: Api
  readonly codecs: CodecRegistry
  readonly logger: Logger
  /** Deflate full chunks: where bytes are dearer than time. */
  readonly compress: boolean
  /** Where unqualified names are looked up. */
  readonly workspace: string
  readonly project: string
  /** What is done before it closes: last looks at watched tables. */
  readonly beforeClose: Set<() => Promise<void>>
}
