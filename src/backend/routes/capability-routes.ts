import { largestBatch, largestBatchBytes } from '../../protocol/log.ts'
import { routes } from '../../protocol/routes.ts'
import { type CapabilitiesReply, largestInlinePack, largestPack } from '../../protocol/shapes.ts'
import { assertQuery } from './query.ts'
import { json } from './reply.ts'
import type { Router } from './router.ts'

/** What clients ask first, and once. */
export function capabilityRoutes(router: Router): void {
  router.on(
    'GET',
    routes.capabilities(),
    async ({ query }) => {
      assertQuery(query, [])
      const reply: CapabilitiesReply = {
        tidemark: 1,
        largestPack,
        largestInlinePack,
        largestBatch,
        largestBatchBytes,
      }
      return json(reply)
    },
    'key',
  )
}
