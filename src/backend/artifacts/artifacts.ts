import { ConflictError, NotFoundError } from '../../errors.ts'
import type { VersionWire } from '../../protocol/shapes.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import type { Services } from '../services.ts'
import { type ArtifactHead, placeText, type VersionLabels, type VersionRecord } from './artifact-records.ts'
import { parseSelector, type Selector } from './selector.ts'
import { versionToWire } from './version-wire.ts'
import { isLive, type LiveVersion, newestLive } from './versions.ts'

/** A version with all that is said of it elsewhere. */
export interface ResolvedVersion {
  readonly held: LiveVersion
  readonly head: ArtifactHead
  readonly labels: VersionLabels
}

type Parts = Pick<Services, 'records' | 'heads' | 'versions'>

/** Finding artifacts and versions. What is deleted is as if it had never been. */
export class Artifacts {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** @throws NotFoundError `artifact-not-found` */
  async head(place: ArtifactPlace): Promise<ArtifactHead> {
    const { heads } = this.#parts
    const head = await heads.read(place)
    if (isThere(head)) return head
    // The commit of its first version may have stopped short of the head.
    const current = await heads.change(place)
    if (isThere(current)) return current
    throw new NotFoundError(
      `No artifact '${place.name}' in workspace '${place.workspace}'. See which there are: tidemark ls.`,
      {
        code: 'artifact-not-found',
        fields: { artifact: placeText(place) },
      },
    )
  }

  /**
   * @param selector `v3`, `4.0.0`, an alias, `latest`, or nothing for the latest.
   * @throws NotFoundError `artifact-not-found`, `version-not-found`
   */
  async resolve(place: ArtifactPlace, selector?: string | number): Promise<ResolvedVersion> {
    const parsed: Selector = typeof selector === 'number' ? { by: 'index', index: selector } : parseSelector(selector)
    const head = await this.head(place)
    const found = await this.#find(place, head, parsed)
    if (found) return this.labelled(found, head)
    // What is asked for may be a commit that the head does not know of yet.
    const current = (await this.#parts.heads.change(place)) ?? head
    const repaired = current.next > head.next ? await this.#find(place, current, parsed) : undefined
    if (repaired) return this.labelled(repaired, current)
    throw this.#notFound(place, current, typeof selector === 'number' ? `v${selector}` : selector)
  }

  wire({ held, head, labels }: ResolvedVersion): VersionWire {
    return versionToWire(held.record, head, labels, held.attachment)
  }

  /** With what was said of it since. */
  async labelled(held: LiveVersion, head: ArtifactHead): Promise<ResolvedVersion> {
    if (!head.relabelled) return { held, head, labels: {} }
    const { Labels } = await import('./labels.ts')
    return { held, head, labels: await new Labels(this.#parts).read(held.record, held.record.index) }
  }

  async #find(place: ArtifactPlace, head: ArtifactHead, selector: Selector): Promise<LiveVersion | undefined> {
    const { versions } = this.#parts
    if (selector.by === 'latest') {
      const newest = await newestLive(versions, place, head)
      // Whoever asks for the latest of an artifact that is being made for the first time asks too early.
      if (!newest && head.next > head.deletedBelow) assertClosed((await versions.expect(place, head.next - 1)).record)
      return newest
    }
    if (selector.by === 'version') {
      const { VersionNumbers } = await import('./version-numbers.ts')
      const held = await new VersionNumbers(this.#parts).find(place, selector.version, head.next)
      if (!held || held.record.index < head.deletedBelow) return undefined
      assertClosed(held.record)
      return isLive(held) ? held : undefined
    }
    const index = selector.by === 'index' ? selector.index : head.aliases.get(selector.alias)
    if (index === undefined || index >= head.next || index < head.deletedBelow) return undefined
    const held = await versions.expect(place, index)
    assertClosed(held.record)
    return isLive(held) ? held : undefined
  }

  #notFound(place: ArtifactPlace, head: ArtifactHead, selector: string | undefined): NotFoundError {
    const aliases = [...head.aliases.keys()]
    const known =
      head.latest === null ? 'All its versions are deleted, or were never closed.' : `The latest is v${head.latest}.`
    const named =
      aliases.length > 0 ? ` Aliases: ${aliases.slice(0, 10).join(', ')}${aliases.length > 10 ? ', ...' : ''}.` : ''
    return new NotFoundError(`${placeText(place)} has no version '${selector ?? 'latest'}'. ${known}${named}`, {
      code: 'version-not-found',
      fields: { artifact: placeText(place), version: selector ?? 'latest', ...(aliases.length > 0 && { aliases }) },
    })
  }
}

/** @throws ConflictError `version-open`, `version-failed` */
function assertClosed(record: VersionRecord): void {
  if (!record.draft) return
  const what = `${placeText(record)}:${record.version}`
  const fields = { artifact: placeText(record), version: record.version }
  if (record.draft.state === 'OPEN')
    throw new ConflictError(`${what} is not closed yet: its assets are still being sent. Ask again later.`, {
      code: 'version-open',
      fields,
    })
  throw new ConflictError(`${what} was given up: not all of its assets arrived. Log it again.`, {
    code: 'version-failed',
    fields,
  })
}

/** Whether it has anything left. */
export function isThere(head: ArtifactHead | undefined): head is ArtifactHead {
  return head !== undefined && head.deletedBelow < head.next
}
