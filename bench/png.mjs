// A photo of 2048 x 2048: encoded, against pngjs as it comes; and the whole way to a version in memory.

import { PNG } from 'pngjs'
import { connect, image, memoryStore } from 'tidemark'
import { importSource } from './lib/bundle.mjs'
import { makePhoto } from './lib/data.mjs'
import { race } from './lib/race.mjs'
import { countRow, timeRow } from './lib/results.mjs'

export const question = 'Is our PNG as good as the usual one, and faster?'

const side = 2048

export const jobs = {
  async codec({ folder }) {
    const { pngCodec } = await importSource('codecs/png.ts', folder)
    const photo = makePhoto(side, side)
    return {
      sample: async () => {
        const { body } = await pngCodec.encode(photo)
        let size = 0
        for await (const piece of body) size += piece.length
        return { size }
      },
    }
  },
  async version() {
    const photo = makePhoto(side, side)
    let experiment
    return {
      before: async () => {
        experiment = await (await connect({ store: memoryStore() })).createExperiment()
      },
      sample: async () => {
        const { size } = await experiment.uploadArtifact('photo', image(photo))
        return { size }
      },
    }
  },
  async pngjs() {
    const { width, height, data } = makePhoto(side, side)
    const png = new PNG({ width, height })
    png.data = Buffer.from(data.buffer)
    return { sample: () => ({ size: PNG.sync.write(png).length }) }
  },
}

export async function run() {
  const { codec, version, pngjs } = await race(import.meta.url, ['codec', 'pngjs', 'version'])
  const against = 'pngjs'
  return [
    timeRow('2048 x 2048 photo to PNG', { ours: codec, against, theirs: pngjs, bar: 0.4 }),
    sizeRow('the same: size', codec.size, pngjs.size),
    timeRow('the same, to a version in memory', { ours: version, against, theirs: pngjs }),
  ]
}

function sizeRow(job, ours, theirs) {
  const ratio = ours / theirs
  const show = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`
  return {
    ...countRow(job, { value: ratio, bar: 1.1, unit: 'x' }),
    ours: show(ours),
    against: 'pngjs',
    theirs: show(theirs),
    ratio: `${ratio.toFixed(2)} x`,
  }
}
