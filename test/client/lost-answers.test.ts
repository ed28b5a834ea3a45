import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { Artifact, memoryStore } from '../../src/index.ts'
import { cometDouble } from '../conformance/comet-double.ts'
import { onlyComet } from '../conformance/only-comet.ts'
import { bytesOf, noise, open, quiet } from './world.ts'

type Fetch = (request: Request) => Promise<Response>

/** Does all that is asked, and loses one answer in three, never two of one request after another. */
function forgetful(fetch: Fetch): { fetch: Fetch; lost(): number } {
  const dice = noise(20_000, 11)
  let [count, lost] = [0, 0]
  const just = new Set<string>()
  return {
    lost: () => lost,
    async fetch(request) {
      const what = `${request.method} ${request.url}`
      const answer = await fetch(request)
      if (just.delete(what) || dice[count++] > 85) return answer
      just.add(what)
      lost++
      await answer.arrayBuffer()
      throw new TypeError('terminated')
    },
  }
}

const servers: [name: string, make: () => { url: string; apiKey?: string; fetch: Fetch }][] = [
  ['Comet', () => ({ url: 'https://comet.example', apiKey: 'k', fetch: cometDouble('k').fetch })],
  [
    'our server without routes of our own',
    () => {
      const store = memoryStore()
      return { url: 'https://server.example', fetch: onlyComet(createBackend({ records: store, blobs: store }).fetch) }
    },
  ],
]

describe.each(servers)('%s, whose answers get lost', (_, make) => {
  it('has everything once', async () => {
    const server = make()
    const { fetch, lost } = forgetful(server.fetch)
    const tidemark = await open({ ...server, fetch })
    const experiment = await tidemark.createExperiment({ name: 'first', project: 'flowers', ...quiet })
    for (let step = 0; step < 40; step++) experiment.logMetric('loss', 1 / (step + 1), { step })
    // The same twice within a millisecond is two points.
    for (let n = 0; n < 10; n++) experiment.logMetric('same', 7)
    for (let n = 0; n < 10; n++) experiment.logMetric('same', 8, { context: 'train' })
    experiment.logMetric('odd', Number.NaN)
    experiment.logHtml('<p>a</p>')
    experiment.logHtml('<p>b</p>')
    experiment.logHtml('<p>b</p>')
    experiment.addTags(['wet'])
    experiment.logParameter('lr', 1)
    experiment.logRemoteAsset('s3://bucket/one.csv')
    await experiment.uploadAsset(bytesOf('x'), { name: 'x.txt' })
    await experiment.flush()
    expect((await experiment.getMetric('loss')).map(({ value }) => value)).toEqual(
      Array.from({ length: 40 }, (_, step) => 1 / (step + 1)),
    )
    expect(await experiment.getMetric('same')).toHaveLength(10)
    expect(await experiment.getMetric('same', { context: 'train' })).toHaveLength(10)
    expect(await experiment.getMetric('odd')).toHaveLength(1)
    expect(await experiment.getHtml()).toBe('<p>a</p><p>b</p><p>b</p>')
    expect(await experiment.getTags()).toEqual(['wet'])
    expect((await experiment.getAssetList()).map(({ fileName }) => fileName).sort()).toEqual(['one.csv', 'x.txt'])
    await experiment.end()
    expect(experiment.undelivered).toEqual([])
    expect(await tidemark.getExperiments({ projectName: 'flowers' })).toHaveLength(1)
    expect(lost()).toBeGreaterThan(20)
  })

  it('has each version once, also one whose number was asked for', async () => {
    const server = make()
    const { fetch, lost } = forgetful(server.fetch)
    const tidemark = await open({ ...server, fetch })
    const experiment = await tidemark.createExperiment(quiet)
    for (let n = 0; n < 6; n++) {
      const artifact = new Artifact('data', 'dataset', { version: `${n + 1}.1.0`, metadata: { n } })
      await artifact.add({ n }, { logicalPath: 'n.json' })
      await artifact.add(bytesOf('always'), { logicalPath: 'always.txt' })
      await artifact.addRemote('s3://bucket/two.csv')
      expect(await experiment.logArtifact(artifact)).toMatchObject({ version: `${n + 1}.1.0`, index: n, count: 3 })
    }
    const versions = await tidemark.getVersions('data').toArray()
    expect(versions.map(({ index }) => index)).toEqual([5, 4, 3, 2, 1, 0])
    expect((await tidemark.getArtifact('data:v3')).metadata).toEqual({ n: 3 })
    await experiment.end()
    expect(lost()).toBeGreaterThan(10)
  })
})
