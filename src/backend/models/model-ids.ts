import { InvalidInputError, NotFoundError } from '../../errors.ts'
import { checkName } from '../../paths.ts'
import { fromBase64Url, toBase64Url } from '../../protocol/base64.ts'
import { checkExperimentKey } from '../experiments/experiments.ts'
import type { ModelPlace } from './models.ts'

export function idsOf({ workspace, name }: ModelPlace, version: string) {
  return {
    registryModelId: toBase64Url(`${workspace}/${name}`),
    registryModelItemId: toBase64Url(`${workspace}/${name}/${version}`),
  }
}

export function experimentModel(experimentKey: string, modelName: string) {
  return { experimentModelId: toBase64Url(`${experimentKey}/${modelName}`), experimentKey, modelName }
}

export function parseModelId(id: string): { experimentKey: string; group: string } {
  const text = fromBase64Url(id)
  const slash = text.indexOf('/')
  if (slash <= 0) throw new InvalidInputError('That is not the id of a model.', { code: 'invalid-id' })
  return { experimentKey: checkExperimentKey(text.slice(0, slash)), group: text.slice(slash + 1) }
}

export function parseModelPlace(id: string): ModelPlace {
  const [workspace, name, ...rest] = fromBase64Url(id).split('/')
  if (name === undefined || rest.length > 0)
    throw new InvalidInputError('That is not the id of a registered model.', { code: 'invalid-id' })
  return { workspace: checkName(workspace, 'workspace'), name: checkName(name) }
}

/** A version of a registered model. */
export function parseItemId(id: string): ModelPlace & { readonly version: string } {
  const [workspace, name, version, ...rest] = fromBase64Url(id).split('/')
  if (version === undefined || rest.length > 0)
    throw new InvalidInputError('That is not the id of a version of a registered model.', { code: 'invalid-id' })
  return { workspace: checkName(workspace, 'workspace'), name: checkName(name), version }
}

export function noVersion({ name }: ModelPlace, asked: string): NotFoundError {
  return new NotFoundError(`The model '${name}' has no version ${asked.slice(0, 100)}.`, { code: 'model-not-found' })
}
