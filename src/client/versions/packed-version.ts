import type { ChunkSource } from '../../content/chunk-source.ts'
import type { KeptPages } from '../../content/page-reader.ts'
import { VersionReader } from '../../content/version-reader.ts'
import { fromBase64 } from '../../protocol/base64.ts'
import { type PackName, recordPackName } from '../../protocol/chunk-ref.ts'
import type { VersionWire } from '../../protocol/shapes.ts'
import type { Api } from '../api.ts'
import { versionLabel } from '../versions.ts'
import { ApiChunkSource } from './chunk-source.ts'

/** What a version holds, read as it is asked for. */
export function readVersion(api: Api, wire: VersionWire, pages?: KeptPages): VersionReader {
  return readFrom(packsOf(api, [wire]), wire, pages)
}

/** The same from a source that others read from too. */
export function readFrom(source: ChunkSource, wire: VersionWire, pages?: KeptPages): VersionReader {
  return new VersionReader({ source, manifest: wire.manifest, self: selfOf(wire), what: versionLabel(wire), pages })
}

/** The packs that these versions lie in; small ones came along with their records. */
export function packsOf(api: Api, wires: readonly VersionWire[]): ChunkSource {
  const inline = new Map<PackName, Uint8Array>()
  for (const wire of wires) if (wire.inlinePack !== undefined) inline.set(selfOf(wire), fromBase64(wire.inlinePack))
  return new ApiChunkSource(api, inline, wires.map(versionLabel).join(' or '))
}

function selfOf({ workspace, name, index }: VersionWire): PackName {
  return recordPackName(workspace, name, index)
}
