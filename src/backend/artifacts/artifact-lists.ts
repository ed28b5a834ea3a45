import type { ArtifactWire, PageReply, VersionWire } from '../../protocol/shapes.ts'
import { eachOf } from '../each-of.ts'
import { type ArtifactPlace, artifactIdOf } from '../identifiers.ts'
import type { Services } from '../services.ts'
import { type ArtifactHead, keys, placeText } from './artifact-records.ts'
import { isThere } from './artifacts.ts'
import { countLeft } from './gone-versions.ts'
import { versionToWire } from './version-wire.ts'
import { type DraftVersion, type HeldVersion, isDraft, isLive } from './versions.ts'

type Parts = Pick<Services, 'artifacts' | 'heads' | 'options' | 'versions'>

/** Lists of artifacts and versions. What is deleted is as if it had never been. */
export class ArtifactLists {
  readonly #services: Parts

  constructor(services: Parts) {
    this.#services = services
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
    return this.#draftWire(draft, await this.#services.artifacts.head(draft.record))
  }

  async #liveWire(held: HeldVersion, head: ArtifactHead): Promise<VersionWire | undefined> {
    if (!isLive(held)) return undefined
    const { labels } = await this.#services.artifacts.labelled(held, head)
    return versionToWire(held.record, head, labels)
  }

  async #draftWire({ record, attachment, etag }: DraftVersion, head: ArtifactHead): Promise<VersionWire> {
    const { content, state } = record.draft
    const { held, labels } = await this.#services.artifacts.labelled(
      { record: { ...record, content }, attachment, etag },
      head,
    )
    return { ...versionToWire(held.record, head, labels), state, aliases: [...content.aliases] }
  }

  async #page(
    place: ArtifactPlace,
    after: number | undefined,
    limit: number,
    wireOf: (held: HeldVersion, head: ArtifactHead) => Promise<VersionWire | undefined>,
  ): Promise<PageReply<VersionWire>> {
    const head = await this.#services.artifacts.head(place)
    const items: VersionWire[] = []
    let index = Math.min(after ?? head.next, head.next) - 1
    while (index >= head.deletedBelow && items.length < limit) {
      const count = Math.min(limit - items.length, index - head.deletedBelow + 1)
      const last = index
      const found = await eachOf(
        Array.from({ length: count }, (_, at) => last - at),
        async (at) => wireOf(await this.#services.versions.expect(place, at), head),
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
    for await (const place of this.#places(prefix, after)) {
      if (!shows(place.workspace)) continue
      const { heads } = this.#services
      // There are keys of it: without a head, the commit of its first version stopped short of that.
      const head = (await heads.read(place)) ?? (await heads.current(place))?.head
      if (!isThere(head) || (type !== undefined && head.type !== type)) continue
      items.push(artifactToWire(place, head))
      if (items.length === limit) return { items, next: placeText(place) }
    }
    return { items }
  }

  /** Every artifact there is a key of, in order, jumping over the keys of its versions. */
  async *#places(prefix: string, after?: string): AsyncGenerator<ArtifactPlace> {
    let last = after === undefined ? undefined : beyond(`${keys.artifacts}${after}`)
    for (;;) {
      const page = await this.#services.options.records.list(prefix, last === undefined ? {} : { after: last })
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
}

export function artifactToWire(place: ArtifactPlace, head: ArtifactHead): ArtifactWire {
  return {
    artifactId: artifactIdOf(place),
    workspace: place.workspace,
    name: place.name,
    type: head.type,
    description: head.description,
    tags: head.tags,
    aliases: Object.fromEntries(head.aliases),
    latest: head.latest,
    versions: countLeft(head.gone, head.deletedBelow, head.next),
    next: head.next,
  }
}

// '0' is the character after '/': this is greater than every key below the artifact, and no key itself.
function beyond(artifact: string): string {
  return `${artifact}0`
}
