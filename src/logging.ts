import { InvalidInputError } from './errors.ts'
import { describe } from './options.ts'

/** Where messages go: `console` is one. */
export interface Logger {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

export interface LoggingOptions {
  readonly logger?: Logger
  readonly file?: string
  readonly level?: string
  /** Never written, whatever message they turn up in. */
  readonly secrets?: readonly (string | undefined)[]
}

let disabled = false

/** Silences Tidemark for the rest of this process: the configured logger, the log file and its warnings on the console. */
export function disableLogging(): void {
  disabled = true
}

/**
 * The logger of one connection. Given none, warnings and errors go to the console; `file` with `level` (both, or nothing is written) adds a log file.
 *
 * @throws InvalidInputError `invalid-option` when `logger` lacks a method.
 */
export async function openLogger({ logger, file, level, secrets = [] }: LoggingOptions): Promise<Logger> {
  if (logger !== undefined) assertLogger(logger)
  const base = logger ?? consoleLogger
  const sinks = [base]
  // Loaded where it is configured: pages have no log files.
  if (file || level) sinks.push(...(await (await import('./log-file.ts')).openLogFile(file, level, base)))
  return guarded(
    sinks,
    secrets.filter((one) => one !== undefined && one !== ''),
  )
}

/** Says nothing. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }

const consoleLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: (message) => console.warn(`tidemark: ${message}`),
  error: (message) => console.error(`tidemark: ${message}`),
}

function ignore(): void {
  // Nobody asked for these messages.
}

function guarded(sinks: readonly Logger[], secrets: readonly (string | undefined)[]): Logger {
  const to = (method: keyof Logger) => (message: string) => {
    if (disabled) return
    const clean = secrets.reduce<string>((text, secret) => (secret ? text.replaceAll(secret, '***') : text), message)
    for (const sink of sinks) sink[method](clean)
  }
  return { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') }
}

function assertLogger(logger: object): void {
  const missing = (['debug', 'info', 'warn', 'error'] as const).find(
    (method) => typeof Reflect.get(Object(logger), method) !== 'function',
  )
  if (missing === undefined) return
  throw new InvalidInputError(
    `logger needs the methods debug, info, warn and error, as console has; ${describe(logger)} lacks ${missing}.`,
    {
      code: 'invalid-option',
      fields: { option: 'logger' },
    },
  )
}
