import type { ChunkSource } from '../content/chunk-source.ts'
import type { KeptPages } from '../content/page-reader.ts'
import { VersionReader } from '../content/version-reader.ts'
import { fromBase64 } from '../protocol/base64.ts'
import { type PackName, recordPackName } from '../protocol/chunk-ref.ts'
import type { VersionWire } from '../protocol/shapes.ts'
import type { Api } from './api.ts'
import { ApiChunkSource } from './chunk-source.ts'
import { RecentReads } from './recent-reads.ts'
import { versionLabel } from './versions.ts'

/** What a version holds, read as it is asked for. */
export function readVersion(api: Api, wire: VersionWire, pages?: KeptPages): VersionReader {
  return readFrom(new ApiChunkSource(api, inlinePacks([wire])), wire, pages)
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

function readFrom(source: ChunkSource, wire: VersionWire, pages?: KeptPages): VersionReader {
  return new VersionReader({ source, manifest: wire.manifest, self: selfOf(wire), what: versionLabel(wire), pages })
}

function inlinePacks(wires: readonly VersionWire[]): Map<PackName, Uint8Array> {
  const packs = new Map<PackName, Uint8Array>()
  for (const wire of wires) if (wire.inlinePack !== undefined) packs.set(selfOf(wire), fromBase64(wire.inlinePack))
  return packs
}

function selfOf({ workspace, name, index }: VersionWire): PackName {
  return recordPackName(workspace, name, index)
}
