import { checkName } from '../../paths.ts'
import { routes } from '../../protocol/routes.ts'
import { checkExperimentKey } from '../experiments/experiments.ts'
import type { Services } from '../services.ts'
import { requestShape } from '../shape.ts'
import { readJson } from './body.ts'
import { assertQuery, limitOf, optional } from './query.ts'
import { json } from './reply.ts'
import type { Router } from './router.ts'

const largestBody = 64 * 1024

export function experimentRoutes(router: Router, services: Services): void {
  const { experiments, artifacts, lineage, migration, options } = services
  const inputs = routes.inputs('KEY').replace('KEY', ':key')

  router.on('POST', inputs, async ({ request, params, query, access }) => {
    assertQuery(query, [])
    const { key, workspace } = await experiments.get(checkExperimentKey(params.key))
    access.require('writer', workspace)
    const shape = requestShape(await readJson(request, largestBody))
    const place = { workspace: checkName(shape.text('workspace'), 'workspace'), name: checkName(shape.text('name')) }
    const index = shape.count('index')
    shape.done()
    access.require('reader', place.workspace)
    await artifacts.resolve(place, index)
    await lineage.addInput(key, { ...place, index, at: options.now() })
    return json({})
  })
  for (const [kind, path] of [
    ['inputs', inputs],
    ['outputs', routes.outputs('KEY').replace('KEY', ':key')],
  ] as const)
    router.on('GET', path, async ({ params, query, access }) => {
      assertQuery(query, ['after', 'limit'])
      const { key, workspace } = await experiments.get(checkExperimentKey(params.key))
      access.require('reader', workspace)
      await migration.ensure()
      const { LineageLists } = await import('../artifacts/lineage-lists.ts')
      return json(await new LineageLists(services).list(kind, key, optional(query, 'after'), limitOf(query)))
    })
  router.on('POST', routes.endExperiment('KEY').replace('KEY', ':key'), async ({ request, params, query, access }) => {
    assertQuery(query, [])
    const { key, workspace } = await experiments.get(checkExperimentKey(params.key))
    access.require('writer', workspace)
    const shape = requestShape((await readJson(request, largestBody)) ?? {})
    const endTime = shape.optionalCount('endTime') ?? options.now()
    shape.done()
    await experiments.end(key, endTime)
    return json({})
  })
}
