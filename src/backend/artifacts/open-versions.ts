import { ConflictError, NotFoundError } from '../../errors.ts'
import type { Metadata } from '../../protocol/shapes.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import { pause } from '../pause.ts'
import type { Services } from '../services.ts'
import { placeText, type VersionContent, type VersionRecord } from './artifact-records.ts'
import { assertType, nextNumber } from './commits.ts'
import type { OpenAssets } from './open-assets.ts'
import { compareVersions } from './semantic-version.ts'
import { VersionNumbers } from './version-numbers.ts'
import { type DraftVersion, isDraft, newestLive } from './versions.ts'

export interface NewVersion {
  readonly type: string
  readonly version?: string
  readonly aliases: readonly string[]
  readonly versionTags: readonly string[]
  readonly metadata: Metadata | null
  readonly description: string | null
  readonly experimentKey: string
  readonly project: string
}

/** Versions as Comet's clients make them: begun, sent asset by asset, closed. Index and number are theirs from the beginning, aliases from the end. */
export class OpenVersions {
  readonly #services: Services
  readonly #assets: OpenAssets

  constructor(services: Services, assets: OpenAssets) {
    this.#services = services
    this.#assets = assets
  }

  /** @throws ConflictError `artifact-type-differs`, `version-exists` */
  async begin(place: ArtifactPlace, wanted: NewVersion): Promise<{ record: VersionRecord; previous: string | null }> {
    const { heads, versions, options } = this.#services
    const { now, randomId } = options
    const { type, version: asked, ...about } = wanted
    for (let attempt = 0; ; attempt++) {
      const current = await heads.current(place)
      const latest = current && (await newestLive(versions, place, current.head))
      if (current) assertType(place, current.head, latest, type)
      const index = current?.head.next ?? 0
      const highest = index === 0 ? undefined : (await versions.expect(place, index - 1)).record.highest
      const version = asked ?? nextNumber(place, highest)
      if (asked !== undefined) await new VersionNumbers(this.#services).claim(place, asked, index)
      const content: VersionContent = {
        ...about,
        description: about.description ?? latest?.record.content.description ?? null,
        digest: '',
        size: 0,
        count: 0,
        remoteCount: 0,
        createdAt: now(),
        parent: latest?.record.index ?? null,
      }
      const record: VersionRecord = {
        workspace: place.workspace,
        name: place.name,
        index,
        type,
        version,
        highest: highest !== undefined && compareVersions(highest, version) > 0 ? highest : version,
        automatic: asked === undefined,
        writeId: randomId(),
        deleted: false,
        manifest: null,
        draft: { state: 'OPEN', content },
      }
      if (await versions.create(record)) {
        await heads.change(place)
        return { record, previous: latest?.record.version ?? null }
      }
      await pause(attempt, () => busy(place))
    }
  }

  /** A version that is not closed; `undefined` when it is, or was deleted. */
  async find(place: ArtifactPlace, index: number): Promise<DraftVersion | undefined> {
    const held = await this.#services.versions.read(place, index)
    return isDraft(held) ? held : undefined
  }

  /** @throws ConflictError `version-closed`; NotFoundError `version-not-found` */
  async expect(place: ArtifactPlace, index: number): Promise<DraftVersion> {
    const held = await this.#services.versions.read(place, index)
    if (!held || held.record.deleted) throw notFound(place, index)
    if (isDraft(held) && held.record.draft.state === 'OPEN') return held
    throw new ConflictError(
      `${placeText(place)}:${held.record.version} is ${held.record.draft ? 'in error' : 'closed'}, and cannot be changed any more. Log a new version.`,
      { code: 'version-closed', fields: { artifact: placeText(place), version: held.record.version } },
    )
  }

  /** After an asset was stored: it counts unless closing began before. */
  async assertTaken(place: ArtifactPlace, index: number): Promise<void> {
    const { draft } = (await this.expect(place, index)).record
    if (draft.closing)
      throw new ConflictError(`v${index} of ${placeText(place)} is being closed: it takes no more assets.`, {
        code: 'version-closed',
      })
  }

  /** Changes what will be said of it. */
  async change(
    place: ArtifactPlace,
    index: number,
    change: (content: VersionContent) => VersionContent,
  ): Promise<void> {
    await this.#replace(place, index, async (record) => ({
      record: { ...record, draft: { ...record.draft, content: change(record.draft.content) } },
    }))
  }

  /** The replacement of the record is the commit point: before it nothing is visible, after it anybody who meets it brings the head up to date. */
  async close(place: ArtifactPlace, index: number): Promise<void> {
    const { heads, options } = this.#services
    await this.#replace(place, index, async (record) => ({
      record: { ...record, draft: { ...record.draft, closing: true } },
    }))
    // Before the commit: from then on readers look at the record for themselves, should nobody come as far as telling the head.
    await heads.change(place, (head) => (head.open.includes(index) ? head : { ...head, open: [...head.open, index] }))
    await this.#replace(place, index, async ({ draft, ...record }) => {
      const assets = await this.#assets.list(place, index)
      const written = await this.#assets.write(assets, `${place.name}:v${index}`)
      const { manifest, digest, size, count, remoteCount, inlinePack } = written
      const content = { ...draft.content, digest, size, count, remoteCount, createdAt: options.now() }
      return { record: { ...record, manifest, content }, attachment: inlinePack }
    })
    await heads.change(place)
    await this.#assets.delete(place, index)
  }

  async giveUp(place: ArtifactPlace, index: number): Promise<void> {
    await this.#replace(place, index, async (record) => ({
      record: { ...record, draft: { ...record.draft, state: 'ERROR' } },
    }))
    await this.#services.heads.change(place)
    await this.#assets.delete(place, index)
  }

  async #replace(
    place: ArtifactPlace,
    index: number,
    make: (record: DraftVersion['record']) => Promise<{ record: VersionRecord; attachment?: Uint8Array }>,
  ): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const held = await this.expect(place, index)
      const { record, attachment } = await make(held.record)
      if (await this.#services.versions.change(held, record, attachment)) return
      await pause(attempt, () => busy(place))
    }
  }
}

function notFound(place: ArtifactPlace, index: number): NotFoundError {
  return new NotFoundError(`${placeText(place)} has no version v${index}, or has it no more.`, {
    code: 'version-not-found',
    fields: { artifact: placeText(place), version: `v${index}` },
  })
}

function busy(place: ArtifactPlace): ConflictError {
  return new ConflictError(`Too many versions of ${placeText(place)} are made at once. Try again.`, {
    code: 'too-busy',
  })
}
