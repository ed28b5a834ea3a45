import { mediaTypeOf } from '../../codecs/media-type.ts'
import type { Entry } from '../../content/entry.ts'
import { comparePaths } from '../../paths.ts'
import type { JsonValue, Metadata, VersionState, VersionWire } from '../../protocol/shapes.ts'
import { parseWireMetadata } from '../wire-metadata.ts'

/** A version as Comet's REST API v2 describes it. */
export interface CometVersion {
  readonly artifactVersionId: string
  readonly artifactVersion: string
  readonly alias?: readonly string[] | null
  readonly tags?: readonly string[] | null
  /** JSON. */
  readonly metadata?: string | null
  readonly sizeInBytes?: number | null
  readonly experimentKey?: string | null
  readonly state?: unknown
  readonly added?: number | null
  readonly artifact: {
    readonly artifactId: string
    readonly artifactName: string
    readonly artifactType: string
    readonly workspaceName: string
    readonly projectName?: string | null
    readonly tags?: readonly string[] | null
    readonly description?: string | null
  }
}

/** An asset of a version, as it describes one. */
export interface CometFile {
  readonly assetId: string
  readonly fileName: string
  readonly fileSize?: number | null
  readonly remote?: boolean
  readonly link?: string | null
  readonly metadata?: string | null
}

/** An asset, and the name by which its bytes are asked for. */
export interface CometEntry extends Entry {
  readonly assetId: string
}

// Comet keeps no digest and no kind with an asset. What we send has them in its metadata, below this key, which users never see.
const factsKey = 'tidemark'

/** The metadata of an asset as it is sent: with what is known of its bytes. */
export function withFacts(metadata: Metadata | undefined, facts: Metadata): string {
  return JSON.stringify({ ...metadata, [factsKey]: facts })
}

/** What others sent is a file of which nothing more is known. */
export function toEntry(file: CometFile): CometEntry {
  const { assetId, fileName: path, fileSize, remote, link } = file
  const { [factsKey]: facts, ...own } = parseWireMetadata(file.metadata) ?? {}
  const known = isObject(facts) ? facts : {}
  const metadata = Object.keys(own).length > 0 ? own : undefined
  const common = { assetId, path, ...(metadata && { metadata }) }
  if (remote && typeof link === 'string')
    return { ...common, ...remoteFacts(link, { ...syncedFacts(own), ...known }), mediaType: mediaTypeOf(path) }
  const { kind, mediaType, digest, preview } = known
  return {
    ...common,
    size: fileSize ?? 0,
    digest: typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest) ? digest : '',
    kind: typeof kind === 'string' ? kind : 'file',
    mediaType: typeof mediaType === 'string' ? mediaType : mediaTypeOf(path),
    ...(isObject(preview) && { preview }),
  }
}

function remoteFacts(
  uri: string,
  { digest, size, etag, versionId }: Metadata,
): Pick<Entry, 'kind' | 'digest' | 'size' | 'remote'> {
  const remote = {
    uri,
    ...(typeof etag === 'string' && { etag }),
    ...(typeof versionId === 'string' && { versionId }),
    ...(typeof size === 'number' && { size }),
    synced: etag !== undefined || size !== undefined,
  }
  return { kind: 'remote', digest: typeof digest === 'string' ? digest : '', size: remote.size ?? 0, remote }
}

/** What Python's client notes of an object in a bucket. */
function syncedFacts({ synced, checksum, file_size: size, version_id: versionId }: Metadata): Metadata {
  if (synced !== true) return {}
  return {
    ...(typeof checksum === 'string' && { etag: `"${checksum}"` }),
    ...(typeof size === 'number' && { size }),
    ...(typeof versionId === 'string' && { versionId }),
  }
}

/** A version as the rest of the client knows it, from its description and its assets. */
export function toVersionWire(
  version: CometVersion,
  entries: readonly CometEntry[],
  { digest, index }: Pick<VersionWire, 'digest' | 'index'>,
): VersionWire {
  const { artifact } = version
  const stored = entries.filter(({ remote }) => !remote)
  return {
    artifactId: artifact.artifactId,
    versionId: version.artifactVersionId,
    workspace: artifact.workspaceName,
    project: artifact.projectName ?? null,
    name: artifact.artifactName,
    type: artifact.artifactType,
    description: artifact.description ?? null,
    index,
    version: version.artifactVersion,
    // Comet's own name for the newest version is not one that somebody gave.
    aliases: (version.alias ?? []).filter((alias) => alias.toLowerCase() !== 'latest'),
    artifactTags: artifact.tags ?? [],
    versionTags: version.tags ?? [],
    metadata: parseWireMetadata(version.metadata) ?? null,
    digest,
    size: stored.reduce((sum, { size }) => sum + size, 0),
    count: entries.length,
    remoteCount: entries.length - stored.length,
    state: stateOf(version.state),
    createdAt: version.added ?? 0,
    experimentKey: version.experimentKey ?? null,
    parent: null,
    manifest: null,
  }
}

/** What is not closed is not found by name: where nothing is said, it is. */
function stateOf(state: unknown): VersionState {
  if (state === 'OPEN' || state === 0) return 'OPEN'
  return state === 'ERROR' || state === 2 ? 'ERROR' : 'CLOSED'
}

export function sortEntries(entries: readonly CometEntry[]): CometEntry[] {
  return entries.toSorted((a, b) => comparePaths(a.path, b.path))
}

function isObject(value: JsonValue | undefined): value is Metadata {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
