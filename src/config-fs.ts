import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { ConfigFile } from './config.ts'
import { PermissionError } from './errors.ts'
import { isNotPermitted, whatIsPermitted } from './platform/process.ts'

const fileName = '.comet.yml'

/** `./.comet.yml` and `~/.comet.yml`, those that exist and that the program is permitted to read, in this order. */
export async function readConfigFiles(): Promise<ConfigFile[]> {
  const home = whatIsPermitted(homedir)
  const atHome = home !== undefined && home === whatIsPermitted(process.cwd)
  const files = [
    atHome ? undefined : await readIfThere(fileName, `./${fileName}`, true),
    home === undefined ? undefined : await readIfThere(join(home, fileName), `~/${fileName}`, false),
  ]
  return files.filter((file) => file !== undefined)
}

async function readIfThere(path: string, name: string, ofProject: boolean): Promise<ConfigFile | undefined> {
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
