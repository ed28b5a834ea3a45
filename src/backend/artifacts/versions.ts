import { CorruptionError } from '../../errors.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import type { StoreRecords } from '../store-records.ts'
import {
  type ArtifactHead,
  keys,
  type VersionContent,
  type VersionDraft,
  type VersionRecord,
  versionFromJson,
  versionToJson,
  versionWhat,
} from './artifact-records.ts'

/** A version's record as read: `attachment` is its small pack, empty when there is none. */
export interface HeldVersion {
  readonly record: VersionRecord
  readonly attachment: Uint8Array
  readonly etag: string
}

export type LiveVersion = HeldVersion & { readonly record: LiveRecord }
export type LiveRecord = VersionRecord & { readonly content: VersionContent }
/** Begun and not closed, or given up. */
export type DraftVersion = HeldVersion & { readonly record: VersionRecord & { readonly draft: VersionDraft } }

/** The version records of all artifacts. */
export class Versions {
  readonly #records: StoreRecords

  constructor(records: StoreRecords) {
    this.#records = records
  }

  async read(place: ArtifactPlace, index: number): Promise<HeldVersion | undefined> {
    const held = await this.#records.read(keys.version(place, index), versionWhat(place, index))
    return held && { record: versionFromJson(place, index, held.json), attachment: held.attachment, etag: held.etag }
  }

  /**
   * A record that must be there, because a head or a later record says so.
   *
   * @throws CorruptionError `record-missing`
   */
  async expect(place: ArtifactPlace, index: number): Promise<HeldVersion> {
    const held = await this.read(place, index)
    if (held) return held
    const what = versionWhat(place, index)
    throw new CorruptionError(`${what} is missing from the store. Restore it from a copy of the store.`, {
      code: 'record-missing',
      fields: { what },
    })
  }

  /** The commit point: `false` when the index is taken. */
  create(record: VersionRecord, attachment?: Uint8Array): Promise<boolean> {
    return this.#records.create(keys.version(record, record.index), versionToJson(record), attachment)
  }

  /**
   * Puts a tombstone in the record's place: numbers and manifest stay for collection, the small pack because later versions may need it. `false`
   * when somebody else changed it.
   */
  bury({ record, attachment, etag }: HeldVersion): Promise<boolean> {
    const { content, draft, ...kept } = record
    return this.#replace({ ...kept, deleted: true }, etag, attachment)
  }

  /** Undoes a commit that was not acknowledged: the index stays used, the write-id is free to be used again. */
  revoke({ record, attachment, etag }: HeldVersion): Promise<boolean> {
    const { content, draft, ...kept } = record
    return this.#replace({ ...kept, deleted: true, writeId: '' }, etag, attachment)
  }

  /** Forgets what a tombstone kept for collection; its small pack too unless that is still needed. */
  strip({ record, attachment, etag }: HeldVersion, keepAttachment: boolean): Promise<boolean> {
    return this.#replace({ ...record, manifest: null }, etag, keepAttachment ? attachment : undefined)
  }

  /** Changes, closes or gives up a version that is open; `false` when somebody else changed it. */
  change({ etag }: HeldVersion, record: VersionRecord, attachment?: Uint8Array): Promise<boolean> {
    return this.#replace(record, etag, attachment)
  }

  #replace(record: VersionRecord, etag: string, attachment?: Uint8Array): Promise<boolean> {
    return this.#records.swap(keys.version(record, record.index), { etag }, versionToJson(record), attachment)
  }
}

export function isLive(held: HeldVersion | undefined): held is LiveVersion {
  return held !== undefined && !held.record.deleted && held.record.content !== undefined
}

export function isDraft(held: HeldVersion | undefined): held is DraftVersion {
  return held !== undefined && !held.record.deleted && held.record.draft !== undefined
}

/** The newest version that is not deleted, looked for from what the head says. */
export async function newestLive(
  versions: Versions,
  place: ArtifactPlace,
  head: ArtifactHead,
): Promise<LiveVersion | undefined> {
  for (let index = head.latest ?? -1; index >= head.deletedBelow; index--) {
    const held = await versions.expect(place, index)
    if (isLive(held)) return held
  }
  return undefined
}
