import { CorruptionError, isTidemarkError } from '../errors.ts'
import { parseChunkRef } from '../protocol/chunk-ref.ts'
import { routes } from '../protocol/routes.ts'
import type { VersionWire } from '../protocol/shapes.ts'
import type { Api } from './api.ts'

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

/** The version, or `undefined` when there is none. */
export async function findThere(api: Api, place: VersionPlace, signal?: AbortSignal): Promise<VersionWire | undefined> {
  try {
    return await findVersion(api, place, signal)
  } catch (error) {
    if (isTidemarkError(error) && (error.code === 'artifact-not-found' || error.code === 'version-not-found'))
      return undefined
    throw error
  }
}

/** Whether both are one version of one store, and not of two that have equal names. */
export function isSameVersion(one: VersionWire, other: VersionWire): boolean {
  return (
    one.versionId === other.versionId &&
    one.createdAt === other.createdAt &&
    one.digest === other.digest &&
    one.manifest?.digest === other.manifest?.digest
  )
}

/** The index of a version on a server that does not count them. */
export const uncounted = -1

/** True of a version on a server that keeps assets whole: its list is all there is. */
export function isListed({ manifest, count }: Pick<VersionWire, 'manifest' | 'count'>): boolean {
  return manifest === null && count > 0
}

/** `flowers:v3`: how messages name a version. */
export function versionLabel({ name, index, version }: Pick<VersionWire, 'name' | 'index' | 'version'>): string {
  return index === uncounted ? `${name}:${version}` : `${name}:v${index}`
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
