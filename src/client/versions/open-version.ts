import type { VersionReading } from '../../content/version-reading.ts'
import { UnsupportedError } from '../../errors.ts'
import { routes } from '../../protocol/routes.ts'
import type { VersionWire } from '../../protocol/shapes.ts'
import type { Connection } from '../connection.ts'
import { findVersion, type VersionPlace } from '../versions.ts'

/** A version, and how it is read. */
export interface OpenedVersion {
  readonly wire: VersionWire
  readonly reader: VersionReading
}

/** A version that was found; without a reader it is read from packs, with what is loaded then. */
export type FoundVersion = Pick<OpenedVersion, 'wire'> & Partial<OpenedVersion>

interface FindOptions {
  /** Noted as the one that uses the version. */
  readonly consumer?: string
  readonly signal?: AbortSignal
}

/**
 * Finds a version, whatever the server speaks.
 *
 * @throws NotFoundError `artifact-not-found`, `version-not-found`
 */
export async function openVersion(
  { api, server }: Connection,
  place: VersionPlace,
  { consumer, signal }: FindOptions = {},
): Promise<FoundVersion> {
  if (!(await server.capabilities(signal))) {
    const { openCometVersion } = await import('../comet/comet-version.ts')
    return openCometVersion(api, place, {
      ...(consumer !== undefined && { experimentKey: consumer, consumerExperimentKey: consumer }),
      signal,
    })
  }
  const wire = await findVersion(api, place, signal)
  const { workspace, name, index } = wire
  if (consumer !== undefined)
    await api.json('POST', routes.inputs(consumer), { body: { workspace, name, index }, signal })
  return { wire }
}

/** @throws UnsupportedError `server-cannot` where a server speaks Comet's REST API v2 alone, and that has no word for it */
export async function needOwnRoutes({ server }: Connection, what: string, signal?: AbortSignal): Promise<void> {
  if (await server.capabilities(signal)) return
  throw new UnsupportedError(`This server has nothing for ${what}: it takes a Tidemark server, or a store.`, {
    code: 'server-cannot',
    fields: { what },
  })
}
