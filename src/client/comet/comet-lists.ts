import { UnsupportedError } from '../../errors.ts'
import { restPrefix } from '../../protocol/routes.ts'
import type { ArtifactWire } from '../../protocol/shapes.ts'
import type { Api } from '../api.ts'
import type { Connection } from '../connection.ts'
import type { OpenedVersion } from '../versions/open-version.ts'
import type { VersionPlace } from '../versions.ts'
import { openCometVersion } from './comet-version.ts'
import { cometVersions, isClosed } from './comet-versions.ts'

// What these lists hold is published; their addresses are those that Comet's page asks for.

interface CometArtifact {
  readonly artifactId: string
  readonly name: string
  readonly type: string
  readonly description?: string | null
  readonly tags?: readonly string[] | null
  readonly versionsCount?: number
}

/** The artifacts of a workspace. Which aliases are where, and the index of the latest, are not known of a server that does not say. */
export async function listCometArtifacts(
  { api, workspace: usual }: Connection,
  { workspace = usual, type, signal }: { workspace?: string; type?: string; signal?: AbortSignal },
): Promise<ArtifactWire[]> {
  const { artifacts } = await api.json<{ artifacts: readonly CometArtifact[] }>(
    'GET',
    `${restPrefix}/artifacts/get-all`,
    { search: { workspace }, signal },
  )
  return artifacts
    .filter((one) => type === undefined || one.type === type)
    .map(({ artifactId, name, type: itsType, description, tags, versionsCount }) => ({
      artifactId,
      workspace,
      name,
      type: itsType,
      description: description ?? null,
      tags: tags ?? [],
      aliases: {},
      latest: null,
      versions: versionsCount ?? 0,
    }))
}

/** The closed versions of an artifact, newest first. */
export async function* listCometVersions(
  api: Api,
  { workspace, name }: VersionPlace,
  signal: AbortSignal | undefined,
): AsyncGenerator<OpenedVersion> {
  const known = await cometVersions(api, { workspace, name }, signal)
  if (!known)
    throw new UnsupportedError(
      `This server does not list the versions of ${name}: ask for one by its number or alias.`,
      {
        code: 'server-cannot',
      },
    )
  for (const { version } of known.filter(isClosed).reverse())
    yield await openCometVersion(api, { workspace, name, select: version }, { known, signal })
}
