import { ConflictError, NotFoundError } from '../../errors.ts'
import type { CondemnedList } from '../collection/condemned.ts'
import { eachOf } from '../each-of.ts'
import type { Services } from '../services.ts'
import { placeText } from './artifact-records.ts'
import type { Commit } from './commit-request.ts'
import { isLive } from './versions.ts'

type Parts = Pick<Services, 'options' | 'records' | 'condemned' | 'versions'>

/** Makes sure that all a commit refers to is stored, and stays so: the commit's half of the protocol in condemned.ts. */
export class CommitGuard {
  readonly #services: Parts

  constructor(services: Parts) {
    this.#services = services
  }

  /**
   * Before the record is created. Gives what `isSafe` needs afterwards.
   *
   * @throws ConflictError `base-gone`; NotFoundError `pack-missing`, `version-not-found`
   */
  async enter(commit: Commit): Promise<CondemnedList> {
    const list = await this.#services.condemned.read()
    if (commit.base && !(await this.#isBaseLive(commit.base))) throw baseGone(commit.base)
    // What is on the list may be there now and gone soon: only whether it was sent at all is asked here.
    const missing = await this.#missing(commit, new Set())
    if (missing) throw missing
    return list
  }

  /** After the record was created: false when a collection may have deleted, or may yet delete, something that it refers to. */
  async isSafe(commit: Commit, before: CondemnedList): Promise<boolean> {
    const list = await this.#services.condemned.read()
    if (list.etag === before.etag && list.packs.size === 0) return true
    if (commit.base && !(await this.#isBaseLive(commit.base))) return false
    return (await this.#missing(commit, list.packs)) === undefined
  }

  /** Names the first of its packs that is not stored, or not under a key that stays. */
  async #missing({ packs }: Commit, condemned: ReadonlySet<string>): Promise<NotFoundError | undefined> {
    // What is small travels in the commit itself.
    if (packs.length === 0) return undefined
    const { missing, Packs } = await import('../collection/packs.ts')
    const stored = new Packs(this.#services)
    const safe = await eachOf(packs, (pack) => stored.isSafe(pack, condemned))
    const unsafe = packs.find((_, at) => !safe[at])
    return unsafe === undefined ? undefined : missing(unsafe)
  }

  async #isBaseLive(base: NonNullable<Commit['base']>): Promise<boolean> {
    const held = await this.#services.versions.read(base, base.index)
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
