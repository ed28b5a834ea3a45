import { ConflictError, InvalidInputError, NotFoundError } from '../../errors.ts'
import type { CommitReply } from '../../protocol/shapes.ts'
import type { CondemnedList } from '../collection/condemned.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import { pause } from '../pause.ts'
import type { Services } from '../services.ts'
import { type ArtifactHead, placeText, type VersionRecord } from './artifact-records.ts'
import { baseGone, CommitGuard } from './commit-guard.ts'
import type { Commit } from './commit-request.ts'
import { type CurrentHead, takeIn } from './heads.ts'
import { compareVersions, nextVersion } from './semantic-version.ts'
import { versionToWire } from './version-wire.ts'
import { type HeldVersion, isLive, type LiveRecord, type LiveVersion, newestLive } from './versions.ts'
import { oldestRemembered, possibleWrites } from './write-hashes.ts'

// The largest major number that `checkSemanticVersion` takes.
const highestMajor = 999_999_999_999_999

export type CommitParts = Pick<Services, 'options' | 'records' | 'heads' | 'versions' | 'condemned'>

/**
 * Creating versions. The record at the next free index is the commit: one create-only write, that is all or nothing. Before it nothing is visible.
 * After it anybody who meets the record can finish the rest, which is to take it into the head (heads.ts). A commit sent again finds its own
 * record by the write-id (commit-again.ts). Who loses an index to another commit looks at everything again and takes the next.
 */
export class Commits {
  readonly #parts: CommitParts
  readonly #guard: CommitGuard

  constructor(parts: CommitParts) {
    this.#parts = parts
    this.#guard = new CommitGuard(parts)
  }

