import { ConflictError, NotFoundError } from '../errors.ts'
import { placeText } from './artifact-records.ts'
import type { Commit } from './commit-request.ts'
import type { Condemned, CondemnedList } from './condemned.ts'
import { eachOf } from './each-of.ts'
import { missing, type Packs } from './packs.ts'
import { isLive, type Versions } from './versions.ts'

/** Makes sure that all a commit refers to is stored, and stays so: the commit's half of the protocol in condemned.ts. */
export class CommitGuard {
  readonly #condemned: Condemned
  readonly #packs: Packs
  readonly #versions: Versions

  constructor(condemned: Condemned, packs: Packs, versions: Versions) {
    this.#condemned = condemned
    this.#packs = packs
    this.#versions = versions
  }

  /**
   * Before the record is created. Gives what `isSafe` needs afterwards.
   *
   * @throws ConflictError `base-gone`; NotFoundError `pack-missing`, `version-not-found`
   */
  async enter(commit: Commit): Promise<CondemnedList> {
    const list = await this.#condemned.read()
    if (commit.base && !(await this.#isBaseLive(commit.base))) throw baseGone(commit.base)
    await eachOf(commit.packs, async (pack) => {
      // What is on the list may be there now and gone soon: only whether it was sent at all is asked here.
      if (!(await this.#packs.isSafe(pack, new Set()))) throw missing(pack)
    })
    return list
  }

  /** After the record was created: false when a collection may have deleted, or may yet delete, something that it refers to. */
  async isSafe(commit: Commit, before: CondemnedList): Promise<boolean> {
    const list = await this.#condemned.read()
    if (list.etag === before.etag && list.packs.size === 0) return true
    if (commit.base && !(await this.#isBaseLive(commit.base))) return false
    const safe = await Promise.all(await eachOf(commit.packs, (pack) => this.#packs.isSafe(pack, list.packs)))
    return safe.every(Boolean)
  }

  async #isBaseLive(base: NonNullable<Commit['base']>): Promise<boolean> {
    const held = await this.#versions.read(base, base.index)
    if (!held) {
      throw new NotFoundError(`The base of this commit, ${placeText(base)}:v${base.index}, does not exist.`, {
        code: 'version-not-found',
        fields: { artifact: placeText(base), version: `v${base.index}` },
      })
    }
    return isLive(held)
  }
}

/** The client sends the content again, all of it this time. */
export function baseGone(base: Commit['base']): ConflictError {
  const what = base
    ? `${placeText(base)}:v${base.index}, which this version builds upon,`
    : 'What this version builds upon'
  return new ConflictError(`${what} was deleted meanwhile. Log it again without a base.`, { code: 'base-gone' })
}
