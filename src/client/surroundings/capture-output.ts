import { withoutKeys } from '../api/without-keys.ts'
import type { Connection } from '../connection.ts'
import type { RunLog } from '../log/run-log.ts'
import type { Surroundings } from '../surroundings.ts'
import { captureConsole } from './capture-console.ts'
import { OutputLines } from './output-lines.ts'

interface CaptureOptions {
  readonly log: RunLog
  readonly connection: Pick<Connection, 'logger' | 'secrets'>
  readonly logOutput: boolean | undefined
  readonly logError: boolean | undefined
}

/** Logs what the program writes, which is shown as ever; the function it gives ends that. Loaded where it is asked for. */
export function captureOutput(
  { capture = captureConsole }: Surroundings,
  { log, connection: { logger, secrets }, logOutput, logError }: CaptureOptions,
): () => void {
  const stops: (() => void)[] = []
  const stopAll = () => {
    for (const stop of stops.splice(0)) stop()
  }
  let count = 0
  const start = (stream: 'stdout' | 'stderr') => {
    const lines = new OutputLines(
      stream === 'stderr',
      (line) => {
        try {
          log.add({ ...line, text: withoutKeys(line.text, secrets) })
        } catch (error) {
          // The program that writes is not to fail because nobody takes it down.
          stopAll()
          logger.warn(`The output is not logged any more: ${error instanceof Error ? error.message : error}`)
        }
      },
      () => ++count,
    )
    const stop = capture(stream, (text) => lines.write(text))
    stops.push(() => {
      stop()
      lines.end()
    })
  }
  if (logOutput) start('stdout')
  if (logError) start('stderr')
  return stopAll
}
