import { reachablePacks } from '../../content/reachable.ts'
import { isTidemarkError, UnavailableError } from '../../errors.ts'
import { recordPackName } from '../../protocol/chunk-ref.ts'
import type { CommitReply } from '../../protocol/shapes.ts'
import { isHeld } from '../collection/is-held.ts'
import { Packs } from '../collection/packs.ts'
import { StoredChunks } from '../collection/stored-chunks.ts'
import { eachOf } from '../each-of.ts'
import type { ArtifactHead, VersionLabels } from './artifact-records.ts'
import { baseGone } from './commit-guard.ts'
import type { Commit } from './commit-request.ts'
import { type CommitParts, tooBusy } from './commits.ts'
import { revokeVersion } from './deletions.ts'
import { isEqualJson } from './equal-json.ts'
import { withAliases } from './heads.ts'
import { Labels } from './labels.ts'
import { versionToWire } from './version-wire.ts'
import { type HeldVersion, isLive, type LiveVersion } from './versions.ts'

/** A commit sent again, whose record is there: the first one may have died before it knew that all it needs stays (commit-guard.ts). */
export async function resumeCommit(parts: CommitParts, own: HeldVersion, commit: Commit): Promise<CommitReply> {
  if (!(await isKept(parts, own, commit))) {
    await revokeVersion(parts, own.record, own.record.index)
    throw baseGone(commit.base)
  }
  return finishCommit(parts, own, commit)
}

/**
 * Collections that begin now see the record. One that began before it was there has a list until it has ended, and then what it deleted is missing.
 *
 * @throws UnavailableError `collection-running`
 */
async function isKept(parts: CommitParts, { record }: HeldVersion, { base, packs: own }: Commit): Promise<boolean> {
  const { versions, condemned } = parts
  const list = await condemned.read()
  const isBaseLive = !base || isLive(await versions.read(base, base.index))
  if (list.packs.size > 0 && (!isBaseLive || own.some((pack) => list.packs.has(pack))))
    throw new UnavailableError(
      'Whether this version can stay is known when the collection that is under way has ended. Send the commit again then.',
      { code: 'collection-running' },
    )
  const packs = new Packs(parts)
  const safe = await eachOf(own, (pack) => packs.isSafe(pack, list.packs))
  if (safe.includes(false)) return false
  if (isBaseLive) return true
  const { workspace, name, index, manifest } = record
  const self = recordPackName(workspace, name, index)
  try {
    const source = new StoredChunks(parts)
    const needed = await reachablePacks({ source, manifest, self, seen: new Set(), what: `${name}:v${index}` })
    const held = await eachOf([...needed], ([pack, offsets]) => isHeld({ packs, versions }, pack, offsets))
    return !held.includes(false)
  } catch (error) {
    if (isTidemarkError(error) && error.code === 'pack-missing') return false
    throw error
  }
}

/** What a commit is answered whose record is there: the head takes it in, and the answer is that of the first time. */
export async function finishCommit(parts: CommitParts, own: HeldVersion, commit: Commit): Promise<CommitReply> {
  const head = await parts.heads.change(own.record)
  if (!isLive(own)) throw baseGone(commit.base)
  return reply(parts, own, head, true)
}

/** What was logged is the latest version already: it gets what aliases and tags it lacks. Nothing when description, number or metadata make it another version. */
export async function logUnchanged(
  parts: CommitParts,
  latest: LiveVersion,
  head: ArtifactHead,
  commit: Commit,
): Promise<CommitReply | undefined> {
  return (await isEqual(parts, latest, head, commit)) ? applyLabels(parts, latest, commit) : undefined
}

async function isEqual(parts: CommitParts, latest: LiveVersion, head: ArtifactHead, commit: Commit): Promise<boolean> {
  const { content, version } = latest.record
  if ((commit.version ?? version) !== version || (commit.description ?? content.description) !== content.description)
    return false
  if (!commit.metadata || Object.keys(commit.metadata).length === 0) return true
  const { metadata = content.metadata } = await labelsOf(parts, latest, head)
  return isEqualJson(commit.metadata, metadata)
}

async function applyLabels(parts: CommitParts, latest: LiveVersion, commit: Commit): Promise<CommitReply> {
  const { heads } = parts
  const { record } = latest
  const { index, content } = record
  // Gives the same object back when every alias is there already: then nothing is written.
  const head = await heads.change(record, (before) =>
    commit.aliases.every((alias) => before.aliases.get(alias) === index)
      ? before
      : { ...before, aliases: withAliases(before.aliases, index, commit.aliases) },
  )
  const tagsOf = (now: VersionLabels) => now.versionTags ?? content.versionTags
  const present = tagsOf(await labelsOf(parts, latest, head))
  if (commit.versionTags.every((tag) => present.includes(tag))) return reply(parts, latest, head, false)
  await new Labels(parts).change(record, index, (now) => ({
    ...now,
    versionTags: [...new Set([...tagsOf(now), ...commit.versionTags])],
  }))
  return reply(parts, latest, await heads.change(record), false)
}

async function reply(
  parts: CommitParts,
  held: LiveVersion,
  head: ArtifactHead | undefined,
  created: boolean,
): Promise<CommitReply> {
  if (!head) throw tooBusy(held.record)
  const labels = await labelsOf(parts, held, head)
  return { version: versionToWire(held.record, head, labels, held.attachment), created }
}

async function labelsOf(
  parts: CommitParts,
  { record }: LiveVersion,
  head: ArtifactHead | undefined,
): Promise<VersionLabels> {
  return head?.relabelled ? new Labels(parts).read(record, record.index) : {}
}
