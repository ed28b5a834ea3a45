import { version as programVersion } from '../../package.json'
import type { Logger } from '../index.ts'
import { asksForJson, parseArguments } from './arguments.ts'
import type { Command } from './command.ts'
import { diff } from './diff.ts'
import { experiments } from './experiments.ts'
import { exitCodeOf, failureJson, failureText } from './failure.ts'
import { gc } from './gc.ts'
import { get } from './get.ts'
import { commandHelp, programHelp } from './help.ts'
import { key } from './key.ts'
import { log } from './log.ts'
import { ls } from './ls.ts'
import { metrics } from './metrics.ts'
import { Output } from './output.ts'
import { ProgressBar } from './progress-bar.ts'
import { put } from './put.ts'
import { Session } from './session.ts'
import { start } from './start.ts'
import { styleFor } from './style.ts'
import type { Values } from './values.ts'
import { verify } from './verify.ts'

const commands: readonly Command[] = [put, get, ls, diff, verify, gc, experiments, metrics, log, start, key]

/** Does what a command line asks for, and gives the exit code. Errors are told, never thrown. */
export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { env, stdout, stderr } = process
  const json = asksForJson(args)
  const out = new Output(stdout, json, env)
  const style = styleFor({ isTTY: stderr.isTTY, env })
  const bar = stderr.isTTY && !json && env.TERM !== 'dumb' ? new ProgressBar(stderr, style) : undefined
  try {
    const request = parseArguments(args, commands)
    let code = 0
    if (request.kind === 'version') out.line(programVersion)
    else if (request.kind === 'run') code = await runCommand(request.command, request.values, { out, bar, signal })
    else out.line(request.command ? commandHelp(request.command, out.style) : programHelp(commands, out.style))
    await out.finish()
    return code
  } catch (error) {
    bar?.clear()
    const text = json ? failureJson(error) : failureText(error, Boolean(env.DEBUG))
    stderr.write(`${json ? text : text.replace(/^tidemark:/, style.red('tidemark:'))}\n`)
    return exitCodeOf(error)
  }
}

interface Surroundings {
  readonly out: Output
  readonly bar: ProgressBar | undefined
  readonly signal: AbortSignal
}

async function runCommand(command: Command, values: Values, { out, bar, signal }: Surroundings): Promise<number> {
  const session = new Session(values, warner(bar))
  try {
    return (
      (await command.run({
        values,
        out: out,
        signal,
        onProgress: (progress) => bar?.update(progress),
        connect: session.connect,
      })) ?? 0
    )
  } finally {
    bar?.clear()
    await session.close()
  }
}

/** Warnings stand on stderr, above the bar. */
function warner(bar: ProgressBar | undefined): Logger {
  const say = (message: string) => {
    bar?.clear()
    process.stderr.write(`tidemark: ${message}\n`)
  }
  const ignore = () => undefined
  return { debug: ignore, info: ignore, warn: say, error: say }
}
