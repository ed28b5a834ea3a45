import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'

/** Where it runs scripts is up to the caller: the path is whole. */
export const interpreter = resolve(process.env.TIDEMARK_PYTHON ?? '.venv/bin/python')

/** Runs a script with these arguments (`sys.argv[1:]`) and gives what it printed. */
export function python(script: string, ...args: readonly string[]): string {
  const run = spawnSync(interpreter, ['-c', script, ...args], { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 })
  if (run.error) throw run.error
  if (run.status !== 0) throw new Error(`Python failed:\n${run.stderr}`)
  return run.stdout
}

/** The same for a script that prints JSON. */
export function pythonJson(script: string, ...args: readonly string[]): unknown {
  return JSON.parse(python(script, ...args))
}

/** Another program, such as `unzip`: what it printed, and whether it was content. */
export function program(name: string, ...args: readonly string[]): { ok: boolean; output: string } {
  const run = spawnSync(name, args, { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 })
  if (run.error) throw run.error
  return { ok: run.status === 0, output: run.stdout + run.stderr }
}
