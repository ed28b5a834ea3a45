import { writeZip, type ZipSource } from '../../codecs/zip/zip-writer.ts'
import { isTidemarkError } from '../../errors.ts'
import { checkLogicalPath, checkName } from '../../paths.ts'
import { toBase64Url } from '../../protocol/base64.ts'
import { restPrefix } from '../../protocol/routes.ts'
import { Files } from '../experiments/files.ts'
import type { RunAsset } from '../experiments/run-state.ts'
import { groupIn, groupsOf } from '../models/model-groups.ts'
import { experimentModel, idsOf, noVersion } from '../models/model-ids.ts'
import { type Model, Models, type ModelVersion } from '../models/models.ts'
import { Workspaces } from '../projects/workspaces.ts'
import { streamReply } from '../routes/bytes-reply.ts'
import { optional, required } from '../routes/query.ts'
import { json } from '../routes/reply.ts'
import type { Call, Router } from '../routes/router.ts'
import type { Services } from '../services.ts'
import { runAssetToComet } from './comet-asset-routes.ts'
import { askedExperiment } from './comet-calls.ts'
import { cometModelWriteRoutes } from './comet-model-write-routes.ts'

/** Models of experiments, and the registry of those that have a name, as Comet's REST API v2 has them. */
export function cometModelRoutes(router: Router, services: Services): void {
  const { runs } = services
  const workspaces = new Workspaces(services)
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
    return modelReply(services, key, groupIn((await runs.read(key)).assets.values(), group), group, call.request)
  })
  router.on('GET', `${restPrefix}/experiment/model/asset/list`, async (call) => {
    const { key } = await askedExperiment(services, call, 'reader')
    const assets = groupIn((await runs.read(key)).assets.values(), required(call.query, 'modelName'))
    return json({ assets: assets.map((asset) => runAssetToComet(key, asset)) })
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
  router.on('GET', `${restPrefix}/registry-model/count`, async ({ access, query }) => {
    const workspace = checkName(required(query, 'workspaceName'), 'workspace')
    access.require('reader', workspace)
    await workspaces.assertThere(workspace, access)
    return json({ registryModelCount: (await models.list(workspace)).length })
  })
  router.on('GET', `${restPrefix}/registry-model/notes`, async (call) =>
    json({ notes: (await modelIn(call, models)).notes }),
  )
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
  cometModelWriteRoutes(router, services)
}

/** Versions of before 0.1.0 know their assets by id alone: the experiment took them with it when it was deleted. */
async function assetsOf({ experiments, runs }: Services, { experimentKey, assets }: ModelVersion): Promise<RunAsset[]> {
  const known = assets.filter((one) => typeof one !== 'string')
  if (known.length === assets.length || !(await experiments.find(experimentKey))) return known
  const there = (await runs.read(experimentKey)).assets
  return assets.map((one) => (typeof one === 'string' ? there.get(one) : one)).filter((one) => one !== undefined)
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
