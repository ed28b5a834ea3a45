import { ConflictError, InvalidInputError } from '../../errors.ts'
import { checkName, checkSemanticVersion } from '../../paths.ts'
import { restPrefix } from '../../protocol/routes.ts'
import { KeptFiles } from '../experiments/kept-files.ts'
import { groupIn } from '../models/model-groups.ts'
import { idsOf, noVersion, parseItemId, parseModelId, parseModelPlace } from '../models/model-ids.ts'
import { type Model, type ModelPlace, Models, type ModelVersion, notFound } from '../models/models.ts'
import { required } from '../routes/query.ts'
import { json } from '../routes/reply.ts'
import type { Call, Router } from '../routes/router.ts'
import type { Services } from '../services.ts'
import { checkLabel, cometBody, saved } from './comet-calls.ts'
import type { CometShape } from './comet-shape.ts'

/** What registers models and versions of them, and changes and deletes them. */
export function cometModelWriteRoutes(router: Router, services: Services): void {
  const { options } = services
  const models = new Models(services.records)
  const keptFiles = new KeptFiles(options)

  const changeModel = (place: ModelPlace, change: (model: Model) => Model) =>
    models.change(place, (before) => ({ ...change(before ?? absent(place)), updatedAt: options.now() }))
  const changeItem = ({ version, ...place }: ModelPlace & { version: string }, change: ChangeVersion) =>
    changeModel(place, (model) => {
      if (!model.versions.some((one) => one.version === version)) throw noVersion(model, version)
      return { ...model, versions: model.versions.map((one) => (one.version === version ? change(one) : one)) }
    })

  for (const path of ['', '/item'])
    router.on('POST', `${restPrefix}/write/registry-model${path}`, async (call) => {
      // An item is one more version of a model that there is.
      return json(await register(call, services, { mayMake: path === '' }))
    })
  router.on('POST', `${restPrefix}/write/registry-model/update`, async (call) => {
    const shape = await cometBody(call)
    const place = parseModelPlace(shape.text('registryModelId'))
    call.access.require('writer', place.workspace)
    const [description, isPublic] = [shape.optionalText('description'), shape.optionalFlag('isPublic')]
    const name = shape.optionalText('registryModelName')
    if (description === undefined && isPublic === undefined && name === undefined)
      throw nothing('give a name, a description, or isPublic')
    const changed = await changeModel(place, (model) => ({
      ...model,
      ...(description !== undefined && { description }),
      ...(isPublic !== undefined && { public: isPublic }),
    }))
    if (name !== undefined && name !== changed.name) await rename(models, changed, checkName(name))
    return json(saved)
  })
  router.on('POST', `${restPrefix}/write/registry-model/notes`, async (call) => {
    const shape = await cometBody(call)
    const place = { workspace: checkName(shape.text('workspaceName'), 'workspace'), name: nameIn(shape) }
    call.access.require('writer', place.workspace)
    const notes = shape.text('notes')
    await changeModel(place, (model) => ({ ...model, notes }))
    return json(saved)
  })
  router.on('GET', `${restPrefix}/write/registry-model/delete`, async ({ access, query }) => {
    const workspace = checkName(required(query, 'workspaceName'), 'workspace')
    access.require('owner', workspace)
    const place = { workspace, name: checkName(required(query, 'modelName')) }
    let gone: readonly ModelVersion[] = []
    await models.change(place, (model) => {
      gone = (model ?? absent(place)).versions
      return undefined
    })
    for (const version of gone) await letGo(workspace, version)
    return json({ ...saved, msg: 'Deleted' })
  })
  router.on('POST', `${restPrefix}/write/registry-model/item/update`, async (call) => {
    const shape = await cometBody(call)
    const item = parseItemId(shape.text('registryModelItemId'))
    call.access.require('writer', item.workspace)
    const [comment, stages] = [shape.optionalText('comment'), stagesIn(shape)]
    if (comment === undefined && stages === undefined) throw nothing('give a comment, or stages')
    await changeItem(item, (one) => ({ ...one, ...(comment !== undefined && { comment }), ...(stages && { stages }) }))
    return json(saved)
  })
  router.on('GET', `${restPrefix}/write/registry-model/item/delete`, async ({ access, query }) => {
    const { version, ...place } = parseItemId(required(query, 'modelItemId'))
    access.require('owner', place.workspace)
    let gone: ModelVersion | undefined
    await changeModel(place, (model) => {
      gone = model.versions.find((one) => one.version === version)
      if (!gone) throw noVersion(model, version)
      return { ...model, versions: model.versions.filter((one) => one !== gone) }
    })
    if (gone) await letGo(place.workspace, gone)
    return json({ ...saved, msg: 'Deleted' })
  })
  const stageRoutes: readonly [path: string, change: (stages: readonly string[], stage: string) => string[]][] = [
    ['stage', (stages, stage) => [...new Set([...stages, stage])]],
    ['stage/delete', (stages, stage) => stages.filter((one) => one !== stage)],
  ]
  for (const [path, change] of stageRoutes)
    router.on('GET', `${restPrefix}/write/registry-model/item/${path}`, async ({ access, query }) => {
      const item = parseItemId(required(query, 'modelItemId'))
      access.require('writer', item.workspace)
      const stage = checkLabel(required(query, 'stage'), 'stage')
      await changeItem(item, (one) => ({ ...one, stages: change(one.stages, stage) }))
      return json(saved)
    })

  async function letGo(workspace: string, { experimentKey, kept }: ModelVersion): Promise<void> {
    // The bytes go with the experiment, or, where that is gone, with the next collection.
    if (kept !== undefined && !(await models.kept(workspace)).has(kept)) await keptFiles.letGo(experimentKey, kept)
  }
}

