import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { memoryStore } from '../../src/index.ts'
import { cometDouble } from '../conformance/comet-double.ts'
import { noise, open, quiet } from './world.ts'

type Fetch = (request: Request) => Promise<Response>

function backend(): Fetch {
  const store = memoryStore()
  return createBackend({ records: store, blobs: store }).fetch
}

const loggingOf = (request: Request) => request.method === 'POST' && request.url.endsWith('/log')

describe('what is logged over a network', () => {
  it('counts once however often it is sent: answers are lost, requests do not arrive', async () => {
    const fetch = backend()
    const dice = noise(10_000, 11)
    let count = 0
    const lossy: Fetch = async (request) => {
      const fate = dice[count++]
      if (fate < 30) throw new TypeError('fetch failed')
      const response = await fetch(request)
      if (fate < 80) throw new TypeError('terminated')
      return response
    }
    const tidemark = await open({ url: 'https://host.example', fetch: lossy })
    const experiment = await tidemark.createExperiment(quiet)
    for (let round = 0; round < 20; round++) {
      for (let step = round * 50; step < round * 50 + 50; step++) experiment.logMetric('loss', step, { step })
      await experiment.flush()
    }
    await experiment.end()
    const points = await experiment.getMetric('loss')
    expect(points.map(({ value }) => value)).toEqual(Array.from({ length: 1000 }, (_, step) => step))
  })

  it('counts once when all answers to a batch are lost, with what was logged since then', async () => {
    const fetch = backend()
    let mute = false
    const tidemark = await open({
      url: 'https://host.example',
      async fetch(request) {
        const response = await fetch(request)
        if (mute) throw new TypeError('terminated')
        return response
      },
    })
    const experiment = await tidemark.createExperiment(quiet)
    experiment.logMetric('loss', 0)
    await experiment.flush()
    mute = true
    for (const value of [1, 2]) {
      experiment.logMetric('loss', value)
      await expect(experiment.flush()).rejects.toMatchObject({ code: 'not-delivered' })
    }
    mute = false
    experiment.logMetric('loss', 3)
    await experiment.end()
    expect((await experiment.getMetric('loss')).map(({ value }) => value)).toEqual([0, 1, 2, 3])
  })

  it('goes in few requests, and none of it before it is asked for or due', async () => {
    const fetch = backend()
    let batches = 0
    const tidemark = await open({
      url: 'https://host.example',
      fetch: (request) => {
        if (loggingOf(request)) batches++
        return fetch(request)
      },
    })
    const experiment = await tidemark.createExperiment(quiet)
    for (let step = 0; step < 50_000; step++) experiment.logMetric('loss', step)
    expect(batches).toBe(0)
    await experiment.flush()
    expect(batches).toBe(3)
    expect((await experiment.getMetricsSummary())[0]).toMatchObject({ current: 49_999, min: 0 })
  })

  it('that a server refuses: the one entry to blame is found, told once, and kept; the rest is logged', async () => {
    const fetch = backend()
    const picky: Fetch = async (request) => {
      if (loggingOf(request) && (await request.clone().text()).includes('forbidden'))
        return Response.json({ msg: 'no such word', code: 400, data: null, sdk_error_code: 0 }, { status: 400 })
      return fetch(request)
    }
    const tidemark = await open({ url: 'https://host.example', fetch: picky })
    const experiment = await tidemark.createExperiment(quiet)
    for (let at = 0; at < 100; at++) experiment.logMetric(at === 37 ? 'forbidden' : `m${at}`, at)
    await expect(experiment.flush()).rejects.toMatchObject({
      code: 'not-logged',
      category: 'InvalidInputError',
      message: expect.stringContaining("metric 'forbidden'"),
    })
    expect(experiment.undelivered.map(({ what }) => what)).toEqual(["metric 'forbidden'"])
    expect(await experiment.getMetricsSummary()).toHaveLength(99)
    await experiment.flush()
    experiment.logMetric('forbidden', 1)
    await expect(experiment.end()).rejects.toMatchObject({ code: 'not-logged' })
    // It has ended all the same, and says so no second time.
    await experiment.end()
    expect((await experiment.getMetadata()).running).toBe(false)
    expect(experiment.undelivered).toHaveLength(2)
  })

  it('waits while a server is away, and the experiment has not ended', async () => {
    const fetch = backend()
    let away = false
    const tidemark = await open({
      url: 'https://host.example',
      fetch: (request) => (away ? Promise.reject(new TypeError('fetch failed')) : fetch(request)),
    })
    const experiment = await tidemark.createExperiment(quiet)
    experiment.logMetric('loss', 1)
    await experiment.flush()
    away = true
    experiment.logMetric('loss', 2)
    await expect(experiment.flush()).rejects.toMatchObject({ code: 'not-delivered', category: 'UnavailableError' })
    await expect(experiment.end()).rejects.toMatchObject({ code: 'not-delivered' })
    away = false
    experiment.logMetric('loss', 3)
    await experiment.end()
    expect((await experiment.getMetric('loss')).map(({ value }) => value)).toEqual([1, 2, 3])
  })

  it('against Comet: a version whose upload fails is given up, and its alias stays where it was', async () => {
    const comet = cometDouble('k')
    let failing = false
    const fetch: Fetch = async (request) =>
      failing && request.url.includes('upload-asset') ? new Response('no', { status: 400 }) : comet.fetch(request)
    const tidemark = await open({ url: 'https://comet.example', apiKey: 'k', fetch })
    const experiment = await tidemark.createExperiment(quiet)
    const good = await experiment.uploadArtifact('data', { n: 1 }, { aliases: ['best'] })
    failing = true
    await expect(experiment.uploadArtifact('data', { n: 2 }, { aliases: ['best'] })).rejects.toMatchObject({
      category: 'InvalidInputError',
    })
    failing = false
    expect(comet.requests.at(-1)).toBe('POST /write/artifacts/state')
    expect((await tidemark.getArtifact('data')).versionId).toBe(good.versionId)
    expect((await tidemark.getArtifact('data:best')).versionId).toBe(good.versionId)
    expect((await experiment.uploadArtifact('data', { n: 2 })).version).toBe('3.0.0')
  })
})
