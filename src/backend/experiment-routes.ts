import { checkName } from '../paths.ts'
import { routes } from '../protocol/routes.ts'
import { readJson } from './body.ts'
import { checkExperimentKey } from './experiments.ts'
import { assertQuery, limitOf, optional } from './query.ts'
import { json } from './reply.ts'
import type { Router } from './router.ts'
import type { Services } from './services.ts'
import { requestShape } from './shape.ts'

const largestBody = 64 * 1024

export function experimentRoutes(router: Router, { experiments, artifacts, options }: Services): void {
  const inputs = routes.inputs('KEY').replace('KEY', ':key')

  router.on('POST', inputs, async ({ request, params, query }) => {
    assertQuery(query, [])
    const shape = requestShape(await readJson(request, largestBody))
    const place = { workspace: checkName(shape.text('workspace'), 'workspace'), name: checkName(shape.text('name')) }
    const index = shape.count('index')
    shape.done()
    const { key } = await experiments.get(checkExperimentKey(params.key))
    await artifacts.resolve(place, index)
    await experiments.addInput(key, { ...place, index, at: options.now() })
    return json({})
  })
  router.on('GET', inputs, async ({ params, query }) => {
    assertQuery(query, ['after', 'limit'])
    const { key } = await experiments.get(checkExperimentKey(params.key))
    return json(await experiments.inputs(key, optional(query, 'after'), limitOf(query)))
  })
  router.on('POST', routes.endExperiment('KEY').replace('KEY', ':key'), async ({ request, params, query }) => {
    assertQuery(query, [])
    const shape = requestShape((await readJson(request, largestBody)) ?? {})
    const endTime = shape.optionalCount('endTime') ?? options.now()
    shape.done()
    // Ending twice keeps the first end: a repetition is a lost answer asked for again.
    await experiments.change(checkExperimentKey(params.key), (experiment) =>
      experiment.state === 'ended'
        ? experiment
        : { ...experiment, endTime: experiment.endTime ?? endTime, state: 'ended' },
    )
    return json({})
  })
}
