import { NotFoundError } from '../../errors.ts'
import type { RunAsset } from '../experiments/run-state.ts'

// What Comet's clients call the assets of a model.
const modelAsset = 'model-element'

/** Assets of models, by the model. */
export function groupsOf(assets: Iterable<RunAsset>): Map<string, RunAsset[]> {
  const groups = new Map<string, RunAsset[]>()
  for (const asset of assets) {
    if (asset.type !== modelAsset || asset.grouping === undefined) continue
    groups.set(asset.grouping, [...(groups.get(asset.grouping) ?? []), asset])
  }
  return groups
}

/** @throws NotFoundError `model-not-found` */
export function groupIn(assets: Iterable<RunAsset>, group: string): RunAsset[] {
  return groupsOf(assets).get(group) ?? noGroup(group)
}

function noGroup(group: string): never {
  throw new NotFoundError(`The experiment has no model ${JSON.stringify(group.slice(0, 100))}.`, {
    code: 'model-not-found',
  })
}
