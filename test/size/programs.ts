/** What a page does: each program is bundled as a user's would be, and run. `server` is a server's `fetch`. */
export const programs = {
  /** Of a server: finds experiments and versions. Nothing is encoded, decoded or stored here. */
  remote: `
    import { connect } from 'tidemark'
    export async function main(server) {
      const tidemark = await connect({ url: 'http://localhost', apiKey: 'key', fetch: server })
      console.log((await tidemark.getExperiments()).length)
      for await (const { name } of tidemark.getArtifacts()) console.log(name)
      const settings = await tidemark.getArtifact('settings')
      await settings.updateAliases(['best'])
      await tidemark.close()
    }`,
  /** The same, with an experiment that logs metrics and what is known of the page. */
  remoteLog: `
    import { connect } from 'tidemark'
    export async function main(server) {
      const tidemark = await connect({ url: 'http://localhost', apiKey: 'key', fetch: server })
      const experiment = await tidemark.createExperiment({ project: 'flowers' })
      for (let step = 0; step < 10; step++) experiment.logMetric('loss', 1 / (step + 1), { step })
      await experiment.end()
      await tidemark.close()
    }`,
  /** The same, and reads bytes. */
  remoteRead: `
    import { connect } from 'tidemark'
    export async function main(server) {
      const tidemark = await connect({ url: 'http://localhost', apiKey: 'key', fetch: server })
      const stream = await (await tidemark.getArtifact('settings')).open()
      for await (const piece of stream) console.log(piece.length)
      await tidemark.close()
    }`,
  /** The same, and logs a file. */
  remoteWrite: `
    import { connect } from 'tidemark'
    export async function main(server) {
      const tidemark = await connect({ url: 'http://localhost', apiKey: 'key', fetch: server })
      const experiment = await tidemark.createExperiment({ project: 'flowers' })
      await experiment.uploadArtifact('bytes', new Blob([new Uint8Array(100)]))
      const stream = await (await tidemark.getArtifact('bytes')).open()
      for await (const piece of stream) console.log(piece.length)
      await experiment.end()
      await tidemark.close()
    }`,
  /** Embedded, over the database that is the default of a page: a value logged and read back. */
  embedded: `
    import { connect } from 'tidemark'
    export async function main() {
      const tidemark = await connect()
      const experiment = await tidemark.createExperiment({ project: 'flowers' })
      await experiment.uploadArtifact('settings', { lr: 1e-3 })
      console.log(await (await experiment.getArtifact('settings')).get())
      await experiment.end()
      await tidemark.close()
    }`,
  /** The same with text, a file, arrays, an image and a folder. */
  allButTables: withValues(''),
  /** The same with a table, which is watched too. */
  everything: withValues(`
      const rows = [{ id: 1, label: 'rose' }, { id: 2, label: 'lily' }]
      await experiment.uploadArtifact('rows', rows)
      console.log(await (await experiment.getArtifact('rows')).get())
      const watched = await experiment.registerArtifact('train', rows, { key: 'id' })
      rows[1].label = 'iris'
      await watched.flush()`),
} as const

function withValues(more: string): string {
  return `
    import { arrays, connect, image, text } from 'tidemark'
    export async function main() {
      const tidemark = await connect()
      const experiment = await tidemark.createExperiment({ project: 'flowers' })
      const values = {
        settings: { lr: 1e-3 },
        prompt: text('You are a botanist.'),
        bytes: new Blob([new Uint8Array(100)]),
        weights: arrays({ w: new Float32Array(9) }),
        sample: image({ width: 2, height: 2, data: new Uint8ClampedArray(16) }),
        files: [new File(['a'], 'a.txt'), new File(['b'], 'b.txt')],
      }
      for (const [name, value] of Object.entries(values)) {
        await experiment.uploadArtifact(name, value)
        console.log(name, await (await experiment.getArtifact(name)).get())
      }${more}
      await experiment.end()
      await tidemark.close()
    }`
}

export type ProgramName = keyof typeof programs
