import { InvalidInputError } from '../errors.ts'

/**
 * Only shells know `~` as the home folder: to everything else it is the name of a folder, which nobody means who writes it in a program or a configuration file.
 *
 * @throws InvalidInputError with this code
 */
export function refuseHomePath(path: string, code: string): void {
  if (path !== '~' && !/^~[\\/]/.test(path)) return
  throw new InvalidInputError(
    `'${path}' begins with '~', which only shells replace by the home folder. Write that folder out (homedir() of node:os gives it); a folder called '~' is './~'.`,
    { code, fields: { path } },
  )
}
