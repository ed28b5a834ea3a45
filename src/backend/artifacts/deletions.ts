import { ConflictError } from '../../errors.ts'
import { eachOf } from '../each-of.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import { pause } from '../pause.ts'
import type { Services } from '../services.ts'
import { type ArtifactHead, placeText } from './artifact-records.ts'
import { withGone } from './gone-versions.ts'
import { type Heads, withoutAliasesOf } from './heads.ts'
import { newestLive, type Versions } from './versions.ts'

type Parts = Pick<Services, 'heads' | 'versions'>

/** The head once the version's record is a tombstone. */
export async function withoutVersion(
  versions: Versions,
  place: ArtifactPlace,
  head: ArtifactHead,
  index: number,
): Promise<ArtifactHead> {
  const aliases = withoutAliasesOf(head.aliases, index)
  const gone = index < head.deletedBelow ? head.gone : withGone(head.gone, index)
  if (head.latest !== index && aliases.size === head.aliases.size && gone === head.gone) return head
  const latest = await newestLive(versions, place, head)
  return { ...head, aliases, gone, latest: latest?.record.index ?? null }
}

/** Takes back a commit that may not be acknowledged. */
export async function revokeVersion({ heads, versions }: Parts, place: ArtifactPlace, index: number): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const held = await versions.expect(place, index)
    if (held.record.deleted || (await versions.revoke(held))) break
    await pause(attempt, () => busy(place, index))
  }
  await heads.change(place, (head) => withoutVersion(versions, place, head, index))
}

/** Deleting hides at once; the bytes are freed by a collection. */
export class Deletions {
  readonly #heads: Heads
  readonly #versions: Versions

  constructor({ heads, versions }: Parts) {
    this.#heads = heads
    this.#versions = versions
  }

  /** False when there is no such version (any more). The tombstone in the record's place is the commit point; the head follows. */
  async deleteVersion(place: ArtifactPlace, index: number): Promise<boolean> {
    const head = await this.#heads.change(place)
    if (!head || index >= head.next || index < head.deletedBelow) return false
    if (!(await this.#bury(place, index))) {
      // Perhaps deleted by somebody who did not get as far as the head.
      await this.#heads.change(place, (now) => withoutVersion(this.#versions, place, now, index))
      return false
    }
    await this.#heads.change(place, (now) => withoutVersion(this.#versions, place, now, index))
    return true
  }

  /** False when there is no such artifact (any more). Here the head is the commit point: it hides all records below an index. */
  async deleteArtifact(place: ArtifactPlace): Promise<boolean> {
    let from = 0
    let existed = false
    const head = await this.#heads.change(place, (now) => {
      existed = now.deletedBelow < now.next
      from = now.deletedBelow
      return existed
        ? {
            ...now,
            aliases: new Map(),
            latest: null,
            tags: [],
            description: null,
            open: [],
            gone: [],
            deletedBelow: now.next,
          }
        : now
    })
    if (!head || !existed) return false
    await eachOf(
      Array.from({ length: head.deletedBelow - from }, (_, at) => from + at),
      (index) => this.#bury(place, index),
    )
    return true
  }

  async #bury(place: ArtifactPlace, index: number): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      const held = await this.#versions.expect(place, index)
      if (held.record.deleted) return false
      if (await this.#versions.bury(held)) return true
      await pause(attempt, () => busy(place, index))
    }
  }
}

function busy(place: ArtifactPlace, index: number): ConflictError {
  return new ConflictError(`${placeText(place)}:v${index} is being changed by others. Try again.`, {
    code: 'too-busy',
  })
}
