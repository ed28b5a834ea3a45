import { writeZip, type ZipSource } from '../codecs/zip-writer.ts'
import { ConflictError, InvalidInputError, isTidemarkError, NotFoundError } from '../errors.ts'
import { checkLogicalPath, checkName, checkSemanticVersion } from '../paths.ts'
import { fromBase64Url, toBase64Url } from '../protocol/base64.ts'
import { restPrefix } from '../protocol/routes.ts'
import { runAssetToComet } from './comet-asset-routes.ts'
import { askedExperiment, cometBody, saved } from './comet-calls.ts'
import type { CometShape } from './comet-shape.ts'
import { checkExperimentKey } from './experiments.ts'
import { Files } from './files.ts'
import { type Model, type ModelPlace, Models, type ModelVersion, notFound } from './models.ts'
import { optional, required } from './query.ts'
import { json, streamReply } from './reply.ts'
import type { Call, Router } from './router.ts'
import type { RunAsset } from './run-state.ts'
import type { Services } from './services.ts'

// What Comet's clients call the assets of a model.
const modelAsset = 'model-element'

/** Models of experiments, and the registry of those that have a name, as Comet's REST API v2 has them. */
export function cometModelRoutes(router: Router, services: Services): void {
  const { experiments, options, runs, workspaces } = services
  const models = new Models(services.records)

  router.on('GET', `${restPrefix}/experiment/model`, async (call) => {
    const { key, workspace } = await askedExperiment(services, call, 'reader')
    const groups = groupsOf((await runs.read(key)).assets.values())
    const registered = await models.list(workspace)
    return json({
      models: [...groups.keys()].map((group) => ({
        ...experimentModel(key, group),
        registryRecords: registered.flatMap((model) =>
          model.versions
            .filter((one) => one.experimentKey === key && one.group === group)
            .map((one) => ({
              ...idsOf(model, one.version),
              registryModelName: model.name,
              version: one.version,
              createdAt: one.createdAt,
            })),
        ),
      })),
    })
  })
  router.on('GET', `${restPrefix}/experiment/model/download`, async (call) => {
    const { key } = await askedExperiment(services, call, 'reader')
    const group = required(call.query, 'modelName')
    const assets = groupsOf((await runs.read(key)).assets.values()).get(group) ?? noGroup(group)
    return modelReply(services, key, assets, group, call.request)
  })
  router.on('GET', `${restPrefix}/registry-model`, async ({ access, query }) => {
    const workspace = checkName(required(query, 'workspaceName'), 'workspace')
    access.require('reader', workspace)
    await workspaces.assertThere(workspace, access)
    const registryModels = (await models.list(workspace)).map((model) => ({
      ...overviewOf(model),
      numberOfVersions: model.versions.length,
      lastVersion: model.versions.at(-1)?.version ?? null,
    }))
    return json({ registryModels })
  })
  router.on('GET', `${restPrefix}/registry-model/details`, async (call) => {
    const model = await modelIn(call, models)
    const versions = await Promise.all(
      model.versions.toReversed().map(async (one) => ({
        registryModelItemId: idsOf(model, one.version).registryModelItemId,
        experimentModel: experimentModel(one.experimentKey, one.group),
        version: one.version,
        comment: one.comment,
        stages: one.stages,
        userName: model.workspace,
        createdAt: one.createdAt,
        lastUpdated: one.createdAt,
        assets: (await assetsOf(services, one)).map((asset) => runAssetToComet(one.experimentKey, asset)),
      })),
    )
    return json({ ...overviewOf(model), versions })
  })
  router.on('GET', `${restPrefix}/registry-model/item/download`, async (call) => {
    const model = await modelIn(call, models)
    const [version, stage] = [optional(call.query, 'version'), optional(call.query, 'stage')]
    const found = model.versions.findLast(
      (one) =>
        (version === undefined || one.version === version) && (stage === undefined || one.stages.includes(stage)),
    )
    if (!found) throw noVersion(model, version ?? stage ?? '')
    const assets = await assetsOf(services, found)
    return modelReply(services, found.experimentKey, assets, `${model.name}-${found.version}`, call.request)
  })
  for (const path of ['', '/item'])
    router.on('POST', `${restPrefix}/write/registry-model${path}`, async (call) => {
      const shape = await cometBody(call)
      const { experimentKey, group } = parseModelId(shape.text('experimentModelId'))
      const { workspace } = await experiments.get(experimentKey)
      call.access.require('writer', workspace)
      const place = { workspace, name: checkName(shape.text('registryModelName')) }
      const assets = groupsOf((await runs.read(experimentKey)).assets.values()).get(group) ?? noGroup(group)
      const now = options.now()
      const version: ModelVersion = {
        version: checkSemanticVersion(shape.optionalText('version') || '1.0.0'),
        experimentKey,
        group,
        assets: assets.map(({ id }) => id),
        comment: shape.optionalText('comment') ?? '',
        stages: shape.optionalTexts('stages') ?? [],
        createdAt: now,
      }
      // An item is one more version of a model that there is.
      const model = await models.change(place, (before) => {
        if (!before && path !== '') throw notFound(place)
        return withVersion(before ?? newModel(place, shape, now), version)
      })
      return json(idsOf(model, version.version))
    })
  router.on('POST', `${restPrefix}/write/registry-model/update`, async (call) => {
    const shape = await cometBody(call)
    const place = parseModelPlace(shape.text('registryModelId'))
    call.access.require('writer', place.workspace)
    const [description, isPublic] = [shape.optionalText('description'), shape.optionalFlag('isPublic')]
    if (description === undefined && isPublic === undefined)
      throw new InvalidInputError('There is nothing to update: give a description, or isPublic.', {
        code: 'nothing-to-update',
      })
    await models.change(place, (before) => {
      if (!before) throw notFound(place)
      return {
        ...before,
        ...(description !== undefined && { description }),
        ...(isPublic !== undefined && { public: isPublic }),
        updatedAt: options.now(),
      }
    })
    return json(saved)
  })
}

