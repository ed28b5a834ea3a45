import { serve } from '../../src/server/node.ts'
import { experimentsHere, servedConformance, servedMainJob } from '../conformance/served.ts'

experimentsHere()
servedConformance('node:http', (fetch) => serve({ fetch, port: 0 }))
servedMainJob('node:http', (fetch) => serve({ fetch, port: 0 }))
