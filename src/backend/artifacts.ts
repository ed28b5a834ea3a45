import { ConflictError, NotFoundError } from '../errors.ts'
import type { ArtifactWire, PageReply, VersionWire } from '../protocol/shapes.ts'
import type { Store } from '../stores/store.ts'
import { type ArtifactHead, keys, placeText, type VersionLabels, type VersionRecord } from './artifact-records.ts'
import { newestLive } from './deletions.ts'
import { eachOf } from './each-of.ts'
import type { Heads } from './heads.ts'
import type { ArtifactPlace } from './identifiers.ts'
import type { Labels } from './labels.ts'
import { parseSelector, type Selector } from './selector.ts'
import type { VersionNumbers } from './version-numbers.ts'
import { artifactToWire, versionToWire } from './version-wire.ts'
import { type DraftVersion, type HeldVersion, isDraft, isLive, type LiveVersion, type Versions } from './versions.ts'

/** A version with all that is said of it elsewhere. */
export interface ResolvedVersion {
  readonly held: LiveVersion
  readonly head: ArtifactHead
  readonly labels: VersionLabels
}

export interface ArtifactParts {
  readonly records: Store
  readonly heads: Heads
  readonly versions: Versions
  readonly numbers: VersionNumbers
  readonly labels: Labels
}

/** Finding artifacts and versions. What is deleted is as if it had never been. */
export class Artifacts {
  readonly #parts: ArtifactParts

  constructor(parts: ArtifactParts) {
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
    if (found) return this.#withLabels(found, head)
    // What is asked for may be a commit that the head does not know of yet.
    const current = (await this.#parts.heads.change(place)) ?? head
    const repaired = current.next > head.next ? await this.#find(place, current, parsed) : undefined
    if (repaired) return this.#withLabels(repaired, current)
    throw this.#notFound(place, current, typeof selector === 'number' ? `v${selector}` : selector)
  }

  wire({ held, head, labels }: ResolvedVersion): VersionWire {
    return versionToWire(held.record, head, labels, held.attachment)
  }

  /** Versions, newest first. `after`: an index; those below it are given. */
  versions(place: ArtifactPlace, after: number | undefined, limit: number): Promise<PageReply<VersionWire>> {
    return this.#page(place, after, limit, (held, head) => this.#liveWire(held, head))
  }

  /** The same, and those between them that are open, or were given up. */
  versionsOfAnyState(place: ArtifactPlace, after: number | undefined, limit: number): Promise<PageReply<VersionWire>> {
    return this.#page(place, after, limit, (held, head) =>
      isDraft(held) ? this.#draftWire(held, head) : this.#liveWire(held, head),
    )
  }

  /** A version that is not closed: its aliases are those that it will have. */
  async draftWire(draft: DraftVersion): Promise<VersionWire> {
    return this.#draftWire(draft, await this.head(draft.record))
  }

  async #liveWire(held: HeldVersion, head: ArtifactHead): Promise<VersionWire | undefined> {
    if (!isLive(held)) return undefined
    const { labels } = await this.#withLabels(held, head)
    return versionToWire(held.record, head, labels)
  }

  async #draftWire({ record, attachment, etag }: DraftVersion, head: ArtifactHead): Promise<VersionWire> {
    const { content, state } = record.draft
    const { held, labels } = await this.#withLabels({ record: { ...record, content }, attachment, etag }, head)
    return { ...versionToWire(held.record, head, labels), state, aliases: [...content.aliases] }
  }

  async #page(
    place: ArtifactPlace,
    after: number | undefined,
    limit: number,
    wireOf: (held: HeldVersion, head: ArtifactHead) => Promise<VersionWire | undefined>,
  ): Promise<PageReply<VersionWire>> {
    const head = await this.head(place)
    const items: VersionWire[] = []
    let index = Math.min(after ?? head.next, head.next) - 1
    while (index >= head.deletedBelow && items.length < limit) {
      const count = Math.min(limit - items.length, index - head.deletedBelow + 1)
      const last = index
      const found = await eachOf(
        Array.from({ length: count }, (_, at) => last - at),
        async (at) => wireOf(await this.#parts.versions.expect(place, at), head),
      )
      for (const one of found) if (one) items.push(one)
      index -= count
    }
    return { items, ...(index >= head.deletedBelow && { next: String(index + 1) }) }
  }

  /** Artifacts in the order of their keys. `after`: `workspace/name` of the last one seen. `shows`: which workspaces may be shown; all when left out. */
  async list(options: {
    workspace?: string
    shows?: (workspace: string) => boolean
    type?: string
    after?: string
    limit: number
  }): Promise<PageReply<ArtifactWire>> {
    const { workspace, type, after, limit, shows = () => true } = options
    const prefix = workspace === undefined ? keys.artifacts : keys.workspace(workspace)
    const items: ArtifactWire[] = []
    for await (const place of this.places(prefix, after)) {
      if (!shows(place.workspace)) continue
      const { heads } = this.#parts
      // There are keys of it: without a head, the commit of its first version stopped short of that.
      const head = (await heads.read(place)) ?? (await heads.current(place))?.head
      if (!isThere(head) || (type !== undefined && head.type !== type)) continue
      items.push(artifactToWire(place, head))
      if (items.length === limit) return { items, next: placeText(place) }
    }
    return { items }
  }

  /** Every artifact there is a key of, in order, jumping over the keys of its versions. */
  async *places(prefix: string, after?: string): AsyncGenerator<ArtifactPlace> {
    let last = after === undefined ? undefined : beyond(`${keys.artifacts}${after}`)
    for (;;) {
      const page = await this.#parts.records.list(prefix, last === undefined ? {} : { after: last })
      let previous: string | undefined
      for (const { key } of page.entries) {
        const [, workspace, name] = key.split('/')
        const artifact = keys.artifact({ workspace, name })
        if (artifact !== previous) yield { workspace, name }
        previous = artifact
      }
      if (page.next === undefined || previous === undefined) return
      last = beyond(previous.slice(0, -1))
    }
  }

  async #find(place: ArtifactPlace, head: ArtifactHead, selector: Selector): Promise<LiveVersion | undefined> {
    const { versions, numbers } = this.#parts
    if (selector.by === 'latest') {
      const newest = await newestLive(versions, place, head)
      // Whoever asks for the latest of an artifact that is being made for the first time asks too early.
      if (!newest && head.next > head.deletedBelow) assertClosed((await versions.expect(place, head.next - 1)).record)
      return newest
    }
    if (selector.by === 'version') {
      const held = await numbers.find(place, selector.version, head.next)
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

  async #withLabels(held: LiveVersion, head: ArtifactHead): Promise<ResolvedVersion> {
    const labels = head.relabelled ? await this.#parts.labels.read(held.record, held.record.index) : {}
    return { held, head, labels }
  }

  #notFound(place: ArtifactPlace, head: ArtifactHead, selector: string | undefined): NotFoundError {
    const aliases = [...head.aliases.keys()]
    const known = head.latest === null ? 'All its versions were deleted.' : `The latest is v${head.latest}.`
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

function isThere(head: ArtifactHead | undefined): head is ArtifactHead {
  return head !== undefined && head.deletedBelow < head.next
}

// '0' is the character after '/': this is greater than every key below the artifact, and no key itself.
function beyond(artifact: string): string {
  return `${artifact}0`
}
