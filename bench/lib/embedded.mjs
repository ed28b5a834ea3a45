import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from 'tidemark'

let count = 0

/** A connection over a new store in this folder, and an experiment; `close` ends it and removes the store. */
export async function openEmbedded(folder) {
  const store = join(folder, `store-${process.pid}-${count++}`)
  const tidemark = await connect({ store })
  const experiment = await tidemark.createExperiment({ project: 'bench', logCode: false, logSystemDetails: false })
  return {
    store,
    tidemark,
    experiment,
    close: async () => {
      await tidemark.close()
      await rm(store, { recursive: true, force: true })
    },
  }
}
