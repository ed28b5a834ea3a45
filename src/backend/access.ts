import { PermissionError } from '../errors.ts'

/** What a key may do in a workspace: each role may also do what the ones before it may. */
export const roles = ['reader', 'writer', 'owner'] as const

export type Role = (typeof roles)[number]

/** All workspaces, those to come too. */
export const everywhere = '*'

/** What whoever sent a request may do; remembers whether anybody asked. */
export class Access {
  readonly #roles: ReadonlyMap<string, Role> | 'all'
  #asked = false

  constructor(granted: ReadonlyMap<string, Role> | 'all') {
    this.#roles = granted
  }

  /** @throws PermissionError `permission-denied` */
  require(role: Role, workspace: string): void {
    this.#asked = true
    if (this.may(role, workspace)) return
    throw denied(role, `in the workspace '${workspace}'`)
  }

  /** For what belongs to no workspace: such a role in any. */
  requireAnywhere(role: Role): void {
    this.#asked = true
    if (this.#roles === 'all' || [...this.#roles.values()].some((one) => covers(one, role))) return
    throw denied(role, 'in any workspace')
  }

  /** For what concerns all workspaces. */
  requireEverywhere(role: Role): void {
    this.#asked = true
    if (this.may(role, everywhere)) return
    throw denied(role, 'in all workspaces')
  }

  may(role: Role, workspace: string): boolean {
    if (this.#roles === 'all') return true
    return [this.#roles.get(workspace), this.#roles.get(everywhere)].some(
      (one) => one !== undefined && covers(one, role),
    )
  }

  /** Workspaces named in the key, `*` left out. */
  get workspaces(): string[] {
    return this.#roles === 'all' ? [] : [...this.#roles.keys()].filter((workspace) => workspace !== everywhere)
  }

  /** Throws unless somebody has asked for a role. */
  assertAsked(what: string): void {
    if (!this.#asked) throw new Error(`${what} answers without asking who asks`)
  }
}

function covers(has: Role, needs: Role): boolean {
  return roles.indexOf(has) >= roles.indexOf(needs)
}

function denied(role: Role, where: string): PermissionError {
  return new PermissionError(`This key is not one of a ${role} ${where}. Ask an owner for one: tidemark key create.`, {
    code: 'permission-denied',
    fields: { role },
  })
}
