import { everywhere, type Role, roles } from '../backend/access.ts'
import type { Keys, StoredKey } from '../backend/keys.ts'
import { InvalidInputError } from '../index.ts'
import type { Command, Context } from './command.ts'
import { formatTime } from './human.ts'
import { openBackend } from './server-store.ts'

export const key: Command = {
  name: 'key',
  summary: 'make, list and revoke the keys of a server',
  operands: { usage: 'create|list|revoke [ID]', least: 1, most: 2 },
  about: [
    'A key has a role in one workspace (--workspace NAME), or in all. A reader reads; a writer also logs; an owner also deletes projects and artifacts.',
    'It is shown once, when it is made: the store keeps a digest of it. What is revoked is refused from then on.',
  ],
  options: {
    role: { type: 'text', value: 'ROLE', choices: roles, about: 'reader, writer or owner (default: writer)' },
    name: { type: 'text', value: 'TEXT', about: 'whose it is, or what it is for' },
  },
  examples: [
    'tidemark key create --role writer --workspace vision --name "Ada\'s laptop"',
    'tidemark key list',
    'tidemark key revoke 0f3a',
  ],
  run: runKey,
}

async function runKey(context: Context): Promise<undefined> {
  const [verb, id] = context.values.operands
  const { backend } = await openBackend(context)
  try {
    if (verb === 'create' && id === undefined) await create(context, backend.keys)
    else if (verb === 'list' && id === undefined) await list(context, backend.keys)
    else if (verb === 'revoke' && id !== undefined) await revoke(context, backend.keys, id)
    else
      throw new InvalidInputError('It is tidemark key create, tidemark key list or tidemark key revoke ID.', {
        code: 'invalid-operand',
      })
  } finally {
    await backend.close()
  }
  return undefined
}

async function create({ values, out }: Context, keys: Keys): Promise<void> {
  const asked = values.text('role') ?? 'writer'
  const role: Role = roles.find((one) => one === asked) ?? 'writer'
  const workspace = values.text('workspace') ?? everywhere
  const { key: secret, stored } = await keys.create(values.text('name') ?? '', new Map([[workspace, role]]))
  if (out.json) out.document({ ...toJson(stored), key: secret })
  else {
    out.line(secret)
    out.line(
      `${role} in ${workspace === everywhere ? 'all workspaces' : workspace}; ${stored.id.slice(0, shown)} in lists. It is shown only now.`,
    )
  }
}

async function list({ out }: Context, keys: Keys): Promise<void> {
  const all = await keys.list()
  if (out.json) out.document(all.map(toJson))
  else if (all.length === 0) out.line('There are no keys yet. Make one: tidemark key create')
  else
    out.table(
      [{ title: 'id' }, { title: 'name' }, { title: 'roles' }, { title: 'made' }, { title: '' }],
      all.map((one) => [
        one.id.slice(0, shown),
        one.name,
        [...one.roles].map(([workspace, role]) => `${role} in ${workspace}`).join(', '),
        formatTime(new Date(one.createdAt)),
        one.revoked ? 'revoked' : '',
      ]),
    )
}

async function revoke({ out }: Context, keys: Keys, begun: string): Promise<void> {
  const matching = (await keys.list()).filter(({ id }) => begun.length >= fewest && id.startsWith(begun.toLowerCase()))
  if (matching.length > 1)
    throw new InvalidInputError(`${matching.length} keys begin with ${begun}: give more of the id.`, {
      code: 'ambiguous-key',
    })
  const stored = await keys.revoke(matching[0]?.id ?? begun)
  if (out.json) out.document(toJson(stored))
  else out.line(`Revoked ${stored.id.slice(0, shown)} ${stored.name}`.trimEnd())
}

// Enough to tell the keys of a company apart.
const shown = 8
const fewest = 4

function toJson({ id, name, roles: granted, createdAt, revoked }: StoredKey): object {
  return { id, name, roles: Object.fromEntries(granted), createdAt: new Date(createdAt).toISOString(), revoked }
}