type ChangeVersion = (version: ModelVersion) => ModelVersion

async function register(call: Call, services: Services, { mayMake }: { mayMake: boolean }) {
  const { experiments, options, records, runs } = services
  const [models, keptFiles] = [new Models(records), new KeptFiles(options)]
  const shape = await cometBody(call)
  const { experimentKey, group } = parseModelId(shape.text('experimentModelId'))
  const { workspace } = await experiments.get(experimentKey)
  call.access.require('writer', workspace)
  const place = { workspace, name: nameIn(shape) }
  const now = options.now()
  const kept = options.randomId()
  const assets = groupIn((await runs.read(experimentKey)).assets.values(), group)
  const version: ModelVersion = {
    version: checkSemanticVersion(shape.optionalText('version') || '1.0.0'),
    experimentKey,
    group,
    assets,
    kept,
    comment: shape.optionalText('comment') ?? '',
    stages: stagesIn(shape) ?? [],
    createdAt: now,
  }
  const files = assets.map(({ file }) => file)
  await keptFiles.keep(experimentKey, { id: kept, workspace, files })
  try {
    // Who deleted one of them, or the experiment, before they were kept, may have deleted the bytes too.
    await experiments.get(experimentKey)
    const still = (await runs.read(experimentKey)).assets
    const lost = assets.find(({ id, file }) => still.get(id)?.file !== file)
    if (lost)
      throw new ConflictError(`'${lost.fileName}' was deleted while it was being registered. Try again.`, {
        code: 'asset-deleted',
        fields: { path: lost.fileName },
      })
    const model = await models.change(place, (before) => {
      if (!before && !mayMake) throw notFound(place)
      return withVersion(before ?? newModel(place, shape, now), version)
    })
    return idsOf(model, version.version)
  } catch (error) {
    // It may have come to be, and only the answer of the store was lost.
    if (!(await models.kept(workspace)).has(kept)) await keptFiles.letGo(experimentKey, kept)
    throw error
  }
}

/** The model is in both places for a moment, so that it is never in none. */
async function rename(models: Models, model: Model, name: string): Promise<void> {
  const { workspace } = model
  await models.change(model, async (before) => {
    const moved = { ...(before ?? absent(model)), name }
    await models.change({ workspace, name }, (there) => {
      // Our own copy, of an attempt that had to begin again.
      if (there && there.createdAt !== moved.createdAt)
        throw new ConflictError(`There is a model '${name}' in workspace '${workspace}' already.`, {
          code: 'model-exists',
          fields: { workspace, model: name },
        })
      return moved
    })
    return undefined
  })
}

function newModel(place: ModelPlace, shape: CometShape, now: number): Model {
  return {
    ...place,
    description: shape.optionalText('description') ?? '',
    notes: '',
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

function nameIn(shape: CometShape): string {
  return checkName(shape.text('registryModelName'))
}

function stagesIn(shape: CometShape): string[] | undefined {
  return shape.optionalTexts('stages')?.map((stage) => checkLabel(stage, 'stage'))
}

function absent(place: ModelPlace): never {
  throw notFound(place)
}

function nothing(what: string): InvalidInputError {
  return new InvalidInputError(`There is nothing to update: ${what}.`, { code: 'nothing-to-update' })
}
