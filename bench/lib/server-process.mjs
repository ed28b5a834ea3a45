// A server over a folder, in a process of its own: `node server-process.mjs FOLDER`. Says its address, and ends with its parent.
import { createBackend } from 'tidemark/backend'
import { serve } from 'tidemark/server/node'
import { fsStore } from 'tidemark/stores/fs'

const store = fsStore(process.argv[2])
const { url } = await serve({ fetch: createBackend({ records: store, blobs: store }).fetch, port: 0 })
process.send({ url })
process.on('disconnect', () => process.exit())
