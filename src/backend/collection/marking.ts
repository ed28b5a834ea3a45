import { type Reachable, reachablePacks, type SeenPages } from '../../content/reachable.ts'
import { isTidemarkError } from '../../errors.ts'
import { parseRecordPackName, recordPackName } from '../../protocol/chunk-ref.ts'
import type { Store } from '../../stores/store.ts'
import { keys, type VersionRecord } from '../artifacts/artifact-records.ts'
import { withoutVersion } from '../artifacts/deletions.ts'
import type { Heads } from '../artifacts/heads.ts'
import type { OpenAssets } from '../artifacts/open-assets.ts'
import type { HeldVersion, Versions } from '../artifacts/versions.ts'
import { eachOf } from '../each-of.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import { isHeld } from './is-held.ts'
import type { Packs } from './packs.ts'
import type { StoredChunks } from './stored-chunks.ts'

export interface MarkingParts {
  readonly records: Store
  readonly heads: Heads
  readonly versions: Versions
  readonly packs: Packs
  readonly chunks: StoredChunks
  readonly openAssets: OpenAssets
  /** Change nothing. */
  readonly dryRun: boolean
  readonly signal?: AbortSignal
}

/**
 * What all versions need. It can be brought up to date: records that came since are walked too, and only they. Nothing is ever unmarked, so what is
 * deleted meanwhile is freed by the next collection.
 */
export class Marking {
  /** Offsets of needed chunks, by pack. */
  readonly live: Reachable = new Map()
  /** What deleted versions would need, where it is not needed anyway; known after `markDeleted`. */
  readonly dead: Reachable = new Map()
  /** Packs that versions refer to which are not closed yet. */
  readonly pinned = new Set<string>()
  /** Deleted versions that still keep something. */
  readonly tombstones: HeldVersion[] = []
  readonly #parts: MarkingParts
  readonly #seenPages = new Set<string>()
  readonly #seenRecords = new Set<string>()
  readonly #deletedBelow = new Map<string, number>()

  constructor(parts: MarkingParts) {
    this.#parts = parts
  }

  /**
   * Walks every version that was not walked yet.
   *
   * @param freed packs that a collection has deleted, or began to. A record that needs one that is gone was created too late to be acknowledged, by a
   * commit that did not live to take it back: that is done here.
   * @throws CorruptionError, NotFoundError `pack-missing` naming what is damaged: nothing may be deleted then.
   */
  async markLive(freed: ReadonlySet<string>): Promise<void> {
    // Before the records: a version that is closed between is walked then.
    for (const pack of await this.#parts.openAssets.packs({ tidy: !this.#parts.dryRun })) this.pinned.add(pack)
    for await (const held of this.#newRecords()) {
      const { record } = held
      const isHidden = !record.deleted && record.index < (await this.#deletedBelowOf(record))
      if (record.deleted || isHidden) {
        if (record.manifest || held.attachment.length > 0)
          this.tombstones.push(isHidden ? await this.#bury(held) : held)
        continue
      }
      const found = await this.#walkUnless(freed, record)
      if (found) add(this.live, found)
      else await this.#revoke(held)
    }
  }

  /** Walks deleted versions, as far as what they had is still there. */
  async markDeleted(): Promise<void> {
    // What a live version has led to need not be walked again: it is needed, whoever else had it.
    const seen = new Set(this.#seenPages)
    for (const { record } of this.tombstones) {
      try {
        add(this.dead, await this.#walk(record, seen))
      } catch (error) {
        // A collection that stopped half-way may have deleted pages of it. What they led to counts as never committed from now on.
        if (!isTidemarkError(error) || (error.code !== 'pack-missing' && error.category !== 'CorruptionError'))
          throw error
      }
    }
  }

  async *#newRecords(): AsyncGenerator<HeldVersion> {
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await this.#parts.records.list(keys.artifacts, after === undefined ? {} : { after })
      const places: (ArtifactPlace & { index: number })[] = []
      for (const { key } of page.entries) {
        const [, workspace, name, kind, index] = key.split('/')
        // A record is replaced only by its tombstone: what was marked for it stays marked.
        if (kind !== 'v' || this.#seenRecords.has(key)) continue
        places.push({ workspace, name, index: Number(index) })
      }
      for (const held of await eachOf(places, (place) => this.#parts.versions.expect(place, place.index))) {
        // One that is open may be closed by the next look.
        if (held.record.draft?.state !== 'OPEN') this.#seenRecords.add(keys.version(held.record, held.record.index))
        yield held
      }
      after = page.next
    }
  }

  async #deletedBelowOf(place: ArtifactPlace): Promise<number> {
    const key = keys.head(place)
    const known = this.#deletedBelow.get(key) ?? (await this.#parts.heads.read(place))?.deletedBelow ?? 0
    this.#deletedBelow.set(key, known)
    return known
  }

  /** `undefined` when something that it needs was freed. */
  async #walkUnless(freed: ReadonlySet<string>, record: VersionRecord): Promise<Reachable | undefined> {
    // What is seen on a walk that leads nowhere is seen for nobody else.
    const seen = above(this.#seenPages)
    try {
      const found = await this.#walk(record, seen)
      for (const [pack, offsets] of found)
        if (freed.has(pack) && !(await isHeld(this.#parts, pack, offsets))) return undefined
      for (const page of seen.own) this.#seenPages.add(page)
      return found
    } catch (error) {
      const pack = isTidemarkError(error) ? error.fields.pack : undefined
      // Of a pack that is there as a whole no page is missing: that is damage.
      if (typeof pack !== 'string' || !freed.has(pack) || (await this.#isWhole(pack))) throw error
      return undefined
    }
  }

  #isWhole(pack: string): Promise<boolean> {
    return parseRecordPackName(pack) ? isHeld(this.#parts, pack, new Set()) : this.#parts.packs.isSafe(pack, new Set())
  }

  #walk({ workspace, name, index, manifest }: VersionRecord, seen: SeenPages): Promise<Reachable> {
    return reachablePacks({
      source: this.#parts.chunks,
      manifest,
      self: recordPackName(workspace, name, index),
      seen,
      what: `${name}:v${index}`,
      signal: this.#parts.signal,
    })
  }

  /**
   * Finishes the deletion of an artifact that stopped half-way. A commit asks the record whether its base is still there: nothing of it may be freed before
   * the record says no.
   */
  async #bury(held: HeldVersion): Promise<HeldVersion> {
    const { versions, dryRun } = this.#parts
    if (dryRun) return held
    // False: somebody else buried it.
    await versions.bury(held)
    return versions.expect(held.record, held.record.index)
  }

  async #revoke(held: HeldVersion): Promise<void> {
    const { heads, versions } = this.#parts
    // False: its commit is taking it back itself.
    await versions.revoke(held)
    await heads.change(held.record, (head) => withoutVersion(versions, held.record, head, held.record.index))
  }
}

function above(below: ReadonlySet<string>): SeenPages & { readonly own: ReadonlySet<string> } {
  const own = new Set<string>()
  return { own, has: (page) => own.has(page) || below.has(page), add: (page) => own.add(page) }
}

function add(to: Reachable, from: Reachable): void {
  for (const [pack, offsets] of from) {
    const known = to.get(pack)
    if (!known) to.set(pack, new Set(offsets))
    else for (const offset of offsets) known.add(offset)
  }
}
