import type { LoggedArtifact } from '../index.ts'
import { printable } from './cells.ts'

/** The exact facts of a version, as `--json` prints them. */
export function versionFacts(version: LoggedArtifact) {
  const { workspace, project, name, type, index, aliases, versionTags, artifactTags, metadata, description } = version
  const { size, count, digest, state, createdAt, sourceExperimentKey } = version
  return {
    workspace,
    project,
    name,
    type,
    index,
    version: version.version,
    aliases,
    versionTags,
    artifactTags,
    metadata,
    description,
    size,
    count,
    digest: digest ?? null,
    state,
    createdAt: createdAt.toISOString(),
    sourceExperimentKey,
  }
}

/** `flowers v3 (4.0.0)` */
export function versionTitle({ name, index, version }: { name: string; index: number; version: string }): string {
  return `${printable(name)} v${index} (${version})`
}
