import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ConfigFile } from './config.ts'
import { PermissionError } from './errors.ts'
import { isNotPermitted, whatIsPermitted } from './platform/process.ts'

const fileName = '.comet.yml'

/** `./.comet.yml` and `~/.comet.yml`, those that exist and that the program is permitted to read, in this order. */
export async function readConfigFiles(): Promise<ConfigFile[]> {
  const places = new Map([[fileName, `./${fileName}`]])
  const home = whatIsPermitted(homedir)
  if (home !== undefined) places.set(join(home, fileName), `~/${fileName}`)
  const files = await Promise.all([...places].map(([path, name]) => readIfThere(path, name)))
  return files.filter((file) => file !== undefined)
}

async function readIfThere(path: string, name: string): Promise<ConfigFile | undefined> {
  try {
    return { name, text: await readFile(path, 'utf8') }
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
