// Runs the bundled program in the folder given, as in a page: a database in sight, and nothing of Node. Prints which of its modules were loaded.
import 'fake-indexeddb/auto'
import { pathToFileURL } from 'node:url'
import { connect } from 'tidemark'
import { createBackend } from 'tidemark/backend'
import { memoryStore } from 'tidemark/stores/memory'

const [, , entry] = process.argv
const { stdout } = process
const store = memoryStore()
const backend = createBackend({ records: store, blobs: store })
const tidemark = await connect({ url: 'http://localhost', fetch: backend.fetch })
const experiment = await tidemark.createExperiment()
await experiment.uploadArtifact('settings', { lr: 1 })
await experiment.end()

globalThis.loaded = new Set()
// What an experiment tells of a page.
Object.defineProperty(globalThis, 'navigator', {
  value: { userAgent: 'a browser', language: 'en', hardwareConcurrency: 2 },
})
Reflect.deleteProperty(globalThis, 'process')
const { log } = console
console.log = () => undefined
const { main } = await import(pathToFileURL(entry))
await main(backend.fetch)
console.log = log
stdout.write(JSON.stringify([...globalThis.loaded]))
