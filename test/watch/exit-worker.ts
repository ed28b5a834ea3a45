import { close, connect, createExperiment } from '../../src/index.ts'

// Watches a table and comes to its end without a word: `how` says whether the experiment or the connection is ended, or whether it is the default connection.
const [, , store, how] = process.argv
if (how.startsWith('default')) process.env.TIDEMARK_STORE = store
const tidemark = await connect({ store })
const experiment = how.startsWith('default') ? await createExperiment() : await tidemark.createExperiment()
experiment.logMetric('loss', 1)
const rows = [{ id: 1 }]
await experiment.registerArtifact('table', rows, { interval: 50 })
// Some looks at a table that is as it was.
await new Promise((resolve) => setTimeout(resolve, 200))
rows[0].id = 2
if (how === 'end') await experiment.end()
if (how === 'close') await tidemark.close()
if (how === 'default, closed') await close()
