import { routes } from '../../protocol/routes.ts'
import { Collection, usualGrace } from '../collection/collection.ts'
import { collectLeftovers } from '../collection/leftovers.ts'
import type { Services } from '../services.ts'
import { requestShape } from '../shape.ts'
import { readJson } from './body.ts'
import { assertQuery } from './query.ts'
import { json } from './reply.ts'
import type { Router } from './router.ts'

const largestBody = 1024

export function collectionRoutes(router: Router, services: Services): void {
  router.on('POST', routes.collect(), async ({ request, query, access }) => {
    assertQuery(query, [])
    access.requireEverywhere('owner')
    const shape = requestShape((await readJson(request, largestBody)) ?? {})
    const dryRun = shape.optionalFlag('dryRun') ?? false
    const graceMs = shape.optionalCount('graceMs') ?? usualGrace
    shape.done()
    const freed = await new Collection(services).collect({ dryRun, graceMs, signal: request.signal })
    const bytes = await collectLeftovers(services, { dryRun, graceMs })
    return json({ ...freed, bytesFreed: freed.bytesFreed + bytes })
  })
}
