import { ConflictError } from '../../errors.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import { pause } from '../pause.ts'
import type { StoreRecords } from '../store-records.ts'
import { type ArtifactHead, headFromJson, headToJson, keys, placeText, type VersionRecord } from './artifact-records.ts'
import type { Versions } from './versions.ts'
import { rememberWrite } from './write-hashes.ts'

/** A head with every record taken into account; `etag` is that of the stored one, which may say less. */
export interface CurrentHead {
  readonly head: ArtifactHead
  readonly etag: string | undefined
  readonly isStored: boolean
}

/**
 * Heads are summaries of version records. A record is created first - that is the commit - and taken into the head after, so a head may lag by the
 * records of commits that are under way or that crashed. Whoever changes a head first takes in, in order, the records beyond it: each exactly
 * once, since the swap that takes them in also moves `next` past them.
 */
export class Heads {
  readonly #records: StoreRecords
  readonly #versions: Versions

  constructor(records: StoreRecords, versions: Versions) {
    this.#records = records
    this.#versions = versions
  }

  /** The head for readers: one read, and one more for each version that was being closed when it was stored. */
  async read(place: ArtifactPlace): Promise<ArtifactHead | undefined> {
    const stored = await this.#stored(place)
    return stored && this.#withClosed(place, stored.head)
  }

  /** The head with every record taken into account, for writers. `undefined`: there is no such artifact, nor ever was. */
  async current(place: ArtifactPlace): Promise<CurrentHead | undefined> {
    const stored = await this.#stored(place)
    let head = stored && (await this.#withClosed(place, stored.head))
    for (;;) {
      const held = await this.#versions.read(place, head?.next ?? 0)
      if (!held) return head && { head, etag: stored?.etag, isStored: head === stored?.head }
      head = takeIn(head, held.record)
    }
  }

  /** One attempt to store a head in place of the one that was read. */
  replace(place: ArtifactPlace, etag: string | undefined, head: ArtifactHead): Promise<boolean> {
    return this.#records.swap(keys.head(place), etag === undefined ? undefined : { etag }, headToJson(place, head))
  }

  /**
   * Changes a head, after taking in what it lags behind. `change` may be called again when others are faster, and gives the same object back to
   * change nothing.
   */
  async change(
    place: ArtifactPlace,
    change: (head: ArtifactHead) => ArtifactHead | Promise<ArtifactHead> = (head) => head,
  ): Promise<ArtifactHead | undefined> {
    for (let attempt = 0; ; attempt++) {
      const current = await this.current(place)
      if (!current) return undefined
      const changed = await change(current.head)
      if (changed === current.head && current.isStored) return changed
      if (await this.replace(place, current.etag, changed)) return changed
      await pause(attempt, () => stuck(place))
    }
  }

  /** Takes in what was being closed, and is; the same head when there is no such thing. */
  async #withClosed(place: ArtifactPlace, stored: ArtifactHead): Promise<ArtifactHead> {
    let head = stored
    for (const index of stored.open) {
      const { record } = await this.#versions.expect(place, index)
      if (record.draft?.state !== 'OPEN' || index < head.deletedBelow) head = takeInClosed(head, record)
    }
    return head
  }

  async #stored(place: ArtifactPlace): Promise<{ head: ArtifactHead; etag: string } | undefined> {
    const held = await this.#records.read(keys.head(place), `The head of ${placeText(place)}`)
    return held && { head: headFromJson(place, held.json), etag: held.etag }
  }
}

/** The head after a record: what a commit changes beside creating its record. */
export function takeIn(before: ArtifactHead | undefined, record: VersionRecord): ArtifactHead {
  const head = before ?? emptyHead(record.type)
  const next = record.index + 1
  const recent = rememberWrite(head.recent, record.writeId)
  const taken = { ...head, next, recent }
  return takeInClosed(taken, record)
}

/** The head after a version that was being closed, or that it did not know: one that is not closed changes nothing. */
function takeInClosed(head: ArtifactHead, record: VersionRecord): ArtifactHead {
  const { content, index } = record
  const open = head.open.filter((one) => one !== index)
  if (record.deleted || !content || index < head.deletedBelow) return { ...head, open }
  return {
    ...head,
    // An artifact that was deleted as a whole may begin again with another type.
    type: record.type,
    description: content.description ?? head.description,
    aliases: withAliases(head.aliases, index, content.aliases),
    // One that was begun earlier may be closed later: the newest is the one with the highest index.
    latest: Math.max(index, head.latest ?? index),
    open,
  }
}

/** Aliases live on one version each: giving one to this version takes it from another. */
export function withAliases(
  aliases: ReadonlyMap<string, number>,
  index: number,
  given: readonly string[],
): Map<string, number> {
  const all = new Map(aliases)
  for (const alias of given) {
    if (all.get(alias) === index) continue
    all.delete(alias)
    all.set(alias, index)
  }
  return all
}

export function withoutAliasesOf(aliases: ReadonlyMap<string, number>, index: number): Map<string, number> {
  return new Map([...aliases].filter(([, at]) => at !== index))
}

function emptyHead(type: string): ArtifactHead {
  return {
    type,
    description: null,
    tags: [],
    aliases: new Map(),
    latest: null,
    next: 0,
    deletedBelow: 0,
    gone: [],
    relabelled: false,
    open: [],
    recent: '',
  }
}

function stuck(place: ArtifactPlace): ConflictError {
  return new ConflictError(`${placeText(place)} is being changed by too many writers at once. Try again.`, {
    code: 'too-busy',
    fields: { artifact: placeText(place) },
  })
}
