import { ConflictError, NotFoundError } from '../errors.ts'
import type { Access } from './access.ts'
import { foldersBelow } from './folders.ts'
import type { Migration } from './migration.ts'
import type { StoreRecords } from './store-records.ts'

const prefix = 'workspaces/'

/** What a workspace is known by when it has not been made as such. */
const contents = ['projects/', 'artifacts/']

export interface WorkspacesParts {
  readonly records: StoreRecords
  readonly migration: Migration
  /** There before anything is in them; `all`: whoever has the store in hand need not make any. */
  readonly given: readonly string[] | 'all'
  readonly now: () => number
}

/** Which workspaces there are: those that were given, made, named in a key, or have something in them. Logging to another makes it. */
export class Workspaces {
  readonly #parts: WorkspacesParts

  constructor(parts: WorkspacesParts) {
    this.#parts = parts
  }

  /** Those that whoever asks may read, in order. */
  async list(access: Access): Promise<string[]> {
    const { given, migration, records } = this.#parts
    await migration.ensure()
    const names = new Set([...(given === 'all' ? [] : given), ...access.workspaces])
    for (const content of [prefix, ...contents])
      for await (const name of foldersBelow(records.store, content)) names.add(name)
    return [...names].filter((name) => access.may('reader', name)).sort()
  }

  /**
   * For whoever may log there it is there, and empty until then: programs list what there is before they log.
   *
   * @throws NotFoundError `workspace-not-found`
   */
  async assertThere(workspace: string, access: Access): Promise<void> {
    const { given, migration, records } = this.#parts
    if (given === 'all' || given.includes(workspace) || access.may('writer', workspace)) return
    await migration.ensure()
    for (const content of [prefix, ...contents])
      if ((await records.store.list(`${content}${workspace}/`, { limit: 1 })).entries.length > 0) return
    throw new NotFoundError(
      `There is no workspace '${workspace}'. See which there are: /workspaces. Whoever may write makes it by logging there.`,
      { code: 'workspace-not-found', fields: { workspace } },
    )
  }

  /** @throws ConflictError `workspace-exists` */
  async create(workspace: string): Promise<void> {
    const { now, records } = this.#parts
    const json = { format: 1, workspace, createdAt: now() }
    if (await records.create(`${prefix}${workspace}/about`, json)) return
    throw new ConflictError(`There is a workspace '${workspace}' already.`, {
      code: 'workspace-exists',
      fields: { workspace },
    })
  }
}