function newModel(place: ModelPlace, shape: CometShape, now: number): Model {
  const description = shape.optionalText('description') ?? ''
  return {
    ...place,
    description,
    public: shape.optionalFlag('isPublic') ?? false,
    createdAt: now,
    updatedAt: now,
    versions: [],
  }
}

function withVersion(model: Model, version: ModelVersion): Model {
  if (model.versions.some((one) => one.version === version.version))
    throw new ConflictError(`The model '${model.name}' has a version ${version.version} already.`, {
      code: 'model-version-exists',
      fields: { model: model.name, version: version.version },
    })
  return { ...model, versions: [...model.versions, version], updatedAt: version.createdAt }
}

/** Assets of models, by the model. */
function groupsOf(assets: Iterable<RunAsset>): Map<string, RunAsset[]> {
  const groups = new Map<string, RunAsset[]>()
  for (const asset of assets) {
    if (asset.type !== modelAsset || asset.grouping === undefined) continue
    groups.set(asset.grouping, [...(groups.get(asset.grouping) ?? []), asset])
  }
  return groups
}

/** The assets of a version that are still there: an experiment takes its assets with it when it is deleted. */
async function assetsOf({ experiments, runs }: Services, { experimentKey, assets }: ModelVersion): Promise<RunAsset[]> {
  if (!(await experiments.find(experimentKey))) return []
  const there = (await runs.read(experimentKey)).assets
  return assets.map((id) => there.get(id)).filter((one) => one !== undefined)
}

async function modelIn({ access, query }: Call, models: Models): Promise<Model> {
  const workspace = checkName(required(query, 'workspaceName'), 'workspace')
  access.require('reader', workspace)
  return models.get({ workspace, name: checkName(required(query, 'modelName')) })
}

/** Its files as a zip, made while it is sent. What is only linked is left out. */
function modelReply(
  { options }: Services,
  experiment: string,
  assets: readonly RunAsset[],
  name: string,
  { signal }: Request,
): Promise<Response> {
  const files = new Files(options.blobs)
  // Of two with one name the newer.
  const byPath = new Map(assets.filter(({ link }) => link === null).map((asset) => [pathOf(asset), asset]))
  async function* sources(): AsyncGenerator<ZipSource> {
    for (const [path, asset] of byPath)
      yield {
        path,
        size: asset.size,
        body: files.read(experiment, asset.file, asset, { start: 0, end: asset.size, signal }),
      }
  }
  return streamReply(writeZip(sources()), 200, {
    'content-type': 'application/zip',
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(`${name}.zip`)}`,
  })
}

/** Names of assets of experiments are free; in a zip none may lead out of the folder it is unpacked in. */
function pathOf({ id, fileName }: RunAsset): string {
  try {
    return checkLogicalPath(fileName)
  } catch (error) {
    if (isTidemarkError(error)) return id
    throw error
  }
}

function overviewOf(model: Model) {
  return {
    registryModelId: toBase64Url(`${model.workspace}/${model.name}`),
    modelName: model.name,
    description: model.description,
    isPublic: model.public,
    createdAt: model.createdAt,
    lastUpdated: model.updatedAt,
    userName: model.workspace,
  }
}

function idsOf({ workspace, name }: ModelPlace, version: string) {
  return {
    registryModelId: toBase64Url(`${workspace}/${name}`),
    registryModelItemId: toBase64Url(`${workspace}/${name}/${version}`),
  }
}

function experimentModel(experimentKey: string, modelName: string) {
  return { experimentModelId: toBase64Url(`${experimentKey}/${modelName}`), experimentKey, modelName }
}

function parseModelId(id: string): { experimentKey: string; group: string } {
  const text = fromBase64Url(id)
  const slash = text.indexOf('/')
  if (slash <= 0) throw new InvalidInputError('That is not the id of a model.', { code: 'invalid-id' })
  return { experimentKey: checkExperimentKey(text.slice(0, slash)), group: text.slice(slash + 1) }
}

function parseModelPlace(id: string): ModelPlace {
  const [workspace, name, ...rest] = fromBase64Url(id).split('/')
  if (name === undefined || rest.length > 0)
    throw new InvalidInputError('That is not the id of a registered model.', { code: 'invalid-id' })
  return { workspace: checkName(workspace, 'workspace'), name: checkName(name) }
}

function noGroup(group: string): never {
  throw new NotFoundError(`The experiment has no model ${JSON.stringify(group.slice(0, 100))}.`, {
    code: 'model-not-found',
  })
}

function noVersion({ name }: Model, asked: string): NotFoundError {
  return new NotFoundError(`The model '${name}' has no version ${asked.slice(0, 100)}.`, { code: 'model-not-found' })
}
