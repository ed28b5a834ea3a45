import type { Connection } from '../connection.ts'
import type { Heartbeat } from './heartbeat.ts'
import { logFacts } from './log-facts.ts'
import type { RunLog } from './run-log.ts'

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

/** Begins what goes on beside an experiment, as far as the runtime and the other side have it. */
export async function openCompanions(
  connection: Connection,
  key: string,
  log: RunLog,
  options: CompanionOptions,
): Promise<Companions> {
  const { keepActive = true, logOutput, logError, logCode = true, logSystemDetails = true, logGitInfo } = options
  const { api, logger, timers } = connection
  // Embedded, nobody is there to hear it but this process.
  const heartbeat =
    keepActive && api.remote ? new (await import('../api/network.ts')).Heartbeat(api, key, logger, timers) : undefined
  if (!logOutput && !logError && !logCode && !logSystemDetails && !logGitInfo)
    return new Companions(connection, log, { heartbeat })
  const surroundings = await (await import('../surroundings.ts')).openSurroundings()
  const stopCapture =
    logOutput || logError
      ? (await import('../surroundings/capture-output.ts')).captureOutput(surroundings, {
          log,
          connection,
          logOutput,
          logError,
        })
      : undefined
  const collected = logFacts(connection, key, log, surroundings, { logCode, logSystemDetails, logGitInfo })
  return new Companions(connection, log, { heartbeat, stopCapture, collected })
}

interface Begun {
  readonly heartbeat: Heartbeat | undefined
  readonly stopCapture?: (() => void) | undefined
  readonly collected?: Promise<void>
}

/** What an experiment logs of itself, and its signs of life. */
export class Companions {
  /** When what is logged once is on its way. Never rejects: no experiment fails for what nobody asked for by name. */
  readonly collected: Promise<void> | undefined
  readonly #connection: Connection
  readonly #log: RunLog
  readonly #begun: Begun

  constructor(connection: Connection, log: RunLog, begun: Begun) {
    this.#connection = connection
    this.#log = log
    this.#begun = begun
    this.collected = begun.collected
    if (begun.heartbeat || begun.collected) connection.beforeClose.add(this.#onClose)
  }

  /** Before the connection closes: nobody is told of the experiment after that. */
  readonly #onClose = async () => {
    this.stop()
    await this.collected
    await this.#log.settle()
  }

  stopCapture(): void {
    this.#begun.stopCapture?.()
  }

  stop(): void {
    this.stopCapture()
    this.#begun.heartbeat?.stop()
    this.#connection.beforeClose.delete(this.#onClose)
  }
}
