import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { ConfigFile } from './config.ts'
import { PermissionError } from './errors.ts'
import { isNotPermitted, isPermitted } from './platform/process.ts'

const fileName = '.comet.yml'

/**
 * `./.comet.yml` and `~/.comet.yml`, those that exist and that the program is permitted to read, in this order. Nobody is asked for permission: a person in front of
 * Deno would be, before the first line of a program has run.
 */
export async function readConfigFiles(): Promise<ConfigFile[]> {
  const home = isPermitted({ name: 'sys', kind: 'homedir' }) ? homedir() : undefined
  const atHome = home !== undefined && isPermitted({ name: 'read', path: '.' }) && home === process.cwd()
  const files = [
    atHome ? undefined : await readIfThere(fileName, `./${fileName}`, true),
    home === undefined ? undefined : await readIfThere(join(home, fileName), `~/${fileName}`, false),
  ]
  return files.filter((file) => file !== undefined)
}

async function readIfThere(path: string, name: string, ofProject: boolean): Promise<ConfigFile | undefined> {
  if (!isPermitted({ name: 'read', path })) return undefined
  try {
    return { name, text: await readFile(path, 'utf8'), ofProject }
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR' || isNotPermitted(cause)) return undefined
    throw new PermissionError(`${name} cannot be read. Correct its permissions or move it away.`, {
      code: 'config-unreadable',
      fields: { file: name },
      cause,
    })
  }
}
