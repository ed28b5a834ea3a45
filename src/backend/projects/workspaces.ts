import { ConflictError, NotFoundError } from '../../errors.ts'
import type { Access } from '../access.ts'
import type { Migration } from '../migration.ts'
import type { Services } from '../services.ts'
import type { StoreRecords } from '../store-records.ts'
import { foldersBelow } from './folders.ts'

const prefix = 'workspaces/'

/** What a workspace is known by when it has not been made as such. */
const contents = ['projects/', 'artifacts/']

/** Which workspaces there are: those that were given, made, named in a key, or have something in them. Logging to another makes it. */
export class Workspaces {
  readonly #records: StoreRecords
  readonly #migration: Migration
  readonly #now: () => number
  /** There before anything is in them; `all`: whoever has the store in hand need not make any. */
  readonly #given: readonly string[] | 'all'

  constructor({ records, migration, options }: Pick<Services, 'records' | 'migration' | 'options'>) {
    this.#records = records
    this.#migration = migration
    this.#now = options.now
    this.#given = options.trusted ? 'all' : options.workspaces
  }

  /** Those that whoever asks may read, in order. */
  async list(access: Access): Promise<string[]> {
    const given = this.#given
    await this.#migration.ensure()
    const names = new Set([...(given === 'all' ? [] : given), ...access.workspaces])
    for (const content of [prefix, ...contents])
      for await (const name of foldersBelow(this.#records.store, content)) names.add(name)
    return [...names].filter((name) => access.may('reader', name)).sort()
  }

  /**
   * For whoever may log there it is there, and empty until then: programs list what there is before they log.
   *
   * @throws NotFoundError `workspace-not-found`
   */
  async assertThere(workspace: string, access: Access): Promise<void> {
    const given = this.#given
    if (given === 'all' || given.includes(workspace) || access.may('writer', workspace)) return
    await this.#migration.ensure()
    for (const content of [prefix, ...contents])
      if ((await this.#records.store.list(`${content}${workspace}/`, { limit: 1 })).entries.length > 0) return
    throw new NotFoundError(
      `There is no workspace '${workspace}'. See which there are: /workspaces. Whoever may write makes it by logging there.`,
      { code: 'workspace-not-found', fields: { workspace } },
    )
  }

  /** @throws ConflictError `workspace-exists` */
  async create(workspace: string): Promise<void> {
    const json = { format: 1, workspace, createdAt: this.#now() }
    if (await this.#records.create(`${prefix}${workspace}/about`, json)) return
    throw new ConflictError(`There is a workspace '${workspace}' already.`, {
      code: 'workspace-exists',
      fields: { workspace },
    })
  }
}
