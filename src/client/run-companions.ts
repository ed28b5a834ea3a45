import type { Connection } from './connection.ts'
import { Heartbeat } from './heartbeat.ts'
import { postEntry } from './post-entry.ts'
import type { RunLog } from './run-log.ts'
import type { Surroundings } from './surroundings.ts'

/** What goes on beside an experiment by itself. */
export interface CompanionOptions {
  /** Say to a server that it is alive; default true. */
  readonly keepActive?: boolean
  /** Keep what the program writes to its standard output (in browsers: `console.log`). It is shown as ever. Default false. */
  readonly logOutput?: boolean
  /** The same of its standard error. */
  readonly logError?: boolean
  /** Keep the text of the script; default true. */
  readonly logCode?: boolean
  /** Keep what is known of the machine and the runtime; default true. */
  readonly logSystemDetails?: boolean
  /** Keep branch, commit, origin and what is not committed; default false. */
  readonly logGitInfo?: boolean
}

/** What goes on beside this experiment, as far as the runtime has it. */
export async function openCompanions(
  connection: Connection,
  key: string,
  log: RunLog,
  options: CompanionOptions,
): Promise<Companions> {
  const { logOutput: stdout, logError: stderr, logCode = true, logSystemDetails = true, logGitInfo } = options
  if (!stdout && !stderr && !logCode && !logSystemDetails && !logGitInfo)
    return new Companions(connection, key, log, options)
  const { openSurroundings } = await import('./surroundings.ts')
  const surroundings = await openSurroundings()
  const facts = { surroundings, logCode, logSystemDetails, logGitInfo }
  if (!stdout && !stderr) return new Companions(connection, key, log, { ...options, ...facts })
  const { captureOutput } = await import('./capture-output.ts')
  const stopCapture = captureOutput(surroundings, { log, logger: connection.logger, stdout, stderr })
  return new Companions(connection, key, log, { ...options, ...facts, stopCapture })
}

interface Opened extends CompanionOptions {
  /** Where facts come from. */
  readonly surroundings?: Surroundings
  /** Ends what began before. */
  readonly stopCapture?: () => void
}

/** What an experiment logs of itself, and its signs of life. */
export class Companions {
  /** When what is logged once is on its way. Never rejects: no experiment fails for what nobody asked for by name. */
  readonly collected: Promise<void>
  readonly #connection: Connection
  readonly #key: string
  readonly #log: RunLog
  readonly #heartbeat: Heartbeat | undefined
  readonly #stopCapture: (() => void) | undefined

  constructor(connection: Connection, key: string, log: RunLog, options: Opened) {
    this.#connection = connection
    this.#key = key
    this.#log = log
    const { surroundings, stopCapture, keepActive = true } = options
    this.#stopCapture = stopCapture
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
    this.#stopCapture?.()
  }

  stop(): void {
    this.stopCapture()
    this.#heartbeat?.stop()
    this.#connection.beforeClose.delete(this.#onClose)
  }

  async #collect(surroundings: Surroundings, { logCode, logSystemDetails, logGitInfo }: CompanionOptions) {
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
    const { gitEntries } = await import('./git-entries.ts')
    for (const entry of gitEntries(this.#key, facts)) this.#log.add(entry)
  }

  /** A key that stands in a script or on a command line is no part of what is logged. */
  #clean(text: string): string {
    return this.#connection.secrets.reduce((clean, secret) => (secret ? clean.replaceAll(secret, '***') : clean), text)
  }
}
