// How many objects of the store the two smallest jobs touch: what they cost where every request has a price.
import { Artifact, connect, memoryStore } from 'tidemark'
import { countRow } from './lib/results.mjs'

export const question = 'How many objects does a small job read or write?'

const assets = 100_000

export async function run() {
  const store = counted(memoryStore())
  const tidemark = await connect({ store })
  const experiment = await tidemark.createExperiment()
  const before = store.written.size
  await experiment.uploadArtifact('settings', { lr: 0.001 })
  const written = store.written.size - before

  const artifact = new Artifact('many', 'dataset')
  for (let i = 0; i < assets; i++) await artifact.add(new Uint8Array([i, i >> 8, i >> 16]), { logicalPath: pathOf(i) })
  await experiment.logArtifact(artifact)

  const reading = counted(store)
  const other = await connect({ store: reading })
  const logged = await other.getArtifact('many')
  await logged.get(pathOf(54_321))
  return [
    countRow('get one of 100,000 small assets: objects read', { value: reading.read.size, bar: 5, unit: 'objects' }),
    countRow('log { lr: 0.001 }: objects written', { value: written, bar: 3, unit: 'objects' }),
  ]
}

function pathOf(i) {
  return `part-${i % 97}/${i}.bin`
}

/** The store, noting which keys are read and written. */
function counted(store) {
  const [read, written] = [new Set(), new Set()]
  return {
    uri: store.uri,
    read,
    written,
    get: (key, options) => {
      read.add(key)
      return store.get(key, options)
    },
    put: (key, bytes, options) => {
      written.add(key)
      return store.put(key, bytes, options)
    },
    delete: (key, options) => store.delete(key, options),
    list: async (prefix, options) => {
      const page = await store.list(prefix, options)
      if (options?.values) for (const { key } of page.entries) read.add(key)
      return page
    },
  }
}
