import type { ChunkSource } from '../content/chunk-source.ts'
import { VersionReader } from '../content/version-reader.ts'
import { CorruptionError, isTidemarkError } from '../errors.ts'
import { fromBase64 } from '../protocol/base64.ts'
import { type PackName, parseChunkRef, recordPackName } from '../protocol/chunk-ref.ts'
import { routes } from '../protocol/routes.ts'
import type { VersionWire } from '../protocol/shapes.ts'
import type { Api } from './api.ts'
import { ApiChunkSource } from './chunk-source.ts'
import { RecentReads } from './recent-reads.ts'

/** Which version: of which artifact, and which of its versions (`v3`, `4.0.0`, an alias; the latest when left out). */
export interface VersionPlace {
  readonly workspace: string
  readonly name: string
  readonly select?: string
}

/** @throws NotFoundError `artifact-not-found`, `version-not-found` */
export async function findVersion(
  api: Api,
  { workspace, name, select }: VersionPlace,
  signal?: AbortSignal,
): Promise<VersionWire> {
  const wire = await api.json<VersionWire>('GET', routes.versions(workspace, name), {
    search: { select: select ?? 'latest' },
    signal,
  })
  return checked(wire)
}

/** The latest version, or `undefined` when there is none yet. */
export async function findLatest(
  api: Api,
  workspace: string,
  name: string,
  signal?: AbortSignal,
): Promise<VersionWire | undefined> {
  try {
    return await findVersion(api, { workspace, name }, signal)
  } catch (error) {
    if (isTidemarkError(error) && (error.code === 'artifact-not-found' || error.code === 'version-not-found'))
      return undefined
    throw error
  }
}

/** `flowers:v3`: how messages name a version. */
export function versionLabel({ name, index }: Pick<VersionWire, 'name' | 'index'>): string {
  return `${name}:v${index}`
}

export function readVersion(api: Api, wire: VersionWire): VersionReader {
  return readFrom(new ApiChunkSource(api, inlinePacks([wire])), wire)
}

/** Two versions that are compared: what both need is read once. */
export function readVersions(
  api: Api,
  before: VersionWire,
  after: VersionWire,
): readonly [VersionReader, VersionReader] {
  const source = new RecentReads(new ApiChunkSource(api, inlinePacks([before, after])))
  return [readFrom(source, before), readFrom(source, after)]
}

function readFrom(source: ChunkSource, wire: VersionWire): VersionReader {
  return new VersionReader({ source, manifest: wire.manifest, self: selfOf(wire), what: versionLabel(wire) })
}

function inlinePacks(wires: readonly VersionWire[]): Map<PackName, Uint8Array> {
  const packs = new Map<PackName, Uint8Array>()
  for (const wire of wires) if (wire.inlinePack !== undefined) packs.set(selfOf(wire), fromBase64(wire.inlinePack))
  return packs
}

function selfOf({ workspace, name, index }: VersionWire): PackName {
  return recordPackName(workspace, name, index)
}

function checked(wire: VersionWire): VersionWire {
  const manifest = wire.manifest === null ? null : parseChunkRef(wire.manifest)
  if (manifest !== undefined && Number.isSafeInteger(wire.index)) return { ...wire, manifest }
  throw new CorruptionError(
    `The server's answer about ${versionLabel(wire)} is not a version. Is the address that of a Tidemark server?`,
    {
      code: 'answer-damaged',
    },
  )
}
