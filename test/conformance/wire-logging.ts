import { expect, it } from 'vitest'
import type { Wire } from './wire.ts'
import type { Json } from './wire-client.ts'

/** What an experiment logs, but for files, as Comet's clients ask for it. */
export function wireLogging(wire: Wire): void {
  it('metrics: numbers as R writes them, contexts, summaries in order', async () => {
    await wire.write('metric', {
      metricName: 'metric1',
      metricValue: 5,
      step: 1,
      epoch: 2,
      timestamp: 1_700_000_000_001,
    })
    for (const [value, at] of [
      [10, 2],
      ['NaN', 3],
      ['Inf', 4],
      ['-Inf', 5],
      ['NA', 6],
      [0.1, 7],
      [1e20, 8],
      ['2.5', 9],
    ])
      await wire.write('metric', { metricName: 'odd', metricValue: value, step: at, timestamp: at })
    await wire.write('metric', { metricName: 'loss', metricValue: 1, context: 'train', timestamp: 1 })
    await wire.write('metric', { metricName: 'empty', timestamp: 1 })
    const { metrics } = await wire.read<{ metrics: Json[] }>('metrics/get-metric', { metricName: 'metric1' })
    expect(metrics).toEqual([
      {
        metricName: 'metric1',
        metricValue: '5',
        timestamp: 1_700_000_000_001,
        step: 1,
        epoch: 2,
        runContext: null,
        offset: 0,
      },
    ])
    const odd = await wire.read<{ metrics: Json[] }>('metrics/get-metric', { metricName: 'odd' })
    expect(odd.metrics.map(({ metricValue }) => metricValue)).toEqual([
      '10',
      'NaN',
      'Infinity',
      '-Infinity',
      'NaN',
      '0.1',
      '100000000000000000000',
      '2.5',
    ])
    const { values } = await wire.read<{ values: Json[] }>('metrics/summary')
    expect(values.map(({ name }) => name)).toEqual(['metric1', 'odd', 'train_loss', 'empty'])
    expect(values[0]).toMatchObject({
      valueMax: '5',
      valueMin: '5',
      valueCurrent: '5',
      stepCurrent: 1,
      timestampCurrent: 1_700_000_000_001,
      editable: false,
    })
    expect(values[1]).toMatchObject({
      valueMax: 'Infinity',
      valueMin: '-Infinity',
      valueCurrent: '2.5',
      stepMax: 4,
      stepMin: 5,
    })
    expect(values[2]).toMatchObject({ runContextCurrent: 'train' })
    for (const named of ['loss', 'train_loss'])
      expect((await wire.read<{ metrics: Json[] }>('metrics/get-metric', { metricName: named })).metrics).toEqual([
        expect.objectContaining({ runContext: 'train' }),
      ])
    for (const metricValue of ['five', true, [], {}])
      expect(
        await wire.client.failure(
          wire.client.reply('POST', '/write/experiment/metric', {
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ experimentKey: wire.key, metricName: 'm', metricValue }),
          }),
        ),
      ).toMatchObject({ status: 400 })
  })

  it('charts: full and sampled, independent and at common steps', async () => {
    expect(
      await wire.client.post('/experiments/multi-metric-chart', {
        targetedExperiments: [wire.key],
        fetchFull: true,
        independentMetrics: true,
      }),
    ).toEqual({ experiments: {}, empty: true })
    for (let step = 0; step < 5; step++)
      await wire.write('metric', { metricName: 'a', metricValue: step * step, step, timestamp: 1000 + step })
    for (let step = 1; step < 8; step += 2)
      await wire.write('metric', { metricName: 'b', metricValue: -step, step, timestamp: 2000 + step })
    await wire.write('parameter', { parameterName: 'lr', parameterValue: 0.1, timestamp: 1 })
    const ask = (independentMetrics: boolean, fetchFull = true) =>
      wire.client.post<{
        experiments: Record<string, { steps: number[]; params: Json; metrics: Json[] }>
        empty: boolean
      }>('/experiments/multi-metric-chart', {
        targetedExperiments: [wire.key],
        metrics: ['a', 'b'],
        params: ['lr'],
        fetchFull,
        independentMetrics,
      })
    const apart = await ask(true)
    expect(apart.empty).toBe(false)
    expect(apart.experiments[wire.key]).toMatchObject({
      experiment_key: wire.key,
      params: { lr: '0.1' },
      metrics: [
        {
          metricName: 'a',
          values: [0, 1, 4, 9, 16],
          steps: [0, 1, 2, 3, 4],
          timestamps: [1000, 1001, 1002, 1003, 1004],
        },
        { metricName: 'b', values: [-1, -3, -5, -7], steps: [1, 3, 5, 7] },
      ],
    })
    // One that is not there is told, and does not keep the others from being drawn.
    const gone = 'f'.repeat(32)
    const some = { metrics: ['a'], fetchFull: true, independentMetrics: true }
    expect(await wire.client.post('/experiments/multi-metric-chart', { ...some, targetedExperiments: [gone] })).toEqual(
      {
        experiments: {},
        empty: true,
        missing: [gone],
      },
    )
    expect(
      await wire.client.post('/experiments/multi-metric-chart', { ...some, targetedExperiments: [gone, wire.key] }),
    ).toMatchObject({ experiments: { [wire.key]: { metrics: [{ metricName: 'a' }] } }, missing: [gone] })
    const together = await ask(false)
    expect(together.experiments[wire.key]).toMatchObject({
      steps: [1, 3],
      metrics: [
        { metricName: 'a', values: [1, 9], steps: [1, 3] },
        { metricName: 'b', values: [-1, -3] },
      ],
    })
    // The last value of a step counts, in whatever order they came.
    for (const [step, metricValue] of [
      [3, 5],
      [1, 6],
      [3, 7],
      [2.5, 8],
      [1, 9],
    ])
      await wire.write('metric', { metricName: 'c', metricValue, step, timestamp: 1 })
    for (const [metrics, steps, values] of [
      [
        ['c', 'a'],
        [1, 3],
        [
          [9, 7],
          [1, 9],
        ],
      ],
      [['c'], [1, 2.5, 3], [[9, 8, 7]]],
      [['a', 'none'], [], []],
    ]) {
      const reply = await wire.client.post<{ experiments: Record<string, { steps: number[]; metrics: Json[] }> }>(
        '/experiments/multi-metric-chart',
        { targetedExperiments: [wire.key], metrics, params: ['lr'], independentMetrics: false },
      )
      const chart = reply.experiments[wire.key]
      expect([chart.steps, chart.metrics.map((one) => one.values)], String(metrics)).toEqual([steps, values])
    }
  })

  it('parameters, others and tags', async () => {
    const values: [string, unknown, string][] = [
      ['param1', 10, '10'],
      ['text', 'a</b', 'a</b'],
      ['flag', true, 'true'],
      ['list', [1, 2], '[1,2]'],
      ['map', { a: 1 }, '{"a":1}'],
      ['nan', 'NaN', 'NaN'],
      ['__proto__', 'x', 'x'],
    ]
    for (const [parameterName, parameterValue] of values)
      await wire.write('parameter', { parameterName, parameterValue, timestamp: 5 })
    await wire.write('parameter', { parameterName: 'param1', parameterValue: 3, step: 2, timestamp: 6 })
    const params = await wire.read<{ values: Json[] }>('parameters')
    expect(params.values.map(({ name, valueCurrent }) => [name, valueCurrent])).toEqual([
      ['param1', '3'],
      ...values.slice(1).map(([name, , text]) => [name, text]),
    ])
    expect(params.values[0]).toMatchObject({ valueMax: '10', valueMin: '3', stepCurrent: 2 })
    await wire.write('log-other', { key: 'k', value: 'some value', timestamp: 1 })
    await wire.write('log-other', { key: 'nothing', timestamp: 1 })
    const others = await wire.read<{ values: Json[] }>('log-other')
    expect(others.values).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'k', valueCurrent: 'some value' }),
        expect.objectContaining({ name: 'Name', valueCurrent: 'first' }),
      ]),
    )
    await wire.write('log-other', { key: 'Name', value: 'renamed', timestamp: 1 })
    expect(await wire.read('metadata')).toMatchObject({ experimentName: 'renamed' })
    await wire.write('tags', { addedTags: [] })
    await wire.write('tags', { addedTags: ['t1'] })
    await wire.write('tags', { addedTags: ['t2', 't1', 'three'] })
    expect(await wire.read('tags')).toEqual({ tags: ['t1', 't2', 'three'] })
    await wire.write('tags/delete', { tags: ['t2', 'never there'] })
    await wire.write('tags/delete', { tags: 'three' })
    expect(await wire.read('tags')).toEqual({ tags: ['t1'] })
    await wire.write('parameter', { parameterName: 'text', parameterValue: 1, context: 'train', timestamp: 7 })
    await wire.write('parameter/delete', { parameterName: 'text' })
    const left = (await wire.read<{ values: Json[] }>('parameters')).values.map(({ name }) => name)
    expect(left).toEqual(['param1', ...values.slice(2).map(([name]) => name)])
  })

  it("under the paths of Comet's Python client too", async () => {
    const version = await wire.client.reply('GET', '/isAlive/ver', {}, '/clientlib')
    expect(await version.json()).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
    const body = JSON.stringify({ experimentKey: wire.key, hostname: 'a-host' })
    const init = { headers: { 'content-type': 'application/json;charset=utf-8' }, body }
    const path = '/write/experiment/system-details'
    expect((await wire.client.reply('POST', path, init, '/clientlib/rest/v2')).status).toBe(200)
    expect(await wire.read('system-details')).toMatchObject({ hostname: 'a-host' })
    const missing = await wire.client.reply('GET', '/experiment/metadata', {}, '/clientlib/rest/v2')
    expect([missing.status, (await missing.json()).sdk_error_code]).toEqual([400, 90998])
  })

  it('texts come back byte for byte', async () => {
    expect([
      await wire.read('html'),
      await wire.read('graph'),
      await wire.read('code'),
      await wire.read('output'),
    ]).toEqual([{ html: '' }, { graph: null }, { code: null }, { output: '' }])
    await wire.write('html', { html: '<b>é</b>', override: false, timestamp: 1 })
    await wire.write('html', { html: '<i>two</i>', override: false, timestamp: 1 })
    expect(await wire.read('html')).toEqual({ html: '<b>é</b><i>two</i>' })
    await wire.write('html', { html: '<p>new</p>', override: true, timestamp: 1 })
    expect(await wire.read('html')).toEqual({ html: '<p>new</p>' })
    const graph = '{"nodes": [ 1,2 ],\n "edges":[]}'
    await wire.write('graph', { graph })
    expect(await wire.read('graph')).toEqual({ graph })
    await wire.write('code', { code: 'x <- 7' })
    expect(await wire.read('code')).toEqual({ code: 'x <- 7' })
    await wire.write('code', { code: ['a <- 1', '', 'b'] })
    expect(await wire.read('code')).toEqual({ code: 'a <- 1\n\nb' })
    await wire.write('git/metadata', { branch: 'dev', user: 'daattali' })
    expect(await wire.read('git/metadata')).toEqual({
      branch: 'dev',
      user: 'daattali',
      origin: null,
      parent: null,
      root: null,
    })
    await wire.write('system-details', {
      command: ['script.R'],
      pid: 123,
      os: 'Linux',
      installedPackages: ['a@1', 'b@2'],
      logAdditionalSystemInfoList: [{ key: 'k', value: 'v' }],
    })
    expect(await wire.read('system-details')).toMatchObject({
      pid: 123,
      command: ['script.R'],
      installedPackages: ['a@1', 'b@2'],
      logAdditionalSystemInfoList: [{ key: 'k', value: 'v' }],
      ip: null,
    })
    await wire.client.upload(
      '/write/experiment/git/patch',
      { experimentKey: wire.key },
      { file: { name: 'file1.patch', type: 'text/x-diff', bytes: new TextEncoder().encode('diff --git') } },
    )
    expect(
      new TextDecoder().decode((await wire.client.bytes('/experiment/git/patch', { experimentKey: wire.key })).bytes),
    ).toBe('diff --git')
  })

  it('output: lines once each, whatever is sent twice', async () => {
    const lines = (from: number, ...texts: string[]) =>
      wire.write('output', {
        outputLines: [null, ...texts.map((output, at) => ({ offset: from + at, output }))].slice(1),
        context: undefined,
      })
    await wire.client.post('/write/experiment/output', {
      experimentKey: wire.key,
      outputLines: [
        { offset: 1, output: 'one ' },
        { offset: 2, output: '' },
      ],
    })
    await lines(3, 'three', 'four')
    await lines(4, 'four', 'five')
    expect(await wire.read('output')).toEqual({ output: 'one \n\nthree\nfour\nfive' })
  })
}
