import { CorruptionError, isTidemarkError, type TidemarkError } from '../../errors.ts'
import { routes } from '../../protocol/routes.ts'
import type { ArtifactWire, VersionWire } from '../../protocol/shapes.ts'
import type { Connection } from '../connection.ts'
import { pages } from '../pages.ts'
import { placeOf } from '../place-of.ts'
import { type VerifyOptions, type VerifyReport, verifyStored } from '../verify.ts'
import { needOwnRoutes } from '../versions/open-version.ts'
import { readVersion } from '../versions/packed-version.ts'
import { findVersion } from '../versions.ts'

/** What the verification of one version found. */
export interface VersionVerification extends VerifyReport {
  readonly workspace: string
  readonly name: string
  readonly index: number
  /** Semantic version; empty when the record that says it is damaged. */
  readonly version: string
}

/** Verifies a version (`name:v3`), an artifact (`name`) or, without a name, all there is. */
export async function* verifyNamed(
  connection: Connection,
  name: string | undefined,
  options: VerifyOptions,
): AsyncGenerator<VersionVerification> {
  const { api, workspace } = connection
  const { signal } = options
  await needOwnRoutes(connection, 'verifying many versions', signal)
  if (name === undefined) {
    for await (const one of pages<ArtifactWire>(api, routes.artifacts(), { signal }))
      yield* verifyVersions(connection, one.workspace, one.name, options)
    return
  }
  const place = placeOf(name, {}, workspace)
  if (place.select === undefined) yield* verifyVersions(connection, place.workspace, place.name, options)
  else yield await verifyVersion(connection, await findVersion(api, place, signal), options)
}

/** Verifies one version; a damaged list of assets is reported like any other damage, under the path `''`. */
async function verifyVersion(
  { api }: Connection,
  wire: VersionWire,
  options: VerifyOptions,
): Promise<VersionVerification> {
  const { workspace, name, index, version } = wire
  return { workspace, name, index, version, ...(await report(readVersion(api, wire), options)) }
}

/** Verifies every version of an artifact, newest first. One whose record is damaged is reported, and keeps nobody from looking at the others. */
async function* verifyVersions(
  connection: Connection,
  workspace: string,
  name: string,
  options: VerifyOptions,
): AsyncGenerator<VersionVerification> {
  const { api } = connection
  const { signal } = options
  let verified = Number.POSITIVE_INFINITY
  try {
    for await (const wire of pages<VersionWire>(api, routes.versions(workspace, name), { signal })) {
      yield await verifyVersion(connection, wire, options)
      verified = wire.index
    }
    return
  } catch (error) {
    if (!isDamage(error)) throw error
  }
  // A page of a list is given whole or not at all: one by one, the damaged ones show.
  const { versions, next = versions } = await api.json<ArtifactWire>('GET', routes.artifact(workspace, name), {
    signal,
  })
  for (let index = Math.min(next, verified) - 1; index >= 0; index--) {
    try {
      const wire = await api.json<VersionWire>('GET', routes.version(workspace, name, index), { signal })
      yield await verifyVersion(connection, wire, options)
    } catch (error) {
      if (isDamage(error)) yield { workspace, name, index, version: '', ...unreadable(error) }
      else if (!isTidemarkError(error) || error.code !== 'version-not-found') throw error
    }
  }
}

async function report(reader: ReturnType<typeof readVersion>, options: VerifyOptions): Promise<VerifyReport> {
  try {
    return await verifyStored(reader, options)
  } catch (error) {
    if (isDamage(error)) return unreadable(error)
    throw error
  }
}

function isDamage(error: unknown): error is TidemarkError {
  return isTidemarkError(error) && (error instanceof CorruptionError || error.code === 'pack-missing')
}

function unreadable({ code, message }: TidemarkError): VerifyReport {
  return {
    ok: false,
    files: 0,
    bytes: 0,
    damaged: [{ path: '', code, message }],
    missing: [],
    different: [],
    extra: [],
  }
}
