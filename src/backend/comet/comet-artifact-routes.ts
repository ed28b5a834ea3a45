import { InvalidInputError } from '../../errors.ts'
import { checkName, checkSemanticVersion, comparePaths, parseArtifactName } from '../../paths.ts'
import { restPrefix } from '../../protocol/routes.ts'
import type { Metadata, VersionWire } from '../../protocol/shapes.ts'
import { ArtifactLists } from '../artifacts/artifact-lists.ts'
import type { ResolvedVersion } from '../artifacts/artifacts.ts'
import { assetReply, assetToComet, entryReply, readerOf } from '../artifacts/assets.ts'
import { withAliases, withoutAliasesOf } from '../artifacts/heads.ts'
import { Labels } from '../artifacts/labels.ts'
import { OpenAssets } from '../artifacts/open-assets.ts'
import { OpenVersions } from '../artifacts/open-versions.ts'
import { checkAliases, checkTags } from '../artifacts/selector.ts'
import type { DraftVersion } from '../artifacts/versions.ts'
import { type ArtifactPlace, artifactIdOf, versionIdOf } from '../identifiers.ts'
import { optional, required } from '../routes/query.ts'
import { json } from '../routes/reply.ts'
import type { Call, Router } from '../routes/router.ts'
import { zipReply } from '../routes/zip-reply.ts'
import type { Services } from '../services.ts'
import type { Shape } from '../shape.ts'
import { cometArtifactListRoutes, latestAlias } from './comet-artifact-list-routes.ts'
import { runAssetReply } from './comet-asset-routes.ts'
import { askedExperiment, cometBody, saved, writtenExperiment } from './comet-calls.ts'
import { metadataOfText, metadataText } from './comet-metadata.ts'
import { parseArtifactId, parseAssetId, parseVersionId } from './parse-identifiers.ts'

