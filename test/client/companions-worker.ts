import { connect } from '../../src/index.ts'

// A program that writes in every way there is, and is logged.
const [, , store] = process.argv
const tidemark = await connect({ store })
console.log('before')
const experiment = await tidemark.createExperiment({ logOutput: true, logError: true, logGitInfo: true })
console.log('one %d', 1, { a: 1 })
process.stdout.write('tw')
process.stdout.write(new TextEncoder().encode('o ä\n'))
console.error('trouble')
console.warn('more')
process.stdout.write('without an end')
await experiment.end()
console.log('after')
await tidemark.close()
process.stdout.write(`KEY ${experiment.key}\n`)
