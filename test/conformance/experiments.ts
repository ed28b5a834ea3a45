import { Table } from 'apache-arrow'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Artifact, arrays, type ConnectOptions, connect, type Tidemark } from '../../src/index.ts'

export interface OpenedServer {
  /** How to reach it; nothing is in it yet. */
  readonly options: ConnectOptions
  dispose(): Promise<void> | void
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: unknown) => (bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : bytes)

/** Nothing of the machine is logged unless it is asked for: the suite runs where that needs leave. */
const quiet = { logCode: false, logSystemDetails: false } as const

/** What experiments do, whatever is on the other side: a store in this process, a Tidemark server, or one that speaks Comet's REST API v2 alone. */
export function experimentConformance(name: string, open: () => Promise<OpenedServer>): void {
  describe(`experiments over ${name}`, () => {
    let server: OpenedServer
    let tidemark: Tidemark

    beforeEach(async () => {
      server = await open()
      tidemark = await connect({ project: 'flowers', workspace: 'team', ...server.options })
    })
    afterEach(async () => {
      await tidemark.close()
      await server.dispose()
    })

    it('metrics come back as they were logged, each series in its order', async () => {
      const experiment = await tidemark.createExperiment({ name: 'first', ...quiet })
      for (let step = 0; step < 20; step++) experiment.logMetric('loss', 1 / (step + 1), { step, epoch: step >> 2 })
      experiment.logMetric('loss', 7, { context: 'train' })
      experiment.logMetrics({ accuracy: 0.25, odd: Number.NaN }, { step: 3 })
      experiment.logMetric('odd', Number.POSITIVE_INFINITY)
      experiment.logMetric('odd', Number.NEGATIVE_INFINITY)
      const loss = await experiment.getMetric('loss')
      expect(loss.map(({ value }) => value)).toEqual(Array.from({ length: 20 }, (_, step) => 1 / (step + 1)))
      expect(loss[5]).toMatchObject({ step: 5, epoch: 1, context: null })
      expect(Math.abs(loss[5].timestamp - Date.now())).toBeLessThan(600_000)
      expect(await experiment.getMetric('loss', { context: 'train' })).toMatchObject([
        { value: 7, step: null, epoch: null, context: 'train' },
      ])
      expect(await experiment.getMetric('train_loss')).toMatchObject([{ value: 7, context: 'train' }])
      expect((await experiment.getMetric('odd')).map(({ value }) => value)).toEqual([
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
      ])
      expect(await experiment.getMetric('nothing')).toEqual([])
      const summary = await experiment.getMetricsSummary()
      expect(summary.find(({ name }) => name === 'loss')).toMatchObject({ current: 0.05, min: 0.05, max: 1, step: 19 })
      expect(summary.map((one) => one.name).sort()).toEqual(['accuracy', 'loss', 'odd', 'train_loss'])
      await experiment.end()
      expect(experiment.undelivered).toEqual([])
    })

    it('parameters, others, tags, page, graph, code and git come back', async () => {
      const experiment = await tidemark.createExperiment(quiet)
      experiment.logParameter('lr', 0.1)
      experiment.logParameter('lr', 0.2, { step: 1 })
      experiment.logParameters({
        layers: [64, 64],
        optimizer: 'adam',
        nested: { a: [true, null], clip: Number.POSITIVE_INFINITY, seeds: [3n, Number.NaN], since: new Date(0) },
        weights: Float32Array.of(0.5, Number.NaN),
        big: 12n,
        when: new Date(0),
      })
      experiment.logOther('note', 'watered')
      experiment.logOther('count', 3)
      experiment.addTags(['wet', 'green'])
      experiment.addTags(['green', 'small'])
      experiment.addTags([])
      experiment.logHtml('<p>one</p>')
      experiment.logHtml('<p>two</p>\n')
      experiment.logGraph({ nodes: [1, 2] })
      experiment.logCode('x <- 7')
      experiment.logGitMetadata({ branch: 'dev', origin: 'https://ada:secret@host/x.git', user: 'ada <a@b>' })
      experiment.logSystemDetails({ pid: 123, hostname: 'greenhouse', command: ['train.js', '--fast'] })
      const values = async (list: Promise<{ name: string; value: string }[]>) =>
        Object.fromEntries((await list).map(({ name, value }) => [name, value]))
      expect(await values(experiment.getParameters())).toEqual({
        lr: '0.2',
        layers: '[64,64]',
        optimizer: 'adam',
        nested: '{"a":[true,null],"clip":"Infinity","seeds":["3","NaN"],"since":"1970-01-01T00:00:00.000Z"}',
        weights: '[0.5,"NaN"]',
        big: '12',
        when: '1970-01-01T00:00:00.000Z',
      })
      expect(await values(experiment.getOther())).toMatchObject({ note: 'watered', count: '3', Name: experiment.name })
      expect((await experiment.getTags()).sort()).toEqual(['green', 'small', 'wet'])
      expect(await experiment.getHtml()).toBe('<p>one</p><p>two</p>\n')
      experiment.logHtml('<p>three</p>', { override: true })
      expect(await experiment.getHtml()).toBe('<p>three</p>')
      expect(await experiment.getGraph()).toBe('{"nodes":[1,2]}')
      expect(await experiment.getCode()).toBe('x <- 7')
      expect(await experiment.getGitMetadata()).toEqual({
        branch: 'dev',
        origin: 'https://host/x.git',
        parent: null,
        user: 'ada <a@b>',
        root: null,
      })
      expect(await experiment.getGitPatch()).toBe('')
      expect(await experiment.getSystemDetails()).toMatchObject({
        pid: 123,
        hostname: 'greenhouse',
        command: ['train.js', '--fast'],
      })
      expect(await experiment.getOutput()).toBe('')
      await experiment.end()
    })

    it('an experiment of which nothing was logged has nothing, not an error', async () => {
      const experiment = await tidemark.createExperiment(quiet)
      expect(await experiment.getMetricsSummary()).toEqual([])
      expect(await experiment.getParameters()).toEqual([])
      expect(await experiment.getTags()).toEqual([])
      expect(await experiment.getHtml()).toBe('')
      expect(await experiment.getGraph()).toBeFalsy()
      expect(await experiment.getCode()).toBeFalsy()
      expect(await experiment.getAssetList()).toEqual([])
    })

    it('assets of every kind come back byte for byte', async () => {
      const experiment = await tidemark.createExperiment(quiet)
      const csv = 'step,loss\n1,0.5\n'
      const { assetId } = await experiment.uploadAsset(new File([csv], 'history.csv', { type: 'text/csv' }), {
        metadata: { split: 'train', n: [1] },
        step: 4,
        context: 'train',
      })
      const noise = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7919) % 251)
      const big = await experiment.uploadAsset(noise.subarray(1), { name: 'deep/er/noise.bin', type: 'weights' })
      await experiment.uploadAsset({ lr: 1 }, { name: 'settings.json' })
      experiment.logRemoteAsset('s3://bucket/flowers/raw.parquet', { metadata: { rows: 7 } })
      expect(textOf(await experiment.getAsset(assetId))).toBe(csv)
      const again = await experiment.getAsset(big.assetId)
      expect(again.length).toBe(noise.length - 1)
      expect(again.every((byte, at) => byte === noise[at + 1])).toBe(true)
      const assets = await experiment.getAssetList()
      expect(assets.map(({ fileName, type, remote }) => [fileName, type, remote]).sort()).toEqual([
        ['deep/er/noise.bin', 'weights', false],
        ['history.csv', 'asset', false],
        ['raw.parquet', 'asset', true],
        ['settings.json', 'asset', false],
      ])
      const named = (fileName: string) => assets.find((one) => one.fileName === fileName)
      expect(named('history.csv')).toMatchObject({
        assetId,
        fileSize: csv.length,
        metadata: { split: 'train', n: [1] },
        step: 4,
        context: 'train',
        link: null,
      })
      expect(named('raw.parquet')).toMatchObject({ link: 's3://bucket/flowers/raw.parquet', metadata: { rows: 7 } })
      expect((await experiment.getAssetList({ type: 'weights' })).map(({ fileName }) => fileName)).toEqual([
        'deep/er/noise.bin',
      ])
      await experiment.uploadAsset(bytesOf('{}'), { name: 'settings.json', overwrite: true })
      const left = (await experiment.getAssetList()).filter(({ fileName }) => fileName === 'settings.json')
      expect(left).toHaveLength(1)
      expect(textOf(await experiment.getAsset(left[0].assetId))).toBe('{}')
      await expect(experiment.uploadAsset(bytesOf('x'))).rejects.toMatchObject({ code: 'asset-name-missing' })
    })

    it('an experiment is archived, restored, linked, ended, found again and deleted', async () => {
      const experiment = await tidemark.createExperiment({ name: 'second', ...quiet })
      const { key } = experiment
      await experiment.setStartEndTime({ start: 1000, end: new Date(5000) })
      expect(await experiment.getMetadata()).toMatchObject({
        experimentKey: key,
        experimentName: 'second',
        projectName: 'flowers',
        workspaceName: 'team',
        archived: false,
        startTimeMillis: 1000,
        endTimeMillis: 5000,
      })
      const listed = async (archived: boolean) =>
        (await tidemark.getExperiments({ projectName: 'flowers', archived })).map(({ experimentKey }) => experimentKey)
      expect([await listed(false), await listed(true)]).toEqual([[key], []])
      await experiment.archive()
      expect((await experiment.getMetadata()).archived).toBe(true)
      expect([await listed(false), await listed(true)]).toEqual([[], [key]])
      await experiment.restore()
      expect(await listed(false)).toEqual([key])
      expect(await experiment.createSymlink('garden')).toContain(key)
      experiment.logOther('Name', 'renamed')
      await experiment.end()
      await experiment.end()
      expect(() => experiment.logMetric('late', 1)).toThrow(expect.objectContaining({ code: 'experiment-ended' }))
      await expect(experiment.uploadAsset(bytesOf('x'), { name: 'x' })).rejects.toMatchObject({
        code: 'experiment-ended',
      })
      const again = await tidemark.getExperiment(key)
      expect(again).toMatchObject({ name: 'renamed', project: 'flowers', workspace: 'team' })
      again.logMetric('late', 1)
      expect(await again.getMetric('late')).toHaveLength(1)
      await again.delete()
      expect(() => again.logMetric('late', 2)).toThrow(expect.objectContaining({ code: 'experiment-deleted' }))
      await expect(tidemark.getExperiment(key)).rejects.toMatchObject({ code: 'experiment-not-found' })
      expect(await listed(false)).toEqual([])
    })

    it('projects are made, listed with their columns, charted and deleted', async () => {
      expect(await tidemark.createProject('garden', { description: 'outside' })).toEqual(expect.any(String))
      await expect(tidemark.createProject('garden')).rejects.toMatchObject({ name: expect.stringMatching(/Error$/) })
      const experiment = await tidemark.createExperiment({ project: 'garden', ...quiet })
      for (let step = 0; step < 5; step++) experiment.logMetric('height', step * 2, { step })
      experiment.logParameter('water', 3)
      await experiment.flush()
      expect((await tidemark.getProjects()).find(({ projectName }) => projectName === 'garden')).toMatchObject({
        projectDescription: 'outside',
        public: false,
      })
      const columns = (await tidemark.getColumns({ projectName: 'garden' })).map(({ id }) => id)
      for (const id of ['experimentKey--metadata', 'duration--metadata', 'height--metrics', 'water--params'])
        expect(columns).toContain(id)
      const charts = await tidemark.getMultiMetricChart([experiment.key], { metrics: ['height'] })
      expect(charts[experiment.key].metrics[0]).toMatchObject({
        metricName: 'height',
        values: [0, 2, 4, 6, 8],
        steps: [0, 1, 2, 3, 4],
      })
      await experiment.end()
      await tidemark.deleteProject('garden')
      expect((await tidemark.getProjects()).map(({ projectName }) => projectName)).not.toContain('garden')
      expect(await tidemark.getExperiments({ projectName: 'garden' })).toEqual([])
    })

    it('artifacts are versioned, found by name, number and alias, and read back', async () => {
      const experiment = await tidemark.createExperiment(quiet)
      const artifact = new Artifact('flowers', 'dataset', {
        aliases: ['golden'],
        versionTags: ['raw'],
        metadata: { source: 'field' },
      })
      await artifact.add(bytesOf('A'), { logicalPath: 'photos/a.png', metadata: { by: 'ada' } })
      await artifact.add({ lr: 1, layers: [1, 2] }, { logicalPath: 'settings.json' })
      await artifact.addRemote('s3://bucket/raw.csv')
      const logged = await experiment.logArtifact(artifact)
      expect(logged).toMatchObject({
        name: 'flowers',
        type: 'dataset',
        workspace: 'team',
        version: '1.0.0',
        aliases: ['golden'],
        versionTags: ['raw'],
        metadata: { source: 'field' },
        count: 3,
        state: 'CLOSED',
        sourceExperimentKey: experiment.key,
      })
      expect(logged.digest).toMatch(/^[0-9a-f]{64}$/)
      expect(textOf(await logged.get('photos/a.png'))).toBe('A')
      expect(await logged.get('settings.json')).toEqual({ lr: 1, layers: [1, 2] })
      const [first, , raw] = await logged.getAssets()
      expect(first).toMatchObject({ logicalPath: 'photos/a.png', size: 1, metadata: { by: 'ada' }, remote: false })
      expect(raw).toMatchObject({ logicalPath: 'settings.json' })
      expect(await logged.getRemoteAssets()).toMatchObject([{ logicalPath: 'raw.csv', link: 's3://bucket/raw.csv' }])
      expect(await logged.verify()).toMatchObject({ ok: true, files: 2 })
      const files = new Map<string, Uint8Array>()
      const report = await logged.download(files)
      expect([[...files.keys()].sort(), report.remote]).toEqual([['photos/a.png', 'settings.json'], ['raw.csv']])

      const next = await experiment.uploadArtifact(
        'flowers',
        { lr: 2 },
        { type: 'dataset', aliases: ['golden', 'new'] },
      )
      expect(next.version).toBe('2.0.0')
      const found = async (name: string, options = {}) => (await tidemark.getArtifact(name, options)).version
      expect(await found('flowers')).toBe('2.0.0')
      expect(await found('team/flowers:golden')).toBe('2.0.0')
      expect(await found('flowers:1.0.0')).toBe('1.0.0')
      expect(await found('flowers', { versionOrAlias: 'new' })).toBe('2.0.0')
      expect([await found('flowers:v0'), await found('flowers:v1')]).toEqual(['1.0.0', '2.0.0'])
      await expect(tidemark.getArtifact('flowers:v2')).rejects.toMatchObject({ code: 'version-not-found' })
      expect([logged.index, next.index, (await tidemark.getArtifact('flowers')).index]).toEqual([0, 1, 1])
      expect((await experiment.getArtifact('flowers:1.0.0')).aliases).toEqual([])
      expect((await tidemark.getArtifacts({ workspace: 'team' }).toArray()).map((one) => one.name)).toEqual(['flowers'])
      expect((await tidemark.getVersions('flowers').toArray()).map(({ version }) => version)).toEqual([
        '2.0.0',
        '1.0.0',
      ])
      await expect(tidemark.getArtifact('flours')).rejects.toMatchObject({ category: 'NotFoundError' })
      await expect(tidemark.getArtifact('flowers:gone')).rejects.toMatchObject({ code: 'version-not-found' })

      const difference = await logged.diff(next)
      expect(difference.added.map(({ path }) => path)).toEqual(['flowers.json'])
      expect(difference.removed.map(({ path }) => path)).toEqual(['photos/a.png', 'raw.csv', 'settings.json'])
      await next.updateAliases(['best'])
      await next.updateVersionTags(['t1', 't2'])
      await next.updateArtifactTags(['a1'])
      expect(await tidemark.getArtifact('flowers:best')).toMatchObject({
        version: '2.0.0',
        aliases: ['best'],
        versionTags: ['t1', 't2'],
        artifactTags: ['a1'],
      })
    })

    it('equal content makes no second version; an explicit one may skip, and is refused twice', async () => {
      const experiment = await tidemark.createExperiment(quiet)
      const weights = () => arrays({ w: new Float32Array(9).fill(2) })
      const one = await experiment.uploadArtifact('weights', weights())
      const same = await experiment.uploadArtifact('weights', weights(), { aliases: ['kept'] })
      expect([one.version, same.version, same.versionId]).toEqual(['1.0.0', '1.0.0', one.versionId])
      expect((await tidemark.getArtifact('weights:kept')).versionId).toBe(one.versionId)
      expect(await (await tidemark.getArtifact('weights')).get()).toMatchObject({ w: { shape: [9] } })
      const skip = new Artifact('weights', 'data', { version: '3.3.1' })
      await skip.add(bytesOf('x'), { logicalPath: 'x' })
      expect((await experiment.logArtifact(skip)).version).toBe('3.3.1')
      const twice = new Artifact('weights', 'data', { version: '3.3.1' })
      await twice.add(bytesOf('y'), { logicalPath: 'x' })
      await expect(experiment.logArtifact(twice)).rejects.toMatchObject({ code: 'version-exists' })
      const draft = await (await tidemark.getArtifact('weights')).newDraft()
      await draft.add(bytesOf('z'), { logicalPath: 'z' })
      const drafted = await experiment.logArtifact(draft)
      expect(drafted.version).toBe('4.0.0')
      expect([textOf(await drafted.get('x')), textOf(await drafted.get('z'))]).toEqual(['x', 'z'])
    })

    it('a table keeps its type, and a watched one becomes versions', async () => {
      const experiment = await tidemark.createExperiment(quiet)
      const rows = [
        { petals: 5, label: 'rose' },
        { petals: 3, label: 'lily' },
      ]
      const train = await experiment.registerArtifact('train', rows)
      rows[1].label = 'iris'
      await train.flush()
      await experiment.end()
      const table = await (await tidemark.getArtifact('train')).get()
      if (!(table instanceof Table)) throw new TypeError('not a table')
      expect(table.toArray().map((row) => row?.label)).toEqual(['rose', 'iris'])
      expect((await tidemark.getVersions('train').toArray()).map(({ version }) => version)).toEqual(['2.0.0', '1.0.0'])
    })

    it('refuses at once, by name, what can never be logged', async () => {
      const experiment = await tidemark.createExperiment(quiet)
      const refused: [() => unknown, string][] = [
        [() => Reflect.apply(experiment.logMetric, experiment, ['loss', '0.5']), 'invalid-value'],
        [() => Reflect.apply(experiment.logMetric, experiment, ['loss', undefined]), 'invalid-value'],
        [() => Reflect.apply(experiment.logMetric, experiment, ['loss', 1, { setp: 1 }]), 'unknown-option'],
        [() => experiment.logMetric('loss', 1, { step: Number.NaN }), 'invalid-option'],
        [() => experiment.logMetric('', 1), 'invalid-name'],
        [() => experiment.logMetric('a\nb', 1), 'invalid-name'],
        [() => experiment.logMetric('\ud800', 1), 'invalid-name'],
        [() => experiment.logMetric('x'.repeat(2000), 1), 'invalid-name'],
        [() => Reflect.apply(experiment.logMetrics, experiment, [[1, 2]]), 'invalid-value'],
        [() => experiment.logParameter('f', () => 1), 'invalid-value'],
        [() => experiment.logParameter('p', undefined), 'invalid-value'],
        [() => experiment.logParameter('m', { deep: new Map() }), 'invalid-value'],
        [() => experiment.logParameter('d', { at: new Date(Number.NaN) }), 'invalid-value'],
        [() => Reflect.apply(experiment.addTags, experiment, ['wet']), 'invalid-option'],
        [() => Reflect.apply(experiment.logHtml, experiment, [7]), 'invalid-option'],
        [() => experiment.logRemoteAsset('javascript:alert(1)'), 'invalid-uri'],
        [() => experiment.logRemoteAsset('javascript:alert(1)', { name: 'raw' }), 'invalid-uri'],
        [() => experiment.logRemoteAsset('https://ada:secret@host/x'), 'uri-has-credentials'],
      ]
      for (const [log, code] of refused) expect(log).toThrow(expect.objectContaining({ code }))
      await experiment.end()
      expect(await experiment.getMetricsSummary()).toEqual([])
    })

    it('names of every kind come back as they are', async () => {
      const experiment = await tidemark.createExperiment(quiet)
      const names = [
        'loss/train',
        '__proto__',
        'constructor',
        'ä ö',
        '😀',
        '../..',
        'a:b',
        "'; drop table",
        '<b>',
        '%2F',
        'x y?&=#',
      ]
      for (const [at, name] of names.entries()) experiment.logMetric(name, at)
      for (const name of names) experiment.logParameter(name, name)
      expect((await experiment.getMetricsSummary()).map(({ name }) => name).sort()).toEqual([...names].sort())
      for (const [at, name] of names.entries()) expect(await experiment.getMetric(name)).toMatchObject([{ value: at }])
      expect((await experiment.getParameters()).map(({ value }) => value).sort()).toEqual([...names].sort())
    })

    it('any request of the REST API can be made', async () => {
      const experiment = await tidemark.createExperiment(quiet)
      experiment.addTags(['wet'])
      await experiment.flush()
      const params = { experimentKey: experiment.key }
      expect(await tidemark.callApi('/experiment/tags', { params })).toEqual({ tags: ['wet'] })
      await tidemark.callApi('/write/experiment/tags', { method: 'POST', params: { ...params, addedTags: ['dry'] } })
      expect(await experiment.getTags()).toEqual(['wet', 'dry'])
      expect(await tidemark.getWorkspaces()).toContain('team')
    })
  })
}
