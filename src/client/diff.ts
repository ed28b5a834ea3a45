import type { Entry } from '../content/entry.ts'
import { diffVersions } from '../content/version-diff.ts'
import type { VersionReader } from '../content/version-reader.ts'
import type { Metadata } from '../protocol/shapes.ts'

/** What is known of an asset on one side of a difference. */
export interface DiffSide {
  readonly size: number
  /** SHA-256 of the bytes. */
  readonly digest: string
  readonly type: string
  readonly metadata?: Metadata
}

export interface DiffLine extends DiffSide {
  readonly path: string
}

export interface DiffChange {
  readonly path: string
  readonly before: DiffSide
  readonly after: DiffSide
}

/** How one version becomes another, by path; each list sorted. `changed`: other bytes or other metadata. */
export interface VersionDiff {
  readonly added: readonly DiffLine[]
  readonly removed: readonly DiffLine[]
  readonly changed: readonly DiffChange[]
}

/** Pages of the lists of assets that both versions share are not read. */
export async function diff(before: VersionReader, after: VersionReader, signal?: AbortSignal): Promise<VersionDiff> {
  const added: DiffLine[] = []
  const removed: DiffLine[] = []
  const changed: DiffChange[] = []
  for await (const one of diffVersions(before, after, { signal })) {
    const { path } = one
    if (one.before && one.after) changed.push({ path, before: side(one.before), after: side(one.after) })
    else if (one.after) added.push({ path, ...side(one.after) })
    else if (one.before) removed.push({ path, ...side(one.before) })
  }
  return { added, removed, changed }
}

function side({ size, digest, kind, metadata }: Entry): DiffSide {
  return { size, digest, type: kind, ...(metadata && { metadata }) }
}
