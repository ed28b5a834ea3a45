import { restPrefix } from '../protocol/routes.ts'
import type { Connection } from './connection.ts'
import { withoutCredentials } from './git-origin.ts'
import { Heartbeat } from './heartbeat.ts'
import type { LogEntry } from './log-entry.ts'
import { OutputLines } from './output-lines.ts'
import { postEntry } from './post-entry.ts'
import type { RunLog } from './run-log.ts'
import type { Surroundings } from './surroundings.ts'

/** What goes on beside an experiment by itself. */
export interface CompanionOptions {
  /** Say to the server that it is alive. */
  readonly keepActive?: boolean
  readonly logOutput?: boolean
  readonly logError?: boolean
  readonly logCode?: boolean
  readonly logSystemDetails?: boolean
  readonly logGitInfo?: boolean
  /** Where the rest comes from. */
  readonly surroundings?: Surroundings
}

/** What an experiment logs of itself, and its signs of life. */
export class Companions {
  /** When what is logged once is on its way. Never rejects: no experiment fails for what nobody asked for by name. */
  readonly collected: Promise<void>
  readonly #connection: Connection
  readonly #key: string
  readonly #log: RunLog
  readonly #captures: (() => void)[] = []
  readonly #heartbeat: Heartbeat | undefined
  #lines = 0

  constructor(connection: Connection, { key }: { readonly key: string }, log: RunLog, options: CompanionOptions) {
    this.#connection = connection
    this.#key = key
    this.#log = log
    const { surroundings, logOutput, logError, keepActive } = options
    if (surroundings && logOutput) this.#capture(surroundings, 'stdout')
    if (surroundings && logError) this.#capture(surroundings, 'stderr')
    this.collected = surroundings ? this.#collect(surroundings, options) : Promise.resolve()
    const { api, logger, timers } = connection
    // Embedded, nobody is there to hear it but this process.
    if (keepActive && api.remote) this.#heartbeat = new Heartbeat(api, key, logger, timers)
    if (surroundings || this.#heartbeat) connection.beforeClose.add(this.#onClose)
  }

  /** Before the connection closes: nobody is told of the experiment after that. */
  readonly #onClose = async () => {
    this.stop()
    await this.collected
    await this.#log.settle()
  }

  stopCapture(): void {
    for (const stop of this.#captures.splice(0)) stop()
  }

  stop(): void {
    this.stopCapture()
    this.#heartbeat?.stop()
    this.#connection.beforeClose.delete(this.#onClose)
  }

  #capture(surroundings: Surroundings, stream: 'stdout' | 'stderr'): void {
    const lines = new OutputLines(
      stream === 'stderr',
      (line) => this.#tryAdd(line),
      () => ++this.#lines,
    )
    const stop = surroundings.capture(stream, (text) => lines.write(text))
    this.#captures.push(() => {
      stop()
      lines.end()
    })
  }

  /** The program that writes is not to fail because nobody takes it down. */
  #tryAdd(entry: LogEntry): void {
    try {
      this.#log.add(entry)
    } catch (error) {
      this.stopCapture()
      this.#connection.logger.warn(
        `The output is not logged any more: ${error instanceof Error ? error.message : error}`,
      )
    }
  }

  async #collect(surroundings: Surroundings, options: CompanionOptions): Promise<void> {
    const { logCode, logSystemDetails, logGitInfo } = options
    if (logCode) await this.#attempt('code', () => this.#logCode(surroundings))
    if (logSystemDetails) await this.#attempt('system details', () => this.#logSystem(surroundings))
    if (logGitInfo) await this.#attempt('git', () => this.#logGit(surroundings))
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#connection.logger.info(`No ${what} logged: ${error instanceof Error ? error.message : error}`)
    }
  }

  async #logCode(surroundings: Surroundings): Promise<void> {
    const code = await surroundings.code()
    if (code !== undefined) this.#log.add(postEntry(this.#key, 'code', 'code', { code: this.#clean(code) }))
  }

  async #logSystem(surroundings: Surroundings): Promise<void> {
    const { command, ...facts } = await surroundings.system()
    const clean = Array.isArray(command) ? command.map((one) => this.#clean(String(one))) : undefined
    const details = clean ? { command: clean, ...facts } : facts
    if (Object.keys(details).length > 0)
      this.#log.add(postEntry(this.#key, 'system details', 'system-details', details))
  }

  async #logGit(surroundings: Surroundings): Promise<void> {
    const facts = await surroundings.git()
    if (!facts) return
    const { patch, origin, ...rest } = facts
    const metadata = { ...rest, ...(origin !== undefined && { origin: withoutCredentials(origin) }) }
    this.#log.add(postEntry(this.#key, 'git metadata', 'git/metadata', metadata))
    if (patch === undefined) return
    const form = () => {
      const parts = new FormData()
      parts.append('file', new File([patch], 'git_diff.patch', { type: 'text/x-diff' }))
      return parts
    }
    this.#log.add({
      kind: 'call',
      what: 'git patch',
      size: 2 * patch.length,
      send: (api) =>
        api.form(`${restPrefix}/write/experiment/git/patch`, { search: { experimentKey: this.#key }, form }),
    })
  }

  /** A key that stands in a script or on a command line is no part of what is logged. */
  #clean(text: string): string {
    return this.#connection.secrets.reduce((clean, secret) => (secret ? clean.replaceAll(secret, '***') : clean), text)
  }
}
