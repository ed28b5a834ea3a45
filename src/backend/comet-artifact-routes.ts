import { InvalidInputError } from '../errors.ts'
import { checkName, parseArtifactName } from '../paths.ts'
import { restPrefix } from '../protocol/routes.ts'
import type { JsonValue, Metadata } from '../protocol/shapes.ts'
import type { ResolvedVersion } from './artifacts.ts'
import { assetReply, assetToComet, readerOf } from './assets.ts'
import { readJson } from './body.ts'
import { saved } from './comet-experiment-routes.ts'
import { withAliases, withoutAliasesOf } from './heads.ts'
import { type ArtifactPlace, parseArtifactId, parseAssetId, parseVersionId } from './identifiers.ts'
import { optional, required } from './query.ts'
import { json } from './reply.ts'
import type { Router } from './router.ts'
import { checkAliases, checkTags } from './selector.ts'
import type { Services } from './services.ts'
import { isObject, requestShape, type Shape } from './shape.ts'

const largestBody = 4 * 1024 * 1024

/** Artifacts, as Comet's REST API v2 has them. */
export function cometArtifactRoutes(router: Router, services: Services): void {
  const { artifacts, experiments, options } = services

  router.on('GET', `${restPrefix}/artifacts/version`, async ({ query }) => {
    const resolved = await resolve(query, services)
    const consumer = optional(query, 'consumerExperimentKey')
    if (consumer !== undefined) {
      const { workspace, name, index } = resolved.held.record
      const { key } = await experiments.get(consumer)
      await experiments.addInput(key, { workspace, name, index, at: options.now() })
    }
    return json(versionToComet(resolved, artifacts.wire(resolved)))
  })
  router.on('GET', `${restPrefix}/artifacts/version/files`, async ({ query, request }) => {
    const { held } = await resolve(query, services)
    const files: object[] = []
    for await (const entry of readerOf(services, held).entries({ signal: request.signal }))
      files.push(assetToComet(held, entry))
    return json({ files })
  })
  router.on('GET', `${restPrefix}/experiment/asset/get-asset`, async ({ query, request }) => {
    const { index, path, ...place } = parseAssetId(required(query, 'assetId'))
    return assetReply(services, (await artifacts.resolve(place, index)).held, path, request)
  })
  router.on('POST', `${restPrefix}/write/artifacts/details`, async ({ request }) => {
    const shape = requestShape(await readJson(request, largestBody))
    const place = parseArtifactId(shape.text('artifactId'))
    const tags = textsOf(shape, 'tags')
    await artifacts.head(place)
    if (tags) await services.heads.change(place, (head) => ({ ...head, tags: checkTags(tags) }))
    return json(saved)
  })
  router.on('POST', `${restPrefix}/write/artifacts/version/labels`, async ({ request }) => {
    await changeLabels(requestShape(await readJson(request, largestBody)), services)
    return json(saved)
  })
}

/** Replaces what is given and leaves the rest. */
async function changeLabels(shape: Shape, { artifacts, heads, labels }: Services): Promise<void> {
  const { index, ...place } = parseVersionId(shape.text('artifactVersionId'))
  const [alias, tags] = [textsOf(shape, 'alias'), textsOf(shape, 'versionTags')]
  const metadata = metadataOf(shape)
  const aliases = alias && checkAliases(alias)
  const versionTags = tags && checkTags(tags)
  await artifacts.resolve(place, index)
  if (aliases)
    await heads.change(place, (head) => ({
      ...head,
      aliases: withAliases(withoutAliasesOf(head.aliases, index), index, aliases),
    }))
  if (versionTags || metadata)
    await labels.change(place, index, (now) => ({
      ...now,
      ...(versionTags && { versionTags }),
      ...(metadata && { metadata }),
    }))
}

/** The ways in which Comet's clients name a version: by ids, or by names, completed from the experiment. */
async function resolve(query: URLSearchParams, { artifacts, experiments }: Services): Promise<ResolvedVersion> {
  const versionId = optional(query, 'versionId') ?? optional(query, 'artifactVersionId')
  if (versionId !== undefined) {
    const { index, ...place } = parseVersionId(versionId)
    return artifacts.resolve(place, index)
  }
  const selector = optional(query, 'versionOrAlias') ?? optional(query, 'version') ?? optional(query, 'alias')
  const artifactId = optional(query, 'artifactId')
  if (artifactId !== undefined) return artifacts.resolve(parseArtifactId(artifactId), selector)
  const named = parseArtifactName(required(query, 'artifactName'))
  const workspace = optional(query, 'workspace') ?? named.workspace ?? (await workspaceOf(query, experiments))
  const place: ArtifactPlace = { workspace: checkName(workspace, 'workspace'), name: named.name }
  return artifacts.resolve(place, selector ?? named.versionOrAlias)
}

async function workspaceOf(query: URLSearchParams, experiments: Services['experiments']): Promise<string> {
  const key = optional(query, 'experimentKey') ?? optional(query, 'consumerExperimentKey')
  if (key !== undefined) return (await experiments.get(key)).workspace
  throw new InvalidInputError(
    "The request cannot be understood: neither 'workspace' nor 'experimentKey' says whose artifact it is.",
    {
      code: 'invalid-request',
    },
  )
}

function versionToComet({ held }: ResolvedVersion, wire: ReturnType<Services['artifacts']['wire']>): object {
  return {
    artifactVersionId: wire.versionId,
    artifactVersion: wire.version,
    alias: wire.aliases,
    tags: wire.versionTags,
    // A string that holds JSON: Comet's clients parse it themselves.
    metadata: wire.metadata ? JSON.stringify(wire.metadata) : null,
    sizeInBytes: wire.size,
    experimentKey: wire.experimentKey,
    state: wire.state,
    added: wire.createdAt,
    note: null,
    artifact: {
      artifactId: wire.artifactId,
      artifactName: wire.name,
      artifactType: wire.type,
      workspaceName: wire.workspace,
      tags: wire.artifactTags,
      description: wire.description,
      isPublic: false,
      s3FileSize: wire.size,
      experimentKey: held.record.content.experimentKey,
    },
    tidemark: wire,
  }
}

/** R writes a list of one as the one alone. */
function textsOf(shape: Shape, field: string): readonly string[] | undefined {
  const value = shape.raw(field)
  return typeof value === 'string' ? [value] : shape.optionalTexts(field)
}

function metadataOf(shape: Shape): Metadata | undefined {
  const text = shape.raw('versionMetadata')
  if (typeof text !== 'string') return shape.optionalObject('versionMetadata')
  let parsed: JsonValue
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new InvalidInputError("'versionMetadata' is not JSON.", { code: 'invalid-request', cause })
  }
  if (!isObject(parsed)) throw shape.refuse("'versionMetadata' is not an object")
  return requestShape({ metadata: parsed }).optionalObject('metadata')
}