/** Artifacts, as Comet's REST API v2 has them. */
export function cometArtifactRoutes(router: Router, services: Services): void {
  const { artifacts, experiments, lineage, options } = services
  const labels = new Labels(services)
  const lists = new ArtifactLists(services)
  const openAssets = new OpenAssets(services)
  const openVersions = new OpenVersions(services, openAssets)

  router.on('GET', `${restPrefix}/artifacts/version`, async (call) => {
    const { access, query } = call
    const draft = await draftOf(call, openVersions)
    if (draft) return json(versionToComet(await lists.draftWire(draft), false))
    const resolved = await resolve(call, services)
    const consumer = optional(query, 'consumerExperimentKey')
    if (consumer !== undefined) {
      const { workspace, name, index } = resolved.held.record
      const experiment = await experiments.get(consumer)
      access.require('writer', experiment.workspace)
      await lineage.addInput(experiment.key, { workspace, name, index, at: options.now() })
    }
    const { held, head, labels } = resolved
    const isLatest = head.latest === held.record.index && !labels.aliased
    return json(versionToComet(artifacts.wire(resolved), isLatest))
  })
  router.on('GET', `${restPrefix}/artifacts/version/files`, async (call) => {
    const draft = await draftOf(call, openVersions)
    if (draft) {
      const { record } = draft
      const sent = await openAssets.list(record, record.index)
      const entries = sent.map(({ entry }) => entry).sort((a, b) => comparePaths(a.path, b.path))
      return json({ files: entries.map((entry) => assetToComet(record, entry)) })
    }
    const { held } = await resolve(call, services)
    const files: object[] = []
    for await (const entry of readerOf(services, held).entries({ signal: call.request.signal }))
      files.push(assetToComet(held.record, entry))
    return json({ files })
  })
  router.on('GET', `${restPrefix}/artifacts/version/download`, async (call) => {
    const { held } = await resolve(call, services)
    return zipReply(services, held, call.request)
  })
  router.on('GET', `${restPrefix}/experiment/asset/get-asset`, async (call) => {
    const { query, request, access } = call
    const id = required(query, 'assetId')
    // Ids of assets of versions have dots in them, those of experiments none.
    if (!id.includes('.')) {
      const { key } = await askedExperiment(services, call, 'reader')
      return runAssetReply(services, key, id, request)
    }
    const { index, path, ...place } = parseAssetId(id)
    access.require('reader', place.workspace)
    if (await openVersions.find(place, index)) {
      const sent = await openAssets.find(place, index, path)
      if (sent) return entryReply(sent.reader, sent.entry, request)
    }
    return assetReply(services, (await artifacts.resolve(place, index)).held, path, request)
  })
  router.on('POST', `${restPrefix}/write/artifacts/upsert`, async (call) => {
    const shape = await cometBody(call)
    const { key, workspace, project } = await writtenExperiment(services, call, shape)
    const metadata = metadataOf(shape)
    const version = shape.optionalText('version') || undefined
    const description = shape.optionalText('description') ?? null
    const place = { workspace, name: checkName(shape.text('artifactName')) }
    const { record, previous } = await openVersions.begin(place, {
      type: checkName(shape.optionalText('artifactType') || usualType, 'type'),
      aliases: checkAliases(shape.optionalTexts('alias') ?? []),
      versionTags: checkTags(shape.optionalTexts('versionTags') ?? []),
      metadata: metadata ?? null,
      description,
      experimentKey: key,
      project,
      ...(version !== undefined && { version: checkSemanticVersion(version) }),
    })
    return json({
      artifactId: artifactIdOf(place),
      artifactVersionId: versionIdOf(place, record.index),
      currentVersion: record.version,
      previousVersion: previous,
    })
  })
  router.on('POST', `${restPrefix}/write/artifacts/state`, async (call) => {
    const shape = await cometBody(call)
    const { index, ...place } = parseVersionId(shape.text('artifactVersionId'))
    call.access.require('writer', place.workspace)
    const state = states.get(shape.optionalText('state') ?? '')
    if (state === undefined)
      throw new InvalidInputError("The state of a version is OPEN, CLOSED or ERROR: 'state' is none of these.", {
        code: 'invalid-state',
      })
    const { record } = await openVersions.expect(place, index)
    if (state === 'ERROR') await openVersions.giveUp(place, index)
    if (state === 'CLOSED') {
      await openVersions.close(place, index)
      const { experimentKey } = record.draft.content
      const made = { workspace: place.workspace, name: place.name, index, at: options.now() }
      if (experimentKey !== null) await lineage.addOutput(experimentKey, made)
    }
    return json(saved)
  })
  router.on('POST', `${restPrefix}/write/artifacts/details`, async (call) => {
    const shape = await cometBody(call)
    const place = parseArtifactId(shape.text('artifactId'))
    call.access.require('writer', place.workspace)
    const given = shape.optionalTexts('tags')
    const [type, description] = [shape.optionalText('artifactType'), shape.optionalText('description')]
    const changes = {
      ...(given && { tags: checkTags(given) }),
      ...(type && { type: checkName(type, 'type') }),
      ...(description !== undefined && { description }),
    }
    // Of one version, where it is named.
    const [version, metadata] = [shape.optionalText('version'), metadataOf(shape)]
    const named = version && metadata ? (await artifacts.resolve(place, version)).held.record : undefined
    // All that can be refused was looked at.
    await artifacts.head(place)
    if (Object.keys(changes).length > 0) await services.heads.change(place, (head) => ({ ...head, ...changes }))
    if (named && metadata) await labels.change(place, named.index, (now) => ({ ...now, metadata }))
    return json(saved)
  })
  router.on('POST', `${restPrefix}/write/artifacts/version/labels`, async (call) => {
    const shape = await cometBody(call)
    const { index, ...place } = parseVersionId(shape.text('artifactVersionId'))
    call.access.require('writer', place.workspace)
    await changeLabels(shape, place, index, { ...services, labels, openVersions })
    return json(saved)
  })
  cometArtifactListRoutes(router, services)
}

