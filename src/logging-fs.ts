import { appendFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type LogLevel, logLevels } from './log-file.ts'
import type { Logger } from './logging.ts'

const marks: Record<LogLevel, string> = { DEBUG: 'DBG', INFO: 'INF', WARNING: 'WARN', ERROR: 'ERR' }

/**
 * Appends lines `2026-01-31 23:59:59 [INF] text`. A file that cannot be written is reported once and given up.
 *
 * Synchronous, so that the lines before a crash are there: they are few and short.
 */
export function fileLogger(file: string, level: LogLevel, failed: (reason: string) => void): Logger {
  // A relative name means the folder of the first use, wherever the process goes later.
  const path = resolve(file)
  let usable = true
  const at = (line: LogLevel) => (message: string) => {
    if (!usable || logLevels.indexOf(line) < logLevels.indexOf(level)) return
    const time = new Date().toISOString().slice(0, 19).replace('T', ' ')
    try {
      appendFileSync(path, `${time} [${marks[line]}] ${message.replaceAll('\n', ' ')}\n`, { mode: 0o600 })
    } catch (error) {
      usable = false
      failed(
        `The log file ${file} cannot be written (${error instanceof Error ? error.message : error}); nothing is logged to it.`,
      )
    }
  }
  return { debug: at('DEBUG'), info: at('INFO'), warn: at('WARNING'), error: at('ERROR') }
}
