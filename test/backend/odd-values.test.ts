import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { routes } from '../../src/protocol/routes.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { Caller } from '../conformance/backend-caller.ts'

const reads = ['metrics/summary', 'parameters', 'log-other', 'tags', 'output', 'html', 'asset/list']

/** Sends one odd request, then enough good ones that a head is written, each to a process of its own; afterwards everything must be readable. */
async function outlives(path: string, bodyOf: (key: string, name: string) => string, names = ['']): Promise<number> {
  const store = memoryStore()
  const open = () => createBackend({ records: store, blobs: store, now: () => 1_700_000_000_000 })
  const key = String(
    (
      await new Caller(open().fetch).rest<{ experimentKey: string }>('POST', '/write/experiment/create', {
        workspaceName: 'team',
      })
    ).experimentKey,
  )
  const headers = { 'content-type': 'application/json' }
  let status = 0
  for (const name of names) {
    const init = { method: 'POST', headers, body: bodyOf(key, name) }
    const reply = await open().fetch(new Request(`http://backend.test${path.replace('KEY', key)}`, init))
    status = reply.status
  }
  for (let round = 0; round < 2; round++) {
    const backend = open()
    const call = new Caller(backend.fetch)
    for (const read of reads) await call.rest('GET', `/experiment/${read}?experimentKey=${key}`)
    for (let step = 0; step < 40; step++)
      await call.rest('POST', '/write/experiment/metric', { experimentKey: key, metricName: 'm', metricValue: 1, step })
    await backend.settled()
  }
  return status
}

const wire = (path: string) => `/api/rest/v2/write/experiment/${path}`

describe('one odd request leaves the experiment readable:', () => {
  const logged = [
    ['metric', '"metricName":"m","metricValue":1'],
    ['parameter', '"parameterName":"p","parameterValue":1'],
    ['log-other', '"key":"o","value":1'],
    ['output', '"outputLines":[{"offset":1,"output":"x"}]'],
  ]
  it.each(logged)('a time of a %s that is none', async (path, fields) => {
    for (const time of ['1e999', '-1e999', '"NA"', '"NaN"', '"Inf"'])
      expect(
        await outlives(wire(path), (key) => `{"experimentKey":"${key}",${fields},"timestamp":${time}}`),
        time,
      ).toBe(200)
  })

  it('a time in a batch that is none, the number of a line that is none', async () => {
    const batch = (fields: string) =>
      `{"writer":"abcdefgh","sequence":1,"metrics":[{"name":"m","values":[1],${fields}}]}`
    expect(await outlives(routes.log('KEY'), () => batch('"timestamps":[1e999]'))).toBe(400)
    expect(await outlives(routes.log('KEY'), () => batch('"timestamps":[1],"steps":[1e999]'))).toBe(200)
    expect(
      await outlives(
        wire('output'),
        (key) => `{"experimentKey":"${key}","outputLines":[{"offset":1e999,"output":"x"}]}`,
      ),
    ).toBe(400)
  })

  const nested = [
    ['parameter', '"parameterName":"p","parameterValue"'],
    ['log-other', '"key":"o","value"'],
    ['graph', '"graph"'],
    ['git/metadata', '"branch"'],
    ['system-details', '"os"'],
  ]
  it.each(nested)('a %s that is nested without end', async (path, field) => {
    for (const [levels, status] of [
      [200, 200],
      [1000, 400],
      [100_000, 400],
    ])
      expect(
        await outlives(
          wire(path),
          (key) => `{"experimentKey":"${key}",${field}:${'['.repeat(levels)}${']'.repeat(levels)}}`,
        ),
        String(levels),
      ).toBe(status)
  })

  it('values of 8 MiB, several of them', async () => {
    const value = JSON.stringify('x'.repeat(8 * 1024 * 1024 - 200))
    const body = (key: string, name: string) =>
      `{"experimentKey":"${key}","parameterName":"${name}","parameterValue":${value}}`
    expect(await outlives(wire('parameter'), body, ['a', 'b', 'c'])).toBe(200)
  })
})
