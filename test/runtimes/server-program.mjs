/** A server with what its runtime has for one, over the folder that is named, until it is told to end. Tells where it is, and the key of an owner. */
import process from 'node:process'
import { createBackend } from '../../dist/backend/backend.js'
import { fsStore } from '../../dist/stores/fs.js'

const [, , kind, folder] = process.argv
const { serve } = await import(`../../dist/server/${kind}.js`)
const store = fsStore(folder)
const backend = createBackend({ records: store, blobs: store, access: 'keys' })
const { key } = await backend.keys.create('test', new Map([['*', 'owner']]))
const serving = await serve({ fetch: backend.fetch, port: 0, origins: ['https://lab.example'] })
process.on('SIGTERM', async () => {
  await serving.close()
  await backend.close()
  console.log('closed')
  process.exit(0)
})
console.log(JSON.stringify({ url: serving.url, key }))
