// 100 MB of float32: to an npz version, against putting the same bytes on the disk and nothing else.
import { join } from 'node:path'
import { randomNumbers } from './lib/data.mjs'
import { openEmbedded } from './lib/embedded.mjs'
import { race } from './lib/race.mjs'
import { timeRow } from './lib/results.mjs'
import { writeSynced } from './lib/write-synced.mjs'

export const question = 'What does an npz version cost over writing the bytes?'

export const jobs = {
  async tidemark({ folder }) {
    const weights = { data: makeWeights(), shape: [5000, 5000] }
    let to
    return {
      before: async () => {
        to = await openEmbedded(folder)
      },
      sample: async () => {
        await to.experiment.uploadArtifact('weights', weights)
      },
      after: () => to.close(),
    }
  },
  async write({ folder }) {
    const path = join(folder, 'weights')
    const bytes = new Uint8Array(makeWeights().buffer)
    return { sample: () => writeSynced(path, bytes) }
  },
}

export async function run() {
  const { tidemark, write } = await race(import.meta.url, ['tidemark', 'write'])
  return [
    timeRow('100 MB of float32 to an npz version on disk', {
      ours: tidemark,
      against: 'write, fsync of those bytes',
      theirs: write,
      bar: 6,
    }),
  ]
}

function makeWeights() {
  const random = randomNumbers(5)
  return Float32Array.from({ length: 25_000_000 }, () => random() - 0.5)
}
