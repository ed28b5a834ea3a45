/** A server with what its runtime has for one, over the folder that is named, until it is told to end. Tells where it is, and the key of an owner. */
import process from 'node:process'
import { createBackend } from '../../dist/backend/backend.js'
import { fsStore } from '../../dist/stores/fs.js'

const [, , kind, folder, port = '0'] = process.argv
const { serve } = await import(`../../dist/server/${kind}.js`)
const store = fsStore(folder)
const backend = createBackend({ records: store, blobs: store, access: 'keys' })
const { key } = await backend.keys.create('test', new Map([['*', 'owner']]))
const options = { fetch: backend.fetch, port: Number(port), origins: ['https://lab.example'] }
const serving = await serve(options).catch((error) => {
  console.log(JSON.stringify({ refused: error.code, message: error.message }))
  process.exit(0)
})
process.on('SIGTERM', async () => {
  await serving.close()
  await backend.close()
  console.log('closed')
  process.exit(0)
})
console.log(JSON.stringify({ url: serving.url, key }))
