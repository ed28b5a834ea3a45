import { type Backend, createBackend } from '../backend/backend.ts'
import { readSettings } from '../config.ts'
import { InvalidInputError } from '../index.ts'
import { openStore } from '../stores/open.ts'
import type { Context } from './command.ts'

const defaultFolder = '.tidemark'

/** The backend over the store that a command line names, for who has the store itself in hand. */
export async function openBackend({
  values,
}: Context): Promise<{ backend: Backend; store: string; workspace: string }> {
  const given = values.text('store')
  const settings = await readSettings(true)
  const environment = given === undefined ? await readSettings(false) : settings
  if (given === undefined && environment.url !== undefined)
    throw new InvalidInputError(
      'The settings name a server, and this needs a store: say which with --store, or unset TIDEMARK_URL and COMET_URL_OVERRIDE.',
      { code: 'url-and-store' },
    )
  const where = given ?? environment.store ?? defaultFolder
  const store = await openStore(where)
  const workspace = values.text('workspace') ?? environment.workspace ?? 'default'
  const backend = createBackend({ records: store, blobs: store, access: 'keys', workspaces: [workspace] })
  return { backend, store: where, workspace }
}
