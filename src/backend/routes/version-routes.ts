import { checkName } from '../../paths.ts'
import { routes } from '../../protocol/routes.ts'
import type { Role } from '../access.ts'
import { parseCommit } from '../artifacts/commit-request.ts'
import { checkExperimentKey } from '../experiments/experiments.ts'
import type { ArtifactPlace } from '../identifiers.ts'
import type { Services } from '../services.ts'
import { readJson } from './body.ts'
import { assertQuery, limitOf, wholeNumber } from './query.ts'
import { json } from './reply.ts'
import type { Call, Router } from './router.ts'

// A list of the packs of a terabyte, and metadata beside it.
const largestCommit = 16 * 1024 * 1024

const largestIndex = 9_999_999_999

/** Versions: the one that is asked for, all of them, and new ones. */
export function versionRoutes(router: Router, services: Services): void {
  const { artifacts } = services
  const versions = `${routes.artifacts()}/:workspace/:name/versions`

  router.on('GET', versions, async (call) => {
    const { query } = call
    assertQuery(query, ['select', 'after', 'limit'])
    const place = placeOf(call, 'reader')
    const select = query.get('select')
    if (select !== null) return json(artifacts.wire(await artifacts.resolve(place, select)))
    const { ArtifactLists } = await import('../artifacts/artifact-lists.ts')
    const lists = new ArtifactLists(services)
    return json(await lists.versions(place, wholeNumber(query, 'after', 0, largestIndex), limitOf(query)))
  })
  router.on('POST', versions, (call) => commit(call, services))
}

async function commit(call: Call, services: Services): Promise<Response> {
  const { request, query, access } = call
  assertQuery(query, [])
  const place = placeOf(call, 'writer')
  const parsed = parseCommit(await readJson(request, largestCommit))
  const { experimentKey } = parsed
  const experiment =
    experimentKey === undefined ? undefined : await services.experiments.get(checkExperimentKey(experimentKey))
  if (experiment) access.require('writer', experiment.workspace)
  if (parsed.base) access.require('reader', parsed.base.workspace)
  const reply = await services.commits.commit(place, parsed, parsed.project ?? experiment?.project ?? null)
  const { index, createdAt } = reply.version
  // Also when it was there already: whoever made it may not have come as far as this.
  if (reply.created && experiment) await services.lineage.addOutput(experiment.key, { ...place, index, at: createdAt })
  return json(reply)
}

/** The artifact that a path names, if whoever asks has the role. */
export function placeOf({ params, access }: Call, role: Role): ArtifactPlace {
  const place = placeNamed(params)
  access.require(role, place.workspace)
  return place
}

export function placeNamed({ workspace, name }: Readonly<Record<string, string>>): ArtifactPlace {
  return { workspace: checkName(workspace, 'workspace'), name: checkName(name) }
}
