import { isTidemarkError } from '../../errors.ts'
import { restPrefix } from '../../protocol/routes.ts'
import type { Api } from '../api.ts'
import { type UploadRequest, usualType } from '../upload.ts'
import { openCometVersionById } from './comet-version.ts'
import { cometVersions, isOpen } from './comet-versions.ts'

type Request = UploadRequest & { readonly experimentKey: string }

interface Upserted {
  readonly artifactVersionId: string
}

/** What this process began on a server: whose answers came, and how many of an artifact are under way. */
interface Begun {
  readonly known: Set<string>
  readonly underWay: Map<string, number>
}

const begunOn = new WeakMap<Api, Begun>()

/** Begins a version, and gives its id. When only the answer was lost, the version that was begun is taken, not another one. */
export async function upsertComet(
  api: Api,
  request: Request,
  knownType: string | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { name, type, about, experimentKey } = request
  const { aliases, versionTags, version, metadata, description } = about
  const body = {
    experimentKey,
    artifactName: name,
    artifactType: type ?? knownType ?? usualType,
    ...(aliases && { alias: aliases }),
    ...(versionTags && { versionTags }),
    ...(version !== undefined && { version }),
    ...(metadata && { versionMetadata: JSON.stringify(metadata) }),
    ...(description !== undefined && { description }),
  }
  const begun = begunOn.get(api) ?? { known: new Set(), underWay: new Map() }
  begunOn.set(api, begun)
  const count = (change: number) => begun.underWay.set(name, (begun.underWay.get(name) ?? 0) + change)
  count(1)
  try {
    const { artifactVersionId } = await api.json<Upserted>('POST', `${restPrefix}/write/artifacts/upsert`, {
      body,
      signal,
      // Of two at once nobody could tell whose it is.
      arrived: async () => (begun.underWay.get(name) === 1 ? findBegun(api, request, begun.known, signal) : undefined),
    })
    begun.known.add(artifactVersionId)
    return artifactVersionId
  } finally {
    count(-1)
  }
}

/** A version that is open, has nothing in it, and says of itself what ours does. */
async function findBegun(
  api: Api,
  { workspace, name, about, experimentKey }: Request,
  known: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<Upserted | undefined> {
  const versions = await listed(api, { workspace, name }, signal)
  for (const one of [...versions].reverse()) {
    const { artifactVersionId } = one
    if (artifactVersionId === undefined || known.has(artifactVersionId) || !isOpen(one)) continue
    const { wire } = await openCometVersionById(api, artifactVersionId, { experimentKey, known: versions, signal })
    const same =
      wire.experimentKey === experimentKey &&
      wire.count === 0 &&
      (about.version === undefined || wire.version === about.version) &&
      isEqual(wire.aliases, about.aliases ?? []) &&
      isEqual(wire.versionTags, about.versionTags ?? []) &&
      isEqual(wire.metadata ?? {}, about.metadata ?? {})
    if (same) return { artifactVersionId }
  }
  return undefined
}

async function listed(api: Api, place: { workspace: string; name: string }, signal: AbortSignal | undefined) {
  try {
    return (await cometVersions(api, place, signal)) ?? []
  } catch (error) {
    if (isTidemarkError(error) && error.code === 'version-not-found') return []
    throw error
  }
}

function isEqual(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
