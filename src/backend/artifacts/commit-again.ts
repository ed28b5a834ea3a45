import type { CommitReply } from '../../protocol/shapes.ts'
import type { ArtifactHead, VersionLabels } from './artifact-records.ts'
import { baseGone } from './commit-guard.ts'
import type { Commit } from './commit-request.ts'
import { type CommitParts, tooBusy } from './commits.ts'
import { isEqualJson } from './equal-json.ts'
import { withAliases } from './heads.ts'
import { Labels } from './labels.ts'
import { versionToWire } from './version-wire.ts'
import { type HeldVersion, isLive, type LiveVersion } from './versions.ts'

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
