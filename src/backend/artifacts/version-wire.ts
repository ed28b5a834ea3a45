import { toBase64 } from '../../protocol/base64.ts'
import type { VersionWire } from '../../protocol/shapes.ts'
import { artifactIdOf, versionIdOf } from '../identifiers.ts'
import type { ArtifactHead, VersionLabels } from './artifact-records.ts'
import type { LiveRecord } from './versions.ts'

/** A version as it travels: its record, and what head and labels say of it now. */
export function versionToWire(
  record: LiveRecord,
  head: ArtifactHead,
  labels: VersionLabels,
  smallPack?: Uint8Array,
): VersionWire {
  const { workspace, name, index, content } = record
  return {
    artifactId: artifactIdOf(record),
    versionId: versionIdOf(record, index),
    workspace,
    project: content.project,
    name,
    type: record.type,
    description: content.description,
    index,
    version: record.version,
    aliases: aliasesOf(head, index),
    artifactTags: head.tags,
    versionTags: labels.versionTags ?? content.versionTags,
    metadata: labels.metadata ?? content.metadata,
    digest: content.digest,
    size: content.size,
    count: content.count,
    remoteCount: content.remoteCount,
    state: 'CLOSED',
    createdAt: content.createdAt,
    experimentKey: content.experimentKey,
    parent: content.parent,
    manifest: record.manifest,
    ...(smallPack && smallPack.length > 0 && { inlinePack: toBase64(smallPack) }),
  }
}

function aliasesOf(head: ArtifactHead, index: number): string[] {
  return [...head.aliases].filter(([, at]) => at === index).map(([alias]) => alias)
}
