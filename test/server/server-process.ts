// A server for tests that kill it: over the folder named on the command line, for anybody.
import { createBackend } from '../../src/backend/backend.ts'
import { serve } from '../../src/server/node.ts'
import { fsStore } from '../../src/stores/fs.ts'

const store = fsStore(process.argv[2])
const serving = await serve({ fetch: createBackend({ records: store, blobs: store }).fetch, port: 0 })
process.send?.({ url: serving.url })
process.on('disconnect', () => process.exit())
