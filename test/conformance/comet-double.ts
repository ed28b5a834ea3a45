/**
 * Comet as far as its REST API v2 is known, for clients: written from what is public about it, and sharing nothing with our own backend. It has none of our routes, gives ids
 * that say nothing, and is strict about what a client may rely on.
 */
export interface CometDouble {
  fetch(request: Request): Promise<Response>
  /** `GET /experiments`, in order. */
  readonly requests: string[]
}

interface Run {
  key: string
  name: string
  workspace: string
  project: string
  archived: boolean
  start: number
  end: number | null
  beats: number
  metrics: Record<string, unknown>[]
  facets: { parameters: Map<string, Facet>; 'log-other': Map<string, Facet> }
  tags: string[]
  html: string
  texts: Record<string, unknown>
  git: Record<string, unknown>
  system: Record<string, unknown>
  patch: Uint8Array
  lines: Map<string, string>
  assets: StoredAsset[]
}

interface Facet {
  name: string
  valueCurrent: string
  valueMin: string
  valueMax: string
  timestampCurrent: number
}

interface StoredAsset {
  assetId: string
  fileName: string
  fileSize: number
  type: string
  remote: boolean
  link: string | null
  metadata: string | null
  step: number | null
  runContext: string | null
  createdAt: number
  bytes: Uint8Array
}

interface Version {
  id: string
  number: string
  state: 'OPEN' | 'CLOSED' | 'ERROR'
  alias: string[]
  tags: string[]
  metadata: string | null
  experimentKey: string
  added: number
  files: StoredAsset[]
}

interface Line {
  id: string
  workspace: string
  name: string
  type: string
  description: string | null
  tags: string[]
  versions: Version[]
}

type Body = Record<string, unknown>

class Refusal extends Error {
  readonly status: number
  readonly sdk: number
  constructor(message: string, sdk: number, status = 400) {
    super(message)
    this.sdk = sdk
    this.status = status
  }
}

