import { isTidemarkError } from '../../errors.ts'
import { routes } from '../../protocol/routes.ts'
import type { VersionWire } from '../../protocol/shapes.ts'
import type { Connection } from '../connection.ts'
import { pages } from '../pages.ts'
import { findVersion } from '../versions.ts'

interface Whose {
  readonly workspace: string
  readonly name: string
  readonly experimentKey: string
}

/** The versions of an artifact that one experiment logged: loaded where only some of them are kept. */
export class OwnVersions {
  readonly #connection: Connection
  readonly #whose: Whose
  /** Oldest first; found once. */
  #indexes: number[] | undefined

  constructor(connection: Connection, whose: Whose) {
    this.#connection = connection
    this.#whose = whose
  }

  /** Deletes those before the last `keep`, of which `newest` is one, but for those that have an alias. */
  async prune(newest: number, keep: number): Promise<void> {
    const { workspace, name, experimentKey } = this.#whose
    this.#indexes ??= await this.#list()
    if (this.#indexes.at(-1) !== newest) this.#indexes.push(newest)
    for (const index of this.#indexes.slice(0, Math.max(0, this.#indexes.length - keep))) {
      const version = await this.#find(index)
      if (version && version.aliases.length > 0) continue
      if (version?.experimentKey === experimentKey)
        await this.#connection.api.json('DELETE', routes.version(workspace, name, index))
      this.#indexes = this.#indexes.filter((one) => one !== index)
    }
  }

  async #list(): Promise<number[]> {
    const { workspace, name, experimentKey } = this.#whose
    const indexes: number[] = []
    for await (const version of pages<VersionWire>(this.#connection.api, routes.versions(workspace, name), {}))
      if (version.experimentKey === experimentKey) indexes.unshift(version.index)
    return indexes
  }

  async #find(index: number): Promise<VersionWire | undefined> {
    const { workspace, name } = this.#whose
    try {
      return await findVersion(this.#connection.api, { workspace, name, select: `v${index}` })
    } catch (error) {
      if (isTidemarkError(error) && error.code === 'version-not-found') return undefined
      throw error
    }
  }
}
