import type { Logger } from './logging.ts'
import { describe } from './options.ts'
import { hasFiles } from './platform/files.ts'

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR'

export const logLevels: readonly LogLevel[] = ['DEBUG', 'INFO', 'WARNING', 'ERROR']

/** The log file that is configured; none, and `base` is told why, when that cannot be. */
export async function openLogFile(
  file: string | undefined,
  level: string | undefined,
  base: Logger,
): Promise<Logger[]> {
  const known = logLevels.find((one) => one === level?.toUpperCase())
  if (file && known && hasFiles()) {
    const { fileLogger } = await import('./logging-fs.ts')
    return [fileLogger(file, known, (reason) => base.warn(reason))]
  }
  base.warn(
    `No log file is written: COMET_LOGGING_FILE is ${describe(file)} and COMET_LOGGING_FILE_LEVEL ${describe(level)}. It takes both, the level being ${logLevels.join(', ')}.`,
  )
  return []
}
