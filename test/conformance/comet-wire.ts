import { beforeEach, describe, expect, it } from 'vitest'

export type Fetch = (request: Request) => Promise<Response>

type Json = Record<string, unknown>

/** Sends what Comet's R client sends: its headers, its way of writing lists, booleans and numbers; and believes in nothing but 200. */
export class WireClient {
  readonly #fetch: Fetch
  readonly #base: string
  readonly #key: string

  constructor(fetch: Fetch, base: string, key = 'any-key') {
    this.#fetch = fetch
    this.#base = base
    this.#key = key
  }

  get headers(): Record<string, string> {
    return {
      authorization: this.#key,
      'user-agent': 'Comet API for R cometr/0.4.0',
      accept: 'application/json, text/xml, application/xml, */*',
    }
  }

  async reply(method: string, path: string, init: RequestInit = {}, prefix = '/api/rest/v2'): Promise<Response> {
    const headers = { ...this.headers, ...Object.fromEntries(new Headers(init.headers)) }
    return this.#fetch(new Request(`${this.#base}${prefix}${path}`, { ...init, method, headers }))
  }

  async get<T = Json>(path: string, query: Record<string, string | number | boolean | undefined> = {}): Promise<T> {
    return this.#parsed(await this.reply('GET', path + queryText(query)))
  }

  /** Some of R's requests ask for two slashes. */
  async post<T = Json>(path: string, body: Json): Promise<T> {
    const init = { headers: { 'content-type': 'application/json' }, body: writeJson(body) }
    return this.#parsed(await this.reply('POST', path, init, '//api/rest/v2'))
  }

  async upload(
    path: string,
    query: Record<string, string | number | boolean | undefined>,
    parts: { file?: { name: string; type: string; bytes: Uint8Array }; link?: string; metadata?: string },
  ): Promise<Json> {
    return this.#parsed(await this.uploadReply(path, query, parts))
  }

  uploadReply(
    path: string,
    query: Record<string, string | number | boolean | undefined>,
    parts: { file?: { name: string; type: string; bytes: Uint8Array }; link?: string; metadata?: string },
  ): Promise<Response> {
    const { body, boundary } = multipart(parts)
    return this.reply('POST', path + queryText(query), {
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': String(body.length) },
      body: body.slice(),
    })
  }