export function cometDouble(apiKey = 'comet-key'): CometDouble {
  const runs = new Map<string, Run>()
  const lines: Line[] = []
  const projects = new Map<string, { description: string; public: boolean }>()
  const requests: string[] = []
  let ids = 0
  const newId = () => `id${(ids++).toString(36).padStart(6, '0')}`

  const runOf = (key: unknown): Run => {
    if (typeof key !== 'string' || key === '') throw new Refusal('no experiment key', 90998)
    const run = runs.get(key)
    if (!run) throw new Refusal('no such experiment', 90211)
    return run
  }
  const lineOf = (workspace: unknown, name: unknown): Line => {
    const line = lines.find((one) => one.workspace === workspace && one.name === name)
    if (!line) throw new Refusal('no such artifact', 624523)
    return line
  }
  const versionById = (id: unknown): { line: Line; version: Version } => {
    for (const line of lines) for (const version of line.versions) if (version.id === id) return { line, version }
    throw new Refusal('no such version', 624523)
  }
  const open = (id: unknown) => {
    const found = versionById(id)
    if (found.version.state !== 'OPEN') throw new Refusal('the version is immutable', 90401)
    return found
  }

  const toVersion = ({ line, version }: { line: Line; version: Version }) => ({
    artifactVersionId: version.id,
    artifactVersion: version.number,
    alias: version.alias,
    tags: version.tags,
    metadata: version.metadata,
    sizeInBytes: version.files.reduce((sum, { fileSize }) => sum + fileSize, 0),
    experimentKey: version.experimentKey,
    added: version.added,
    artifact: {
      artifactId: line.id,
      artifactName: line.name,
      artifactType: line.type,
      workspaceName: line.workspace,
      description: line.description,
      tags: line.tags,
    },
  })

  function findVersion(query: URLSearchParams) {
    const id = query.get('versionId')
    if (id !== null) return versionById(id)
    const workspace = query.get('workspace') ?? runOf(query.get('experimentKey')).workspace
    const line = lineOf(workspace, query.get('artifactName'))
    const wanted = query.get('versionOrAlias') ?? query.get('version')
    const version =
      wanted === null
        ? line.versions.findLast(({ state }) => state === 'CLOSED')
        : (line.versions.find(({ number }) => number === wanted) ??
          line.versions.find(({ alias }) => alias.some((one) => one.toLowerCase() === wanted.toLowerCase())))
    if (!version) throw new Refusal('no such version', 624523)
    if (version.state === 'OPEN') throw new Refusal('not closed', 90402)
    if (version.state === 'ERROR') throw new Refusal('failed', 90403)
    return { line, version }
  }

  function facet(run: Run, kind: keyof Run['facets'], name: unknown, value: unknown, timestamp: unknown): void {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    const facets = run.facets[kind]
    facets.set(String(name), {
      name: String(name),
      valueCurrent: text,
      valueMin: text,
      valueMax: text,
      timestampCurrent: Number(timestamp),
    })
    if (kind === 'log-other' && name === 'Name') run.name = text
  }

  const listed = ({ metricName, context }: Record<string, unknown>) =>
    context === undefined ? String(metricName) : `${context}_${metricName}`

  function summary(run: Run) {
    const byName = new Map<string, Record<string, unknown>[]>()
    for (const point of run.metrics) byName.set(listed(point), [...(byName.get(listed(point)) ?? []), point])
    return Array.from(byName, ([name, points]) => {
      const numbers = points.map(({ metricValue }) => Number(metricValue)).filter((one) => !Number.isNaN(one))
      const last = points[points.length - 1]
      return {
        name,
        valueCurrent: String(last.metricValue),
        valueMin: String(numbers.length > 0 ? Math.min(...numbers) : Number.NaN),
        valueMax: String(numbers.length > 0 ? Math.max(...numbers) : Number.NaN),
        stepCurrent: last.step ?? null,
        timestampCurrent: last.timestamp,
      }
    })
  }

  const metadataOf = (run: Run) => ({
    experimentKey: run.key,
    experimentName: run.name,
    projectId: `${run.workspace}-${run.project}`,
    projectName: run.project,
    workspaceName: run.workspace,
    archived: run.archived,
    startTimeMillis: run.start,
    endTimeMillis: run.end,
    durationMillis: Math.max(0, (run.end ?? run.start) - run.start),
    running: run.beats > 0 && run.end === null,
  })

  async function upload(request: Request, query: URLSearchParams): Promise<object> {
    const run = runOf(query.get('experimentKey'))
    const form = await request.formData()
    const [part, link, metadata] = [form.get('file'), form.get('link'), form.get('metadata')]
    const bytes = part instanceof File ? new Uint8Array(await part.arrayBuffer()) : new Uint8Array(0)
    if (!(part instanceof File) && typeof link !== 'string') throw new Refusal('neither file nor link', 0)
    const name = query.get('fileName') ?? (part instanceof File ? part.name : 'remote')
    const asset: StoredAsset = {
      assetId: query.get('assetId') ?? newId(),
      fileName: name,
      fileSize: bytes.length,
      type: query.get('type') ?? 'asset',
      remote: typeof link === 'string',
      link: typeof link === 'string' ? link : null,
      metadata: typeof metadata === 'string' ? metadata : null,
      step: query.has('step') ? Number(query.get('step')) : null,
      runContext: query.get('context'),
      createdAt: Date.now(),
      bytes,
    }
    const versionId = query.get('artifactVersionId')
    if (versionId !== null) {
      const { version } = open(versionId)
      version.files = version.files.filter(({ assetId }) => assetId !== asset.assetId)
      version.files.push({ ...asset, type: 'unknown' })
    } else {
      if (query.get('overwrite')?.toLowerCase() === 'true')
        run.assets = run.assets.filter(({ fileName }) => fileName !== name)
      run.assets = run.assets.filter(({ assetId }) => assetId !== asset.assetId)
      run.assets.push(asset)
    }
    return { assetId: asset.assetId }
  }

  function upsert(body: Body): object {
    const run = runOf(body.experimentKey)
    const { artifactName, artifactType } = body
    let line = lines.find((one) => one.workspace === run.workspace && one.name === artifactName)
    if (!line) {
      line = {
        id: newId(),
        workspace: run.workspace,
        name: String(artifactName),
        type: String(artifactType),
        description: null,
        tags: [],
        versions: [],
      }
      lines.push(line)
    }
    if (typeof body.description === 'string') line.description = body.description
    const highest = Math.max(0, ...line.versions.map(({ number }) => Number(number.split('.')[0])))
    const number = typeof body.version === 'string' ? body.version : `${highest + 1}.0.0`
    if (line.versions.some((one) => one.number === number)) throw new Refusal('version exists', 90399)
    if (body.versionMetadata !== undefined && typeof body.versionMetadata !== 'string')
      throw new Refusal('versionMetadata is no string', 0)
    const version: Version = {
      id: newId(),
      number,
      state: 'OPEN',
      alias: textsOf(body.alias),
      tags: textsOf(body.versionTags),
      metadata: typeof body.versionMetadata === 'string' ? body.versionMetadata : null,
      experimentKey: run.key,
      added: Date.now(),
      files: [],
    }
    line.versions.push(version)
    return { artifactId: line.id, artifactVersionId: version.id, currentVersion: number, previousVersion: null }
  }

  function setState(body: Body): object {
    const { line, version } = open(body.artifactVersionId)
    if (body.state !== 'CLOSED' && body.state !== 'ERROR') throw new Refusal('no such state', 90410)
    version.state = body.state
    if (version.state === 'CLOSED') moveAliases(line, version, [...version.alias, 'Latest'])
    return {}
  }

  function moveAliases(line: Line, to: Version, alias: readonly string[]): void {
    for (const other of line.versions)
      if (other !== to) other.alias = other.alias.filter((one) => !alias.includes(one) || other.state !== 'CLOSED')
    to.alias = [...new Set(alias)]
  }

  const posts: Record<string, (body: Body) => unknown> = {
    '/write/experiment/create': (body) => {
      const key = typeof body.experimentKey === 'string' ? body.experimentKey : newId()
      if (runs.has(key)) throw new Refusal('the experiment exists', 90999)
      const run: Run = {
        key,
        name: typeof body.experimentName === 'string' ? body.experimentName : 'odd_name_1',
        workspace: String(body.workspaceName),
        project: String(body.projectName),
        archived: false,
        start: Date.now(),
        end: null,
        beats: 0,
        metrics: [],
        facets: { parameters: new Map(), 'log-other': new Map() },
        tags: [],
        html: '',
        texts: {},
        git: {},
        system: {},
        patch: new Uint8Array(0),
        lines: new Map(),
        assets: [],
      }
      runs.set(key, run)
      const place = `${run.workspace}/${run.project}`
      if (!projects.has(place)) projects.set(place, { description: '', public: false })
      return {
        experimentKey: key,
        name: run.name,
        link: `https://comet.example/${place}/${key}`,
        workspaceName: run.workspace,
        projectName: run.project,
      }
    },
    '/write/experiment/metric': (body) => {
      const { metricValue } = body
      if (typeof metricValue !== 'number' && !['NaN', 'Infinity', '-Infinity'].includes(String(metricValue)))
        throw new Refusal('no metric value', 0)
      runOf(body.experimentKey).metrics.push(body)
    },
    '/write/experiment/parameter': (body) =>
      facet(runOf(body.experimentKey), 'parameters', body.parameterName, body.parameterValue, body.timestamp),
    '/write/experiment/log-other': (body) =>
      facet(runOf(body.experimentKey), 'log-other', body.key, body.value, body.timestamp),
    '/write/experiment/tags': (body) => {
      const run = runOf(body.experimentKey)
      run.tags = [...new Set([...run.tags, ...textsOf(body.addedTags)])]
    },
    '/write/experiment/html': (body) => {
      const run = runOf(body.experimentKey)
      run.html = body.override === true ? String(body.html) : run.html + String(body.html)
    },
    '/write/experiment/graph': (body) => {
      runOf(body.experimentKey).texts.graph = needString(body.graph)
    },
    '/write/experiment/code': (body) => {
      runOf(body.experimentKey).texts.code = needString(body.code)
    },
    '/write/experiment/git/metadata': ({ experimentKey, ...git }) => {
      runOf(experimentKey).git = git
    },
    '/write/experiment/system-details': ({ experimentKey, ...system }) => {
      runOf(experimentKey).system = system
    },
    '/write/experiment/output': (body) => {
      const { outputLines } = body
      if (!Array.isArray(outputLines)) throw new Refusal('no lines', 0)
      for (const { offset, output, stderr } of outputLines) {
        if (!(offset >= 1) || typeof output !== 'string') throw new Refusal('not a line', 0)
        runOf(body.experimentKey).lines.set(`${stderr === true} ${offset}`, output)
      }
    },
    '/write/experiment/set-start-end-time': (body) => {
      const run = runOf(body.experimentKey)
      if (typeof body.startTimeMillis === 'number') run.start = body.startTimeMillis
      if (typeof body.endTimeMillis === 'number') run.end = body.endTimeMillis
    },
    '/write/project/create': (body) => {
      const place = `${body.workspaceName}/${body.projectName}`
      if (projects.has(place)) throw new Refusal('project exists', 0)
      projects.set(place, { description: String(body.projectDescription), public: body.isPublic === true })
      return { projectId: place.replace('/', '-') }
    },
    '/write/project/delete': (body) => {
      projects.delete(`${body.workspaceName}/${body.projectName}`)
      for (const run of runs.values())
        if (run.workspace === body.workspaceName && run.project === body.projectName && body.deleteAllExperiments)
          runs.delete(run.key)
    },
    '/experiments/multi-metric-chart': (body) => {
      const keys = textsOf(body.targetedExperiments)
      const metrics = textsOf(body.metrics)
      const charts = keys.map((key) => {
        const { metrics: points } = runOf(key)
        return {
          experiment_key: key,
          steps: [],
          epochs: [],
          params: null,
          metrics: metrics.map((metricName) => {
            const own = points.filter((point) => listed(point) === metricName)
            const column = (field: string) => own.map((point) => point[field] ?? null)
            return {
              metricName,
              values: column('metricValue'),
              steps: column('step'),
              epochs: column('epoch'),
              timestamps: column('timestamp'),
              durations: own.map(() => 0),
            }
          }),
        }
      })
      return { experiments: Object.fromEntries(charts.map((one) => [one.experiment_key, one])), empty: false }
    },
    '/write/artifacts/upsert': upsert,
    '/write/artifacts/state': setState,
    '/write/artifacts/details': (body) => {
      const line = lines.find(({ id }) => id === body.artifactId)
      if (!line) throw new Refusal('no such artifact', 624522)
      line.tags = textsOf(body.tags)
    },
    '/write/artifacts/version/labels': (body) => {
      const { line, version } = versionById(body.artifactVersionId)
      if (body.alias !== undefined) moveAliases(line, version, textsOf(body.alias))
      if (body.versionTags !== undefined) version.tags = textsOf(body.versionTags)
      if (typeof body.versionMetadata === 'string') version.metadata = body.versionMetadata
    },
  }

  const gets: Record<string, (query: URLSearchParams) => unknown> = {
    '/workspaces': () => ({ workspaceNames: [...new Set(Array.from(runs.values(), ({ workspace }) => workspace))] }),
    '/projects': (query) => {
      const prefix = `${query.get('workspaceName')}/`
      return {
        projects: [...projects]
          .filter(([place]) => place.startsWith(prefix))
          .map(([place, about]) => ({
            projectId: place.replace('/', '-'),
            projectName: place.slice(prefix.length),
            projectDescription: about.description,
            workspaceName: query.get('workspaceName'),
            public: about.public,
          })),
      }
    },
    '/experiments': (query) => ({
      experiments: [...runs.values()]
        .filter(
          ({ workspace, project, archived }) =>
            workspace === query.get('workspaceName') &&
            (query.get('projectName') ?? project) === project &&
            archived === (query.get('archived')?.toLowerCase() === 'true'),
        )
        .map(metadataOf),
    }),
    '/project/column-names': (query) => {
      const members = [...runs.values()].filter(({ project }) => project === query.get('projectName'))
      const metrics = new Set(members.flatMap((run) => run.metrics.map(listed)))
      const params = new Set(members.flatMap((run) => [...run.facets.parameters.keys()]))
      const column = (source: string, type: string) => (name: string) => ({
        name,
        id: `${name}--${source}`,
        type,
        source,
      })
      return {
        columns: [
          ...['experimentKey', 'duration'].map(column('metadata', 'string')),
          ...[...metrics].map(column('metrics', 'double')),
          ...[...params].map(column('params', 'string')),
        ],
      }
    },
    '/experiment/metadata': (query) => metadataOf(runOf(query.get('experimentKey'))),
    '/experiment/metrics/get-metric': (query) => ({
      metrics: runOf(query.get('experimentKey'))
        .metrics.filter((point) => listed(point) === query.get('metricName'))
        .map(({ metricName, metricValue, step, epoch, context, timestamp }) => ({
          metricName,
          metricValue: String(metricValue),
          step: step ?? null,
          epoch: epoch ?? null,
          runContext: context ?? null,
          timestamp,
        })),
    }),
    '/experiment/metrics/summary': (query) => ({ values: summary(runOf(query.get('experimentKey'))) }),
    '/experiment/parameters': (query) => ({
      values: [...runOf(query.get('experimentKey')).facets.parameters.values()],
    }),
    '/experiment/log-other': (query) => {
      const run = runOf(query.get('experimentKey'))
      const name = { name: 'Name', valueCurrent: run.name, valueMin: run.name, valueMax: run.name, timestampCurrent: 0 }
      const others = [...run.facets['log-other'].values()]
      return { values: run.facets['log-other'].has('Name') ? others : [...others, name] }
    },
    '/experiment/tags': (query) => ({ tags: runOf(query.get('experimentKey')).tags }),
    '/experiment/html': (query) => ({ html: runOf(query.get('experimentKey')).html }),
    '/experiment/graph': (query) => ({ graph: runOf(query.get('experimentKey')).texts.graph ?? null }),
    '/experiment/code': (query) => ({ code: runOf(query.get('experimentKey')).texts.code ?? null }),
    '/experiment/git/metadata': (query) => runOf(query.get('experimentKey')).git,
    '/experiment/git/patch': (query) => runOf(query.get('experimentKey')).patch,
    '/experiment/system-details': (query) => runOf(query.get('experimentKey')).system,
    '/experiment/output': (query) => ({ output: [...runOf(query.get('experimentKey')).lines.values()].join('\n') }),
    '/experiment/asset/list': (query) => {
      const type = query.get('type') ?? 'all'
      const { assets } = runOf(query.get('experimentKey'))
      return { assets: assets.filter((one) => type === 'all' || one.type === type).map(withoutBytes) }
    },
    '/experiment/asset/get-asset': (query) => {
      runOf(query.get('experimentKey'))
      const versionId = query.get('artifactVersionId')
      const assets =
        versionId === null ? runOf(query.get('experimentKey')).assets : versionById(versionId).version.files
      const asset = assets.find(({ assetId }) => assetId === query.get('assetId'))
      if (!asset) throw new Refusal('no such asset', 0, 404)
      return asset.bytes
    },
    '/write/experiment/set-status': (query) => {
      runOf(query.get('experimentKey')).beats++
      return { isAliveBeatDurationMillis: 10_000, gpuMonitorIntervalMillis: 60_000, cpuMonitorIntervalMillis: 68_000 }
    },
    '/write/experiment/archive': (query) => {
      runOf(query.get('experimentKey')).archived = true
    },
    '/write/experiment/restore': (query) => {
      runOf(query.get('experimentKey')).archived = false
    },
    '/write/experiment/stop': (query) => {
      runOf(query.get('experimentKey')).end ??= Date.now()
    },
    '/write/experiment/delete': (query) => void runs.delete(runOf(query.get('experimentKey')).key),
    '/write/project/symlink': (query) => {
      const run = runOf(query.get('experimentKey'))
      return { link: `https://comet.example/${run.workspace}/${query.get('projectName')}/${run.key}` }
    },
    '/artifacts/version': (query) => {
      if (query.has('consumerExperimentKey')) runOf(query.get('consumerExperimentKey'))
      return toVersion(findVersion(query))
    },
    '/artifacts/version/files': (query) => ({ files: findVersion(query).version.files.map(withoutBytes) }),
    '/artifacts/get-all': (query) => ({
      artifacts: lines
        .filter(({ workspace }) => workspace === query.get('workspace'))
        .map(({ id, name, type, description, tags, versions }) => ({
          artifactId: id,
          name,
          type,
          description,
          tags,
          versionsCount: versions.length,
        })),
    }),
    '/artifacts/get': (query) => {
      const line = lineOf(query.get('workspace'), query.get('artifactName'))
      return {
        versions: line.versions
          .toReversed()
          .map(({ id, number, state, added }) => ({ artifactVersionId: id, version: number, state, added })),
      }
    },
  }

  async function answer(request: Request): Promise<unknown> {
    const url = new URL(request.url)
    requests.push(`${request.method} ${url.pathname.replace('/api/rest/v2', '')}`)
    if (!url.pathname.startsWith('/api/rest/v2/')) return undefined
    if (request.headers.get('authorization') !== apiKey) throw new Refusal('unknown API key', 90212)
    const path = url.pathname.slice('/api/rest/v2'.length)
    if (request.method === 'GET' && Object.hasOwn(gets, path)) return gets[path](url.searchParams) ?? {}
    if (request.method !== 'POST') return undefined
    if (path === '/write/experiment/upload-asset') return upload(request, url.searchParams)
    if (path === '/write/experiment/git/patch') {
      const file = (await request.formData()).get('file')
      if (!(file instanceof File)) throw new Refusal('no file', 0)
      runOf(url.searchParams.get('experimentKey')).patch = new Uint8Array(await file.arrayBuffer())
      return {}
    }
    if (!Object.hasOwn(posts, path)) return undefined
    if (!/^application\/json\b/.test(request.headers.get('content-type') ?? '')) throw new Refusal('not JSON', 0)
    return posts[path](await request.json()) ?? {}
  }

  return {
    requests,
    async fetch(request) {
      try {
        const found = await answer(request)
        if (found === undefined)
          return new Response('<html>Comet</html>', { status: 404, headers: { 'content-type': 'text/html' } })
        if (found instanceof Uint8Array) return new Response(new Uint8Array(found))
        return Response.json(found)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        const { message, status, sdk } = error
        return Response.json({ msg: message, code: status, data: null, sdk_error_code: sdk }, { status })
      }
    },
  }
}

function withoutBytes({ bytes, ...rest }: StoredAsset): object {
  return rest
}

/** R sends a list of one as the one alone. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.map(String) : []
}

function needString(value: unknown): string {
  if (typeof value !== 'string') throw new Refusal('not a string', 0)
  return value
}