const states = new Map([
  ['OPEN', 'OPEN'],
  ['CLOSED', 'CLOSED'],
  ['ERROR', 'ERROR'],
  // As Java numbers them.
  ['0', 'OPEN'],
  ['1', 'CLOSED'],
  ['2', 'ERROR'],
])

// Python's default.
const usualType = 'data'

/** Replaces what is given and leaves the rest. */
async function changeLabels(
  shape: Shape,
  place: ArtifactPlace,
  index: number,
  { artifacts, heads, labels, openVersions }: Services & { labels: Labels; openVersions: OpenVersions },
): Promise<void> {
  const [alias, tags] = [shape.optionalTexts('alias'), shape.optionalTexts('versionTags')]
  const metadata = metadataOf(shape)
  const aliases = alias && checkAliases(alias)
  const versionTags = tags && checkTags(tags)
  if ((await openVersions.find(place, index))?.record.draft.state === 'OPEN')
    return openVersions.change(place, index, (content) => ({
      ...content,
      ...(aliases && { aliases }),
      ...(versionTags && { versionTags }),
      ...(metadata && { metadata }),
    }))
  await artifacts.resolve(place, index)
  if (aliases)
    await heads.change(place, (head) => ({
      ...head,
      aliases: withAliases(withoutAliasesOf(head.aliases, index), index, aliases),
    }))
  if (versionTags || metadata || aliases)
    await labels.change(place, index, (now) => ({
      ...now,
      ...(versionTags && { versionTags }),
      ...(metadata && { metadata }),
      ...(aliases && { aliased: true }),
    }))
}

/** A version that is asked for by its id while it is open: its maker reads it back at once. */
async function draftOf({ query, access }: Call, openVersions: OpenVersions): Promise<DraftVersion | undefined> {
  const id = versionIdIn(query)
  if (id === undefined) return undefined
  const { index, ...place } = parseVersionId(id)
  access.require('reader', place.workspace)
  const found = await openVersions.find(place, index)
  return found?.record.draft.state === 'OPEN' ? found : undefined
}

function versionIdIn(query: URLSearchParams): string | undefined {
  return optional(query, 'versionId') ?? optional(query, 'artifactVersionId')
}

/** The ways in which Comet's clients name a version: by ids, or by names, completed from the experiment. */
async function resolve({ query, access }: Call, { artifacts, experiments }: Services): Promise<ResolvedVersion> {
  const versionId = versionIdIn(query)
  const find = (place: ArtifactPlace, selector?: string | number) => {
    access.require('reader', place.workspace)
    return artifacts.resolve(place, selector)
  }
  if (versionId !== undefined) {
    const { index, ...place } = parseVersionId(versionId)
    return find(place, index)
  }
  const selector = optional(query, 'versionOrAlias') ?? optional(query, 'version') ?? optional(query, 'alias')
  const artifactId = optional(query, 'artifactId') ?? optional(query, 'artifact_id')
  if (artifactId !== undefined) return find(parseArtifactId(artifactId), selector)
  const named = parseArtifactName(required(query, 'artifactName'))
  const workspace = optional(query, 'workspace') ?? named.workspace ?? (await workspaceOf(query, experiments))
  return find({ workspace: checkName(workspace, 'workspace'), name: named.name }, selector ?? named.versionOrAlias)
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

function versionToComet(wire: VersionWire, isLatest: boolean): object {
  return {
    artifactVersionId: wire.versionId,
    artifactVersion: wire.version,
    alias: isLatest ? [...wire.aliases, latestAlias] : wire.aliases,
    tags: wire.versionTags,
    metadata: metadataText(wire.metadata),
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
      experimentKey: wire.experimentKey,
    },
    tidemark: wire,
  }
}

function metadataOf(shape: Shape): Metadata | undefined {
  const text = shape.raw('versionMetadata')
  if (typeof text !== 'string') return shape.optionalObject('versionMetadata')
  return metadataOfText(text, 'versionMetadata') ?? {}
}