  async bytes(path: string, query: Record<string, string>): Promise<{ type: string; bytes: Uint8Array }> {
    const reply = await this.reply('GET', path + queryText(query))
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${await reply.text()}`)
    return { type: reply.headers.get('content-type') ?? '', bytes: new Uint8Array(await reply.arrayBuffer()) }
  }

  async failure(reply: Promise<Response>): Promise<{ status: number; sdk: number; msg: string; code: unknown }> {
    const { status, ...rest } = await reply.then(async (one) => ({ status: one.status, json: await one.json() }))
    const { msg, sdk_error_code: sdk, tidemark, data } = rest.json
    expect(status).not.toBe(200)
    expect(data).toBeNull()
    expect(typeof msg).toBe('string')
    expect(msg).not.toMatch(/\bat .*:\d+:\d+/)
    return { status, sdk, msg, code: tidemark?.code }
  }

  async #parsed<T>(reply: Response): Promise<T> {
    const text = await reply.text()
    if (reply.status !== 200) throw new Error(`answered ${reply.status}: ${text}`)
    expect(reply.headers.get('content-type')).toMatch(/^application\/json(;|$)/)
    return JSON.parse(text)
  }
}

/** As R does: nothing that is NULL or empty travels, a list of one is the one, `</` is escaped; an empty body is `[]`. */
function writeJson(body: Json): string {
  const sent = Object.entries(body).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  )
  if (sent.length === 0) return '[]'
  const unboxed = sent.map(([name, value]) => [name, Array.isArray(value) && value.length === 1 ? value[0] : value])
  return JSON.stringify(Object.fromEntries(unboxed)).replaceAll('</', '<\\/')
}

function queryText(query: Record<string, string | number | boolean | undefined>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => {
    if (value === undefined) return []
    return [`${name}=${encodeURIComponent(typeof value === 'boolean' ? String(value).toUpperCase() : String(value))}`]
  })
  return pairs.length > 0 ? `?${pairs.join('&')}` : ''
}

export function multipart(parts: {
  file?: { name: string; type: string; bytes: Uint8Array }
  link?: string
  metadata?: string
}): { body: Uint8Array; boundary: string } {
  const boundary = '------------------------d74496d66958873e'
  const encoder = new TextEncoder()
  const pieces: Uint8Array[] = []
  const text = (line: string) => pieces.push(encoder.encode(line))
  if (parts.file) {
    const { name, type, bytes } = parts.file
    text(
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n`,
    )
    pieces.push(bytes)
    text('\r\n')
  }
  for (const name of ['link', 'metadata'] as const)
    if (parts[name] !== undefined)
      text(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${parts[name]}\r\n`)
  text(`--${boundary}--\r\n`)
  const body = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    body.set(piece, at)
    at += piece.length
  }
  return { body, boundary }
}

/** Of one type, whatever each of them names. */
function queries(...all: readonly Record<string, string>[]): readonly Record<string, string>[] {
  return all
}

const workspace = 'team'
const project = 'wire test'
const script = { name: 'sample-script.R', type: 'text/plain', bytes: new TextEncoder().encode('x <- 7') }

/** What `docs` say of Comet's REST API v2, asked as its R client asks it. `open` gives an empty server, and a key that may do everything. */
export function cometWireSuite(name: string, open: () => Promise<{ fetch: Fetch; base: string; key?: string }>): void {
  describe(`Comet's wire, ${name}`, () => {
    let client: WireClient
    let key: string

    beforeEach(async () => {
      const { fetch, base, key: apiKey } = await open()
      client = new WireClient(fetch, base, apiKey)
      const made = await client.post('/write/experiment/create', {
        experimentName: 'first',
        projectName: project,
        workspaceName: workspace,
      })
      expect(made).toMatchObject({ workspaceName: workspace, projectName: project })
      expect(typeof made.link).toBe('string')
      key = String(made.experimentKey)
      await client.post('/write/experiment/log-other', {
        experimentKey: key,
        key: 'Created from',
        value: 'cometr',
        timestamp: 1_700_000_000_000,
      })
    })

    const write = (path: string, body: Json) =>
      client.post(`/write/experiment/${path}`, { experimentKey: key, ...body })
    const read = <T = Json>(path: string, query = {}) =>
      client.get<T>(`/experiment/${path}`, { experimentKey: key, ...query })

    it('workspaces, projects, experiments and columns', async () => {
      expect((await client.get<{ workspaceNames: string[] }>('/workspaces')).workspaceNames).toContain(workspace)
      await client.post('/write/project/create', {
        isPublic: false,
        projectName: 'new one',
        workspaceName: workspace,
        projectDescription: 'about it',
      })
      const list = async () =>
        (await client.get<{ projects: Json[] }>('/projects', { workspaceName: workspace })).projects
      expect(await list()).toEqual([
        expect.objectContaining({
          projectName: 'new one',
          projectDescription: 'about it',
          numberOfExperiments: 0,
          public: false,
          workspaceName: workspace,
        }),
        expect.objectContaining({ projectName: project, numberOfExperiments: 1, lastUpdated: expect.any(Number) }),
      ])
      const id = (await list()).find(({ projectName }) => projectName === project)?.projectId
      const byName = { projectName: project, workspaceName: workspace, archived: false }
      const byId = { projectId: String(id), archived: false }
      const described = { projectName: project, workspaceName: workspace, numberOfExperiments: 1 }
      for (const query of [{ projectName: project, workspaceName: workspace }, { projectId: String(id) }])
        expect(await client.get('/project', query)).toMatchObject(described)
      const experiments = await client.get<{ experiments: Json[] }>('/experiments', byName)
      expect(experiments.experiments).toEqual([
        expect.objectContaining({ experimentKey: key, experimentName: 'first', archived: false, projectId: id }),
      ])
      expect(await client.get('/experiments', byId)).toEqual(experiments)
      await write('metric', { metricName: 'loss', metricValue: 1, timestamp: 1 })
      const columns = await client.get<{ columns: Json[] }>('/project/column-names', byName)
      expect(await client.get('/project/column-names', byId)).toEqual(columns)
      expect(columns.columns.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['duration', 'experimentKey', 'Created from', 'loss']),
      )
      expect(columns.columns).toContainEqual({
        name: 'duration',
        id: 'duration--metadata',
        type: 'timenumber',
        source: 'metadata',
      })
      await client.post('/write/project/delete', {
        deleteAllExperiments: true,
        projectName: 'new one',
        workspaceName: workspace,
      })
      expect((await list()).map(({ projectName }) => projectName)).toEqual([project])
      await client.post('/write/project/delete', {
        deleteAllExperiments: true,
        projectName: project,
        workspaceName: workspace,
      })
      expect((await client.failure(client.reply('GET', `/experiment/metadata?experimentKey=${key}`))).sdk).toBe(90211)
      expect((await client.get('/experiments', byName)).experiments).toEqual([])
    })

    it('workspaces that are made, and ones that are not there yet', async () => {
      expect(await client.post('/write/workspace/new', { name: 'lab' })).toEqual({
        msg: 'saved',
        code: 200,
        workspace_name: 'lab',
        workspace_id: expect.any(String),
      })
      expect((await client.get<{ workspaceNames: string[] }>('/workspaces')).workspaceNames).toContain('lab')
      expect(await client.get('/projects', { workspaceName: 'lab' })).toEqual({ projects: [] })
      expect(await client.get('/experiments', { workspaceName: 'lab' })).toEqual({ experiments: [] })
      const again = client.reply('POST', '/write/workspace/new', {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'lab' }),
      })
      expect(await client.failure(again)).toMatchObject({ status: 400, code: 'workspace-exists' })
      // Programs look at what there is before they log.
      const query = { workspaceName: 'nowhere', projectName: 'p' }
      expect(await client.get('/projects', { workspaceName: 'nowhere' })).toEqual({ projects: [] })
      expect(await client.get('/experiments', query)).toEqual({ experiments: [] })
      expect(await client.get('/project/column-names', query)).toMatchObject({ columns: expect.any(Array) })
      expect(await client.get('/artifacts/get-all', { workspace: 'nowhere' })).toEqual({ artifacts: [] })
      expect(await client.failure(client.reply('GET', '/project?workspaceName=nowhere&projectName=p'))).toMatchObject({
        status: 400,
        code: 'project-not-found',
      })
      // What is logged there makes it, and its project.
      await client.post('/write/experiment/create', { workspaceName: 'nowhere', projectName: 'p' })
      expect((await client.get<{ projects: Json[] }>('/projects', { workspaceName: 'nowhere' })).projects).toEqual([
        expect.objectContaining({ projectName: 'p', numberOfExperiments: 1 }),
      ])
      await client.post('/write/project/create', { workspaceName: 'a third', projectName: 'p', isPublic: false })
      expect((await client.get<{ workspaceNames: string[] }>('/workspaces')).workspaceNames).toContain('a third')
    })

    it('pages of projects', async () => {
      for (const projectName of ['a', 'b', 'c', 'd'])
        await client.post('/write/project/create', { projectName, workspaceName: 'paged', isPublic: true })
      const names = async (query: Json) => {
        const { projects, ...rest } = await client.get<{ projects: Json[] }>('/projects/page', {
          workspaceName: 'paged',
          ...query,
        })
        return [projects.map(({ projectName }) => projectName), rest]
      }
      expect(await names({})).toEqual([['a', 'b', 'c', 'd'], { page: 1, pageSize: 100, totalProjects: 4 }])
      expect(await names({ page: 2, pageSize: 3 })).toEqual([['d'], { page: 2, pageSize: 3, totalProjects: 4 }])
      expect(await names({ page: 3, pageSize: 3 })).toEqual([[], { page: 3, pageSize: 3, totalProjects: 4 }])
      for (const query of ['page=0', 'pageSize=0', 'page=x', 'pageSize=100000'])
        expect(
          await client.failure(client.reply('GET', `/projects/page?workspaceName=paged&${query}`)),
          query,
        ).toMatchObject({ status: 400, code: 'invalid-request' })
    })

    it('experiments are moved, or shown elsewhere too', async () => {
      const { experimentKey } = await client.post('/write/experiment/create', {
        projectName: project,
        workspaceName: workspace,
      })
      const second = String(experimentKey)
      const list = async (projectName: string, workspaceName = workspace) =>
        (await client.get<{ experiments: Json[] }>('/experiments', { projectName, workspaceName })).experiments.map(
          (one) => one.experimentKey,
        )
      const move = (experimentKeys: string[], targetProjectName: string, symlink: boolean, to = workspace) =>
        client.post('/write/experiment/move', {
          experimentKeys,
          targetProjectName,
          targetWorkspaceName: to,
          symlink,
        })
      await move([key, second], 'shown', true)
      expect([await list(project), await list('shown')]).toEqual([
        [key, second],
        [key, second],
      ])
      await move([key], 'moved', false)
      expect([await list(project), await list('shown'), await list('moved')]).toEqual([[second], [key, second], [key]])
      expect(await read('metadata')).toMatchObject({ projectName: 'moved', workspaceName: workspace })
      // To another workspace, into a project of the same name; twice is once.
      await move([key, second], 'moved', false, 'elsewhere')
      await move([key, second], 'moved', false, 'elsewhere')
      expect([await list(project), await list('moved'), await list('moved', 'elsewhere')]).toEqual([
        [],
        [],
        [key, second],
      ])
      await write('metric', { metricName: 'loss', metricValue: 1, timestamp: 1 })
      expect(await read('metadata')).toMatchObject({ workspaceName: 'elsewhere', projectName: 'moved' })
      // None goes when one of them is not there.
      const body = { targetProjectName: 'x', targetWorkspaceName: workspace, symlink: false }
      const failing = client.reply('POST', '/write/experiment/move', {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...body, experimentKeys: [key, 'f'.repeat(32)] }),
      })
      expect(await client.failure(failing)).toMatchObject({ status: 400, sdk: 90211 })
      expect(await list('moved', 'elsewhere')).toEqual([key, second])
    })

    it('a project that goes without its experiments leaves them in general', async () => {
      await client.post('/write/project/delete', {
        deleteAllExperiments: false,
        projectName: project,
        workspaceName: workspace,
      })
      expect(await read('metadata')).toMatchObject({ projectName: 'general', experimentName: 'first' })
      const { experiments } = await client.get<{ experiments: Json[] }>('/experiments', {
        projectName: 'general',
        workspaceName: workspace,
      })
      expect(experiments).toHaveLength(1)
    })

    it('metadata, archive, restore, delete, times and the sign of life', async () => {
      expect(await read('metadata')).toMatchObject({
        archived: false,
        running: true,
        hasCrashed: false,
        throttle: false,
        projectName: project,
        workspaceName: workspace,
        experimentName: 'first',
        startTimeMillis: expect.any(Number),
      })
      await client.get('/write/experiment/archive', { experimentKey: key })
      expect(await read('metadata')).toMatchObject({ archived: true })
      const list = async (archived: boolean) =>
        (
          await client.get<{ experiments: Json[] }>('/experiments', {
            projectName: project,
            workspaceName: workspace,
            archived,
          })
        ).experiments.length
      expect([await list(false), await list(true)]).toEqual([0, 1])
      await client.get('/write/experiment/restore', { experimentKey: key })
      expect([await list(false), await list(true)]).toEqual([1, 0])
      await write('set-start-end-time', { startTimeMillis: 1_700_000_000_000 })
      await write('set-start-end-time', { endTimeMillis: 4_000_000_000_000 })
      expect(await read('metadata')).toMatchObject({
        startTimeMillis: 1_700_000_000_000,
        endTimeMillis: 4_000_000_000_000,
      })
      const status = await client.get('/write/experiment/set-status', { experimentKey: key })
      expect(status).toEqual({
        isAliveBeatDurationMillis: 10_000,
        gpuMonitorIntervalMillis: 60_000,
        cpuMonitorIntervalMillis: 68_000,
      })
      expect((await client.get('/write/project/symlink', { experimentKey: key, projectName: 'other' })).link).toEqual(
        expect.any(String),
      )
      expect((await client.get('/write/project/symlink', { experimentKey: key, projectName: project })).link).toEqual(
        expect.any(String),
      )
      const linked = await client.get<{ experiments: Json[] }>('/experiments', {
        projectName: 'other',
        workspaceName: workspace,
      })
      expect(linked.experiments).toEqual([expect.objectContaining({ experimentKey: key, projectName: project })])
      await client.get('/write/experiment/delete', { experimentKey: key })
      expect(await client.failure(client.reply('GET', `/experiment/metadata?experimentKey=${key}`))).toMatchObject({
        status: 400,
        sdk: 90211,
      })
      expect([await list(false), await list(true)]).toEqual([0, 0])
      expect(
        await client.failure(client.reply('GET', `/write/experiment/set-status?experimentKey=${key}`)),
      ).toMatchObject({ sdk: 90211 })
    })

    it('metrics: numbers as R writes them, contexts, summaries in order', async () => {
      await write('metric', { metricName: 'metric1', metricValue: 5, step: 1, epoch: 2, timestamp: 1_700_000_000_001 })
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
        await write('metric', { metricName: 'odd', metricValue: value, step: at, timestamp: at })
      await write('metric', { metricName: 'loss', metricValue: 1, context: 'train', timestamp: 1 })
      await write('metric', { metricName: 'empty', timestamp: 1 })
      const { metrics } = await read<{ metrics: Json[] }>('metrics/get-metric', { metricName: 'metric1' })
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
      const odd = await read<{ metrics: Json[] }>('metrics/get-metric', { metricName: 'odd' })
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
      const { values } = await read<{ values: Json[] }>('metrics/summary')
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
        expect((await read<{ metrics: Json[] }>('metrics/get-metric', { metricName: named })).metrics).toEqual([
          expect.objectContaining({ runContext: 'train' }),
        ])
      for (const metricValue of ['five', true, [], {}])
        expect(
          await client.failure(
            client.reply('POST', '/write/experiment/metric', {
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify({ experimentKey: key, metricName: 'm', metricValue }),
            }),
          ),
        ).toMatchObject({ status: 400 })
    })

    it('charts: full and sampled, independent and at common steps', async () => {
      expect(
        await client.post('/experiments/multi-metric-chart', {
          targetedExperiments: [key],
          fetchFull: true,
          independentMetrics: true,
        }),
      ).toEqual({ experiments: {}, empty: true })
      for (let step = 0; step < 5; step++)
        await write('metric', { metricName: 'a', metricValue: step * step, step, timestamp: 1000 + step })
      for (let step = 1; step < 8; step += 2)
        await write('metric', { metricName: 'b', metricValue: -step, step, timestamp: 2000 + step })
      await write('parameter', { parameterName: 'lr', parameterValue: 0.1, timestamp: 1 })
      const ask = (independentMetrics: boolean, fetchFull = true) =>
        client.post<{
          experiments: Record<string, { steps: number[]; params: Json; metrics: Json[] }>
          empty: boolean
        }>('/experiments/multi-metric-chart', {
          targetedExperiments: [key],
          metrics: ['a', 'b'],
          params: ['lr'],
          fetchFull,
          independentMetrics,
        })
      const apart = await ask(true)
      expect(apart.empty).toBe(false)
      expect(apart.experiments[key]).toMatchObject({
        experiment_key: key,
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
      expect(await client.post('/experiments/multi-metric-chart', { ...some, targetedExperiments: [gone] })).toEqual({
        experiments: {},
        empty: true,
        missing: [gone],
      })
      expect(
        await client.post('/experiments/multi-metric-chart', { ...some, targetedExperiments: [gone, key] }),
      ).toMatchObject({ experiments: { [key]: { metrics: [{ metricName: 'a' }] } }, missing: [gone] })
      const together = await ask(false)
      expect(together.experiments[key]).toMatchObject({
        steps: [0, 1, 2, 3, 4, 5, 7],
        metrics: [{ values: [0, 1, 4, 9, 16, null, null] }, { values: [null, -1, null, -3, null, -5, -7] }],
      })
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
        await write('parameter', { parameterName, parameterValue, timestamp: 5 })
      await write('parameter', { parameterName: 'param1', parameterValue: 3, step: 2, timestamp: 6 })
      const params = await read<{ values: Json[] }>('parameters')
      expect(params.values.map(({ name, valueCurrent }) => [name, valueCurrent])).toEqual([
        ['param1', '3'],
        ...values.slice(1).map(([name, , text]) => [name, text]),
      ])
      expect(params.values[0]).toMatchObject({ valueMax: '10', valueMin: '3', stepCurrent: 2 })
      await write('log-other', { key: 'k', value: 'some value', timestamp: 1 })
      await write('log-other', { key: 'nothing', timestamp: 1 })
      const others = await read<{ values: Json[] }>('log-other')
      expect(others.values).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ name: 'k', valueCurrent: 'some value' }),
          expect.objectContaining({ name: 'Name', valueCurrent: 'first' }),
        ]),
      )
      await write('log-other', { key: 'Name', value: 'renamed', timestamp: 1 })
      expect(await read('metadata')).toMatchObject({ experimentName: 'renamed' })
      await write('tags', { addedTags: [] })
      await write('tags', { addedTags: ['t1'] })
      await write('tags', { addedTags: ['t2', 't1', 'three'] })
      expect(await read('tags')).toEqual({ tags: ['t1', 't2', 'three'] })
      await write('tags/delete', { tags: ['t2', 'never there'] })
      await write('tags/delete', { tags: 'three' })
      expect(await read('tags')).toEqual({ tags: ['t1'] })
      await write('parameter', { parameterName: 'text', parameterValue: 1, context: 'train', timestamp: 7 })
      await write('parameter/delete', { parameterName: 'text' })
      const left = (await read<{ values: Json[] }>('parameters')).values.map(({ name }) => name)
      expect(left).toEqual(['param1', ...values.slice(2).map(([name]) => name)])
    })

    it("under the paths of Comet's Python client too", async () => {
      const version = await client.reply('GET', '/isAlive/ver', {}, '/clientlib')
      expect(await version.json()).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
      const body = JSON.stringify({ experimentKey: key, hostname: 'a-host' })
      const init = { headers: { 'content-type': 'application/json;charset=utf-8' }, body }
      const path = '/write/experiment/system-details'
      expect((await client.reply('POST', path, init, '/clientlib/rest/v2')).status).toBe(200)
      expect(await read('system-details')).toMatchObject({ hostname: 'a-host' })
      const missing = await client.reply('GET', '/experiment/metadata', {}, '/clientlib/rest/v2')
      expect([missing.status, (await missing.json()).sdk_error_code]).toEqual([400, 90998])
    })

    it('texts come back byte for byte', async () => {
      expect([await read('html'), await read('graph'), await read('code'), await read('output')]).toEqual([
        { html: '' },
        { graph: null },
        { code: null },
        { output: '' },
      ])
      await write('html', { html: '<b>é</b>', override: false, timestamp: 1 })
      await write('html', { html: '<i>two</i>', override: false, timestamp: 1 })
      expect(await read('html')).toEqual({ html: '<b>é</b><i>two</i>' })
      await write('html', { html: '<p>new</p>', override: true, timestamp: 1 })
      expect(await read('html')).toEqual({ html: '<p>new</p>' })
      const graph = '{"nodes": [ 1,2 ],\n "edges":[]}'
      await write('graph', { graph })
      expect(await read('graph')).toEqual({ graph })
      await write('code', { code: 'x <- 7' })
      expect(await read('code')).toEqual({ code: 'x <- 7' })
      await write('code', { code: ['a <- 1', '', 'b'] })
      expect(await read('code')).toEqual({ code: 'a <- 1\n\nb' })
      await write('git/metadata', { branch: 'dev', user: 'daattali' })
      expect(await read('git/metadata')).toEqual({
        branch: 'dev',
        user: 'daattali',
        origin: null,
        parent: null,
        root: null,
      })
      await write('system-details', {
        command: ['script.R'],
        pid: 123,
        os: 'Linux',
        installedPackages: ['a@1', 'b@2'],
        logAdditionalSystemInfoList: [{ key: 'k', value: 'v' }],
      })
      expect(await read('system-details')).toMatchObject({
        pid: 123,
        command: ['script.R'],
        installedPackages: ['a@1', 'b@2'],
        logAdditionalSystemInfoList: [{ key: 'k', value: 'v' }],
        ip: null,
      })
      await client.upload(
        '/write/experiment/git/patch',
        { experimentKey: key },
        { file: { name: 'file1.patch', type: 'text/x-diff', bytes: new TextEncoder().encode('diff --git') } },
      )
      expect(
        new TextDecoder().decode((await client.bytes('/experiment/git/patch', { experimentKey: key })).bytes),
      ).toBe('diff --git')
    })

    it('output: lines once each, whatever is sent twice', async () => {
      const lines = (from: number, ...texts: string[]) =>
        write('output', {
          outputLines: [null, ...texts.map((output, at) => ({ offset: from + at, output }))].slice(1),
          context: undefined,
        })
      await client.post('/write/experiment/output', {
        experimentKey: key,
        outputLines: [
          { offset: 1, output: 'one ' },
          { offset: 2, output: '' },
        ],
      })
      await lines(3, 'three', 'four')
      await lines(4, 'four', 'five')
      expect(await read('output')).toEqual({ output: 'one \n\nthree\nfour\nfive' })
    })

    it('assets: names, metadata and text as they were, links, overwriting', async () => {
      const metadata = '{"foo":"bar"}'
      await client.upload(
        '/write/experiment/upload-asset',
        { experimentKey: key, type: 'asset' },
        { file: script, metadata },
      )
      await client.upload(
        '/write/experiment/upload-asset',
        { experimentKey: key, isRemote: true, type: 'asset', overwrite: false },
        { link: 's3://bucket/dir/data.csv', metadata: '{ "a" : [1] }' },
      )
      const list = async (type = 'all') => (await read<{ assets: Json[] }>('asset/list', { type })).assets
      expect(await list()).toEqual([
        expect.objectContaining({
          fileName: 'sample-script.R',
          fileSize: 6,
          remote: false,
          link: null,
          type: 'asset',
          metadata,
        }),
        expect.objectContaining({
          fileName: 'data.csv',
          fileSize: 0,
          remote: true,
          link: 's3://bucket/dir/data.csv',
          type: 'asset',
          metadata: '{ "a" : [1] }',
        }),
      ])
      const [{ assetId }] = await list()
      expect(
        await client.bytes('/experiment/asset/get-asset', { experimentKey: key, assetId: String(assetId) }),
      ).toEqual({ type: 'text/plain; charset=utf-8', bytes: script.bytes })
      const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => (at * 7919) >>> 3)
      const upload = (fileName: string, overwrite: boolean, from = bytes) =>
        client.upload(
          '/write/experiment/upload-asset',
          { experimentKey: key, fileName, overwrite, type: 'image', step: 3, context: 'train' },
          { file: { name: 'x.png', type: 'image/png', bytes: from } },
        )
      await upload('plots/a & b.png', false)
      await upload('plots/a & b.png', true, bytes.subarray(1))
      expect(await list('image')).toEqual([
        expect.objectContaining({
          fileName: 'plots/a & b.png',
          dir: 'plots',
          step: 3,
          runContext: 'train',
          fileSize: 199_999,
          image: true,
        }),
      ])
      await upload('plots/a & b.png', false)
      const [, again] = await list('image')
      expect(
        await client.bytes('/experiment/asset/get-asset', { experimentKey: key, assetId: String(again.assetId) }),
      ).toEqual({ type: 'application/octet-stream', bytes })
      const part = await client.reply(
        'GET',
        `/experiment/asset/get-asset?experimentKey=${key}&assetId=${again.assetId}`,
        { headers: { range: 'bytes=100-199' } },
      )
      expect([part.status, part.headers.get('content-range'), new Uint8Array(await part.arrayBuffer())]).toEqual([
        206,
        'bytes 100-199/200000',
        bytes.slice(100, 200),
      ])
      await client.get('/write/experiment/asset/delete', { experimentKey: key, assetId: String(again.assetId) })
      expect(await list('image')).toHaveLength(1)
      expect(
        await client.failure(
          client.reply('GET', `/experiment/asset/get-asset?experimentKey=${key}&assetId=${again.assetId}`),
        ),
      ).toMatchObject({ code: 'asset-not-found' })
    })

    describe('artifacts', () => {
      const upsert = (body: Json = {}) =>
        client.post('/write/artifacts/upsert', {
          artifactName: 'data set',
          artifactType: 'dataset',
          experimentKey: key,
          ...body,
        })
      const state = (artifactVersionId: unknown, to: string) =>
        client.post('/write/artifacts/state', { artifactVersionId, experimentKey: key, state: to })
      const version = (query: Record<string, string>) => client.get('/artifacts/version', query)
      const asset = (artifactVersionId: unknown, fileName: string, text: string, metadata?: string) =>
        client.upload(
          '/write/experiment/upload-asset',
          {
            experimentKey: key,
            overwrite: false,
            type: 'asset',
            fileName,
            artifactVersionId: String(artifactVersionId),
          },
          { file: { name: 'local.txt', type: 'text/plain', bytes: new TextEncoder().encode(text) }, metadata },
        )
      const log = async (files: Record<string, string>, body: Json = {}) => {
        const made = await upsert(body)
        for (const [name, text] of Object.entries(files)) await asset(made.artifactVersionId, name, text)
        await state(made.artifactVersionId, 'CLOSED')
        return made
      }

      it('are made as R makes them, and read at each step', async () => {
        const metadata = '{"a":1,"b":["x"]}'
        const made = await upsert({ alias: ['one', 'two'], versionTags: ['t'], versionMetadata: metadata })
        expect(made).toMatchObject({ currentVersion: '1.0.0', previousVersion: null })
        const own = {
          artifactId: String(made.artifactId),
          experimentKey: key,
          versionId: String(made.artifactVersionId),
        }
        const open = {
          artifact: {
            artifactId: made.artifactId,
            artifactName: 'data set',
            artifactType: 'dataset',
            workspaceName: workspace,
            tags: [],
          },
          artifactVersionId: made.artifactVersionId,
          artifactVersion: '1.0.0',
          alias: ['one', 'two'],
          tags: ['t'],
          metadata,
          experimentKey: key,
          state: 'OPEN',
        }
        expect(await version(own)).toMatchObject(open)
        const byName = { artifactName: 'data set', experimentKey: key, consumerExperimentKey: key }
        for (const query of queries(byName, { ...byName, versionOrAlias: '1.0.0' }))
          expect(
            await client.failure(client.reply('GET', `/artifacts/version?${new URLSearchParams(query)}`)),
          ).toMatchObject({ status: 400, sdk: 90402 })
        expect(
          await client.failure(
            client.reply('GET', `/artifacts/version?${new URLSearchParams({ ...byName, versionOrAlias: 'one' })}`),
          ),
        ).toMatchObject({ status: 400, sdk: 624523 })
        await asset(made.artifactVersionId, 'dir/a.txt', 'text a', '{"foo":"bar"}')
        await asset(made.artifactVersionId, 'b.txt', 'text b'.repeat(5000))
        await client.upload(
          '/write/experiment/upload-asset',
          {
            experimentKey: key,
            type: 'asset',
            isRemote: true,
            fileName: 'far/r.bin',
            artifactVersionId: String(made.artifactVersionId),
          },
          { link: 's3://b/k', metadata: '{"size":3}' },
        )
        await state(made.artifactVersionId, 'CLOSED')
        const closed = await version(byName)
        expect(closed).toMatchObject({
          ...open,
          state: 'CLOSED',
          alias: ['one', 'two', 'Latest'],
          sizeInBytes: 6 + 30_000,
        })
        for (const query of queries(
          own,
          { ...byName, versionOrAlias: 'two' },
          { ...byName, versionOrAlias: '1.0.0', workspace },
          { artifactId: own.artifactId, versionOrAlias: 'latest' },
        ))
          expect(await version(query)).toEqual(closed)
        const { files } = await client.get<{ files: Json[] }>('/artifacts/version/files', {
          workspace,
          artifactName: 'data set',
          version: '1.0.0',
        })
        expect(files).toEqual([
          expect.objectContaining({ fileName: 'b.txt', fileSize: 30_000, remote: false, link: null, metadata: null }),
          expect.objectContaining({
            fileName: 'dir/a.txt',
            fileSize: 6,
            remote: false,
            metadata: '{"foo":"bar"}',
            artifactVersionId: made.artifactVersionId,
          }),
          expect.objectContaining({ fileName: 'far/r.bin', remote: true, link: 's3://b/k', metadata: '{"size":3}' }),
        ])
        for (const [at, text] of [
          [0, 'text b'.repeat(5000)],
          [1, 'text a'],
        ] as const) {
          const { bytes } = await client.bytes('/experiment/asset/get-asset', {
            experimentKey: key,
            assetId: String(files[at].assetId),
            artifactVersionId: String(made.artifactVersionId),
          })
          expect(new TextDecoder().decode(bytes)).toBe(text)
        }
        // Assets of artifacts are not among those of the experiment.
        expect((await read<{ assets: Json[] }>('asset/list', { type: 'all' })).assets).toEqual([])
        const zip = await client.bytes('/artifacts/version/download', {
          artifactVersionId: String(made.artifactVersionId),
          experimentKey: key,
        })
        expect(zip.type).toBe('application/zip')
        expect(new TextDecoder().decode(zip.bytes.slice(0, 2))).toBe('PK')
      })

      it('count their versions, and honour numbers', async () => {
        await log({ a: '1' })
        expect(await upsert()).toMatchObject({ currentVersion: '2.0.0', previousVersion: '1.0.0' })
        await log({ a: '2' }, { version: '3.3.1' })
        const query = { artifactName: 'data set', experimentKey: key }
        expect(await version(query)).toMatchObject({ artifactVersion: '3.3.1' })
        const taken = client.reply('POST', '/write/artifacts/upsert', {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            artifactName: 'data set',
            artifactType: 'dataset',
            experimentKey: key,
            version: '3.3.1',
          }),
        })
        expect(await client.failure(taken)).toMatchObject({ status: 400, sdk: 90399 })
        expect(await upsert()).toMatchObject({ currentVersion: '4.0.0', previousVersion: '3.3.1' })
        // None but closed ones are found.
        expect(await version(query)).toMatchObject({ artifactVersion: '3.3.1' })
      })

      it('move aliases when a version closes, never when one fails', async () => {
        await log({ a: '1' }, { alias: ['best'] })
        const failing = await upsert({ alias: ['best'] })
        await asset(failing.artifactVersionId, 'a', '2')
        const best = { artifactName: 'data set', experimentKey: key, versionOrAlias: 'best' }
        expect(await version(best)).toMatchObject({ artifactVersion: '1.0.0', alias: ['best', 'Latest'] })
        await state(failing.artifactVersionId, 'ERROR')
        expect(await version(best)).toMatchObject({ artifactVersion: '1.0.0' })
        for (const query of queries(
          { ...best, versionOrAlias: '2.0.0' },
          { versionId: String(failing.artifactVersionId) },
        ))
          expect(
            await client.failure(client.reply('GET', `/artifacts/version?${new URLSearchParams(query)}`)),
          ).toMatchObject({ sdk: 90403 })
        await log({ a: '3' }, { alias: ['best'] })
        expect(await version(best)).toMatchObject({ artifactVersion: '3.0.0', alias: ['best', 'Latest'] })
        expect(await version({ ...best, versionOrAlias: '1.0.0' })).toMatchObject({ alias: [] })
      })

      it('change tags, labels and aliases one list at a time', async () => {
        const made = await log({ a: '1' }, { alias: ['x'], versionTags: ['v'] })
        const query = { artifactName: 'data set', experimentKey: key }
        await client.post('/write/artifacts/details', { artifactId: made.artifactId, tags: ['one'] })
        await client.post('/write/artifacts/version/labels', {
          artifactVersionId: made.artifactVersionId,
          versionTags: ['w', 'u'],
        })
        expect(await version(query)).toMatchObject({
          artifact: { tags: ['one'] },
          tags: ['w', 'u'],
          alias: ['x', 'Latest'],
        })
        await client.post('/write/artifacts/version/labels', {
          artifactVersionId: made.artifactVersionId,
          alias: ['y', 'z'],
        })
        expect(await version(query)).toMatchObject({ artifact: { tags: ['one'] }, tags: ['w', 'u'], alias: ['y', 'z'] })
        await client.post('/write/artifacts/version/labels', { artifactVersionId: made.artifactVersionId })
        expect(await version(query)).toMatchObject({ alias: ['y', 'z'] })
        await client.post('/write/artifacts/details', {
          artifactId: made.artifactId,
          artifactType: 'table',
          version: '1.0.0',
          versionMetadata: '{"b":2}',
        })
        expect(await version(query)).toMatchObject({ metadata: '{"b":2}', artifact: { tags: ['one'] } })
        expect(await client.get('/artifacts/get-all', { workspace })).toMatchObject({ artifacts: [{ type: 'table' }] })
      })

      it('do not change once they are closed', async () => {
        const made = await log({ a: '1' })
        const post = (path: string, body: Json) =>
          client.failure(
            client.reply('POST', path, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
          )
        for (const to of ['CLOSED', 'ERROR', 'OPEN'])
          expect(
            await post('/write/artifacts/state', { artifactVersionId: made.artifactVersionId, state: to }),
          ).toMatchObject({ sdk: 90401 })
        expect(
          await post('/write/artifacts/state', { artifactVersionId: made.artifactVersionId, state: 'DONE' }),
        ).toMatchObject({ sdk: 90410 })
        const late = client.uploadReply(
          '/write/experiment/upload-asset',
          { experimentKey: key, fileName: 'b', artifactVersionId: String(made.artifactVersionId) },
          { file: script },
        )
        expect(await client.failure(late)).toMatchObject({ sdk: 90401 })
        expect(
          (
            await client.get<{ files: Json[] }>('/artifacts/version/files', {
              artifactVersionId: String(made.artifactVersionId),
            })
          ).files,
        ).toHaveLength(1)
      })

      it('without assets, of one path twice, and unknown ones', async () => {
        const empty = await upsert()
        await state(empty.artifactVersionId, 'CLOSED')
        expect(await version({ artifactName: 'data set', workspace })).toMatchObject({ sizeInBytes: 0 })
        const made = await upsert()
        await asset(made.artifactVersionId, 'a', 'text')
        await asset(made.artifactVersionId, 'a', 'text')
        const other = { file: { ...script, bytes: new TextEncoder().encode('other') } }
        const query = { experimentKey: key, fileName: 'a', artifactVersionId: String(made.artifactVersionId) }
        expect(await client.failure(client.uploadReply('/write/experiment/upload-asset', query, other))).toMatchObject({
          code: 'asset-exists',
        })
        await client.upload('/write/experiment/upload-asset', { ...query, overwrite: true }, other)
        await state(made.artifactVersionId, 'CLOSED')
        const { files } = await client.get<{ files: Json[] }>('/artifacts/version/files', {
          artifactVersionId: String(made.artifactVersionId),
        })
        expect(files).toEqual([expect.objectContaining({ fileName: 'a', fileSize: 5 })])
        for (const unknown of queries(
          { artifactName: 'none', workspace },
          { artifactName: 'data set', workspace, versionOrAlias: '9.9.9' },
          { artifactName: 'data set', workspace, versionOrAlias: 'nobody' },
        ))
          expect(
            await client.failure(client.reply('GET', `/artifacts/version?${new URLSearchParams(unknown)}`)),
          ).toMatchObject({ status: 400, sdk: 624523 })
      })

      it('are listed, described, deleted; and know their consumers', async () => {
        const made = await log({ a: '1' }, { alias: ['x'] })
        await log({ a: '2' })
        await version({ artifactName: 'data set', experimentKey: key, consumerExperimentKey: key, versionOrAlias: 'x' })
        expect(
          await client.get('/artifacts/version/consumers', { artifactVersionId: String(made.artifactVersionId) }),
        ).toMatchObject({ consumers: [{ experimentKey: key, experimentName: 'first' }] })
        expect(await client.get('/artifacts/get-all', { workspace })).toMatchObject({
          artifacts: [{ artifactId: made.artifactId, name: 'data set', type: 'dataset', project, versionsCount: 2 }],
        })
        expect(await client.get('/artifacts/get', { workspace, artifactName: 'data set' })).toMatchObject({
          latestVersion: '2.0.0',
          versions: [
            { version: '2.0.0', alias: ['Latest'], state: 'CLOSED' },
            { version: '1.0.0', alias: ['x'] },
          ],
        })
        await client.get('/write/artifacts/version/delete', { artifactVersionId: String(made.artifactVersionId) })
        expect(await client.get('/artifacts/get', { artifactId: String(made.artifactId) })).toMatchObject({
          versions: [{ version: '2.0.0' }],
        })
        await client.get('/write/artifacts/delete', { artifactId: String(made.artifactId) })
        expect(await client.get('/artifacts/get-all', { workspace })).toEqual({ artifacts: [] })
      })
    })

    describe('bad input is told apart, with a code and what to do:', () => {
      const post = (path: string, body: string, type = 'application/json') =>
        client.failure(client.reply('POST', path, { headers: { 'content-type': type }, body }))

      it('bodies', async () => {
        for (const body of ['{', '"text"', '[1]', '1', 'null', '{"experimentKey":1}', '\u0000'])
          expect((await post('/write/experiment/metric', body)).status).toBe(400)
        expect(await post('/write/experiment/metric', '{}', 'text/plain')).toMatchObject({ status: 400 })
        expect(await post('/write/experiment/metric', '{}')).toMatchObject({ status: 400, sdk: 90998 })
        expect(
          await post(
            '/write/experiment/html',
            JSON.stringify({ experimentKey: key, html: 'x'.repeat(9 * 1024 * 1024) }),
          ),
        ).toMatchObject({ status: 413 })
        expect(await post('/write/project/create', JSON.stringify({ workspaceName: workspace }))).toMatchObject({
          sdk: 98219,
        })
        for (const name of ['', 'a\u0000b', 'a\nb', 'x'.repeat(2000), '\ud800'])
          expect(
            (
              await post(
                '/write/experiment/metric',
                JSON.stringify({ experimentKey: key, metricName: name, metricValue: 1 }),
              )
            ).status,
          ).toBe(400)
        for (const name of ['a/b', 'a:b', '..', 'x'.repeat(200), '\u0007'])
          expect(
            (await post('/write/experiment/create', JSON.stringify({ workspaceName: workspace, projectName: name })))
              .status,
          ).toBe(400)
        expect(
          await post(
            '/write/experiment/output',
            JSON.stringify({ experimentKey: key, outputLines: [{ offset: 'x' }] }),
          ),
        ).toMatchObject({ status: 400 })
      })

      it('forms', async () => {
        const query = `?experimentKey=${key}`
        const { body, boundary } = multipart({ file: script, metadata: '{}' })
        const send = (bytes: Uint8Array, type = `multipart/form-data; boundary=${boundary}`) =>
          client.failure(
            client.reply('POST', `/write/experiment/upload-asset${query}`, {
              headers: { 'content-type': type },
              body: bytes.slice(),
            }),
          )
        for (const length of [0, 1, 20, 60, 150, 200, body.length - 30, body.length - 6])
          expect(await send(body.slice(0, length)), String(length)).toMatchObject({ status: 400 })
        for (const type of ['application/json', 'multipart/form-data', 'multipart/form-data; boundary=other'])
          expect((await send(body, type)).status).toBe(400)
        expect((await send(new TextEncoder().encode(`--${boundary}--\r\n`))).status).toBe(400)
        for (const fileName of ['', '../x', '/etc/passwd', 'a\\b', 'con', 'a//b', 'x'.repeat(2000), '\u0000'].slice(
          1,
        )) {
          const made = await client.post('/write/artifacts/upsert', {
            artifactName: 'a',
            artifactType: 't',
            experimentKey: key,
          })
          const reply = client.uploadReply(
            '/write/experiment/upload-asset',
            { experimentKey: key, fileName, artifactVersionId: String(made.artifactVersionId) },
            { file: script },
          )
          expect((await client.failure(reply)).status, fileName).toBe(400)
        }
        expect((await read<{ assets: Json[] }>('asset/list', { type: 'all' })).assets).toEqual([])
      })

      it('things that are not there', async () => {
        const none = 'f'.repeat(32)
        for (const path of [
          'metadata',
          'metrics/summary',
          'parameters',
          'tags',
          'html',
          'graph',
          'code',
          'output',
          'system-details',
          'git/metadata',
          'git/patch',
          'asset/list',
          'log-other',
        ])
          expect(
            await client.failure(client.reply('GET', `/experiment/${path}?experimentKey=${none}`)),
            path,
          ).toMatchObject({ status: 400, sdk: 90211 })
        expect(await client.failure(client.reply('GET', '/experiment/metadata'))).toMatchObject({ sdk: 90998 })
        expect(await client.failure(client.reply('GET', '/experiment/metadata?experimentKey=..%2F..'))).toMatchObject({
          sdk: 90211,
        })
        expect(await client.failure(client.reply('GET', '/nowhere'))).toMatchObject({ status: 404 })
        expect(
          await client.failure(
            client.reply('POST', '/workspaces', { headers: { 'content-type': 'application/json' }, body: '{}' }),
          ),
        ).toMatchObject({ status: 405 })
        expect((await client.failure(client.reply('GET', '/artifacts/version/files?artifactVersionId=x'))).status).toBe(
          400,
        )
        const { projectId } = await read('metadata')
        await client.post('/write/project/delete', {
          deleteAllExperiments: true,
          projectName: project,
          workspaceName: workspace,
        })
        for (const path of ['experiments', 'project/column-names'])
          expect(await client.failure(client.reply('GET', `/${path}?projectId=${projectId}`)), path).toMatchObject({
            status: 400,
            code: 'project-not-found',
          })
      })
    })
  })
}