  /**
   * @throws ConflictError `artifact-type-differs`, `version-exists`, `base-gone`; NotFoundError `pack-missing`, `version-not-found`
   */
  async commit(place: ArtifactPlace, commit: Commit, project: string | null): Promise<CommitReply> {
    const { heads, versions } = this.#parts
    // Beside the reading of the head, which takes as long. Its refusal waits: a commit that was made already stays made, whatever was deleted since.
    const entering = Promise.allSettled([this.#guard.enter(commit)])
    for (let attempt = 0; ; attempt++) {
      const current = await heads.current(place)
      const own = current && (await this.#findOwn(place, current.head, commit))
      if (own) {
        const { resumeCommit } = await import('./commit-again.ts')
        return resumeCommit(this.#parts, own, commit)
      }
      const latest = current && (await newestLive(versions, place, current.head))
      if (current) assertType(place, current.head, latest, commit.type)
      if (current && latest && commit.digest === latest.record.content.digest && !commit.assetsDiffer) {
        const { logUnchanged } = await import('./commit-again.ts')
        const reply = await logUnchanged(this.#parts, latest, current.head, commit)
        if (reply) return reply
      }
      const [entered] = await entering
      if (entered.status === 'rejected') throw entered.reason
      const record = await this.#record(place, commit, project, current?.head, latest)
      if (commit.version !== undefined) await this.#claim(place, commit.version, record.index)
      if (await versions.create(record, commit.inlinePack)) {
        return this.#acknowledge(place, commit, current, record, entered.value)
      }
      await pause(attempt, () => tooBusy(place))
    }
  }

  /** The record this commit made before, if its answer was lost. */
  async #findOwn(place: ArtifactPlace, head: ArtifactHead, commit: Commit): Promise<HeldVersion | undefined> {
    const indexes = possibleWrites(head.recent, head.next, commit.writeId)
    // Beyond the head's memory only what came after the base can be ours.
    const { base } = commit
    if (base?.workspace === place.workspace && base.name === place.name)
      for (let index = oldestRemembered(head.recent, head.next) - 1; index > base.index; index--) indexes.push(index)
    for (const index of indexes) {
      const held = await this.#parts.versions.expect(place, index)
      if (held.record.writeId !== commit.writeId) continue
      if (isLive(held) && index >= head.deletedBelow) return held
      throw new NotFoundError(
        `${placeText(place)}:v${index} was committed by this very request, and was deleted since.`,
        {
          code: 'version-not-found',
          fields: { artifact: placeText(place), version: `v${index}` },
        },
      )
    }
    return undefined
  }

  async #record(
    place: ArtifactPlace,
    commit: Commit,
    project: string | null,
    head: ArtifactHead | undefined,
    latest: LiveVersion | undefined,
  ): Promise<VersionRecord> {
    const index = head?.next ?? 0
    const highest = await this.#highest(place, index, latest)
    const version = commit.version ?? nextNumber(place, highest)
    const { base, digest, size, count, remoteCount } = commit
    const isOwnBase = base?.workspace === place.workspace && base.name === place.name
    return {
      workspace: place.workspace,
      name: place.name,
      index,
      type: commit.type,
      version,
      highest: highest !== undefined && compareVersions(highest, version) > 0 ? highest : version,
      automatic: commit.version === undefined,
      writeId: commit.writeId,
      deleted: false,
      manifest: commit.manifest,
      content: {
        description: commit.description ?? latest?.record.content.description ?? null,
        project,
        experimentKey: commit.experimentKey ?? null,
        aliases: commit.aliases,
        versionTags: commit.versionTags,
        metadata: commit.metadata ?? null,
        digest,
        size,
        count,
        remoteCount,
        createdAt: this.#parts.options.now(),
        parent: isOwnBase ? base.index : (latest?.record.index ?? null),
      },
    }
  }

  async #highest(place: ArtifactPlace, index: number, latest: LiveVersion | undefined): Promise<string | undefined> {
    if (index === 0) return undefined
    if (latest?.record.index === index - 1) return latest.record.highest
    return (await this.#parts.versions.expect(place, index - 1)).record.highest
  }

  async #acknowledge(
    place: ArtifactPlace,
    commit: Commit,
    current: CurrentHead | undefined,
    record: VersionRecord,
    entered: CondemnedList,
  ): Promise<CommitReply> {
    const { heads, versions } = this.#parts
    if (!(await this.#guard.isSafe(commit, entered))) {
      const { revokeVersion } = await import('./deletions.ts')
      await revokeVersion(this.#parts, place, record.index)
      throw baseGone(commit.base)
    }
    const head = takeIn(current?.head, record)
    // Nobody else was faster in most cases: saves reading head and record again.
    if (isLiveRecord(record) && (await heads.replace(place, current?.etag, head)))
      return { version: versionToWire(record, head, {}, commit.inlinePack), created: true }
    return this.#finish(await versions.expect(place, record.index), commit)
  }

  async #finish(own: HeldVersion, commit: Commit): Promise<CommitReply> {
    const { finishCommit } = await import('./commit-again.ts')
    return finishCommit(this.#parts, own, commit)
  }

  async #claim(place: ArtifactPlace, version: string, index: number): Promise<void> {
    const { VersionNumbers } = await import('./version-numbers.ts')
    await new VersionNumbers(this.#parts).claim(place, version, index)
  }
}

function isLiveRecord(record: VersionRecord): record is LiveRecord {
  return !record.deleted && record.content !== undefined
}

/** @throws ConflictError `artifact-type-differs` */
export function assertType(
  place: ArtifactPlace,
  head: ArtifactHead,
  latest: LiveVersion | undefined,
  type: string,
): void {
  if (head.type === type || (!latest && head.deletedBelow === head.next)) return
  throw new ConflictError(
    `${placeText(place)} is of type '${head.type}', this version is of type '${type}'. An artifact keeps its type: give the same one, or another name.`,
    { code: 'artifact-type-differs', fields: { artifact: placeText(place), type: head.type } },
  )
}

/** @throws InvalidInputError `invalid-version` when there is none. */
export function nextNumber(place: ArtifactPlace, highest: string | undefined): string {
  const version = nextVersion(highest)
  if (Number(version.split('.')[0]) > highestMajor) throw noNextVersion(place, version)
  return version
}

function noNextVersion(place: ArtifactPlace, version: string): InvalidInputError {
  return new InvalidInputError(
    `${placeText(place)} has no number after its highest one left (${version}). Ask for a free one.`,
    {
      code: 'invalid-version',
    },
  )
}

export function tooBusy(place: ArtifactPlace): ConflictError {
  return new ConflictError(`Too many versions of ${placeText(place)} are committed at once. Try again.`, {
    code: 'too-busy',
  })
}
