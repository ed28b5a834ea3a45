import type { Api, CallOptions, Method } from './client/api.ts'
import type { CallApiOptions } from './client/call-api.ts'
import type { Connection } from './client/connection.ts'
import { Listing } from './client/listing.ts'
import { needOwnRoutes, openVersion } from './client/open-version.ts'
import { pages } from './client/pages.ts'
import { type GetArtifactOptions, placeOf } from './client/place-of.ts'
import { randomId } from './client/random-id.ts'
import type { CompanionOptions } from './client/run-companions.ts'
import type { VerifyOptions } from './client/verify.ts'
import type { VersionVerification } from './client/verify-all.ts'
import { findVersion } from './client/versions.ts'
import { InvalidInputError, isTidemarkError } from './errors.ts'
import type { Experiment } from './experiment.ts'
import type { ExperimentInfo } from './experiment-reads.ts'
import { LoggedArtifact } from './logged-artifact.ts'
import { checkFlag, checkOptions, checkText, checkTexts, describe } from './options.ts'
import { checkName } from './paths.ts'
import { restPrefix, routes } from './protocol/routes.ts'
import type { ArtifactWire, CollectReply, JsonValue, VersionWire } from './protocol/shapes.ts'

export interface CreateExperimentOptions {
  /** Default: the beginning of its key. */
  readonly name?: string
  /** Default: that of the connection. */
  readonly project?: string
  readonly workspace?: string
  /** Say to a server that it is alive; default true. */
  readonly keepActive?: boolean
  /** Keep what the program writes to its standard output (in browsers: `console.log`). It is shown as ever. Default false. */
  readonly logOutput?: boolean
  /** The same of its standard error. */
  readonly logError?: boolean
  /** Keep the text of the script; default true. */
  readonly logCode?: boolean
  /** Keep what is known of the machine and the runtime; default true. */
  readonly logSystemDetails?: boolean
  /** Keep branch, commit, origin and what is not committed; default false. */
  readonly logGitInfo?: boolean
  readonly signal?: AbortSignal
}

const experimentFlags = ['keepActive', 'logOutput', 'logError', 'logCode', 'logSystemDetails', 'logGitInfo'] as const

/** Which experiments: of a project by its id, or by name; of a whole workspace when neither is given. */
export interface GetExperimentsOptions {
  readonly projectId?: string
  readonly projectName?: string
  readonly workspaceName?: string
  /** Those in the archive instead of the others. */
  readonly archived?: boolean
  readonly signal?: AbortSignal
}

/** One experiment in a list. Times in milliseconds since 1970. */
export interface ExperimentSummary {
  readonly experimentKey: string
  readonly experimentName: string
  readonly projectId: string
  readonly projectName: string
  readonly workspaceName: string
  readonly durationMillis: number
  readonly startTimeMillis: number
  readonly endTimeMillis: number | null
  readonly archived: boolean
}

/** One project in a list. */
export interface ProjectSummary {
  readonly projectId: string
  readonly projectName: string
  readonly projectDescription: string
  readonly workspaceName: string
  readonly numberOfExperiments: number
  readonly lastUpdated: number
  readonly public: boolean
}

export interface CreateProjectOptions {
  readonly description?: string
  /** May be seen by everyone; default false. */
  readonly public?: boolean
  readonly workspace?: string
  readonly signal?: AbortSignal
}

export interface DeleteProjectOptions {
  /** Default true. */
  readonly deleteExperiments?: boolean
  readonly workspace?: string
  readonly signal?: AbortSignal
}

/** Something that experiments have in common. */
export interface ProjectColumn {
  readonly name: string
  /** `<name>--<source>` */
  readonly id: string
  /** `string`, `double`, `boolean`, `datetime`, `timenumber` */
  readonly type: string
  /** `metadata`, `metrics`, `params`, `log_other`, `tag` */
  readonly source: string
}

export interface MultiMetricChartOptions {
  readonly metrics?: readonly string[]
  readonly params?: readonly string[]
  readonly full?: boolean
  readonly independent?: boolean
  readonly signal?: AbortSignal
}

/** Series of one experiment; null where there is no point. */
export interface MultiMetricChart {
  readonly steps: readonly (number | null)[]
  readonly epochs: readonly (number | null)[]
  readonly params: Readonly<Record<string, JsonValue>> | null
  readonly metrics: readonly {
    readonly metricName: string
    /** NaN and infinities as text, since JSON has none. */
    readonly values: readonly (number | string | null)[]
    readonly steps: readonly (number | null)[]
    readonly epochs: readonly (number | null)[]
    readonly timestamps: readonly (number | null)[]
    /** Since the experiment began, in milliseconds. */
    readonly durations: readonly (number | null)[]
  }[]
}

/** One artifact in a list: `latest` is the index of its newest version. */
export type ArtifactSummary = ArtifactWire

export interface CollectOptions {
  /** Only say what would be freed. */
  readonly dryRun?: boolean
  /** How old bytes must be that no version has ever referred to, in milliseconds; default a day. They may belong to a version that is being logged. */
  readonly graceMs?: number
  readonly signal?: AbortSignal
}

/** One connection to one store or server. Made by `connect`. */
export class Tidemark {
  readonly #connection: Connection
  readonly #close: () => Promise<void>

  constructor(connection: Connection, close: () => Promise<void>) {
    this.#connection = connection
    this.#close = close
  }

  /** @throws InvalidInputError `invalid-name`, `unknown-option` */
  async createExperiment(options: CreateExperimentOptions = {}): Promise<Experiment> {
    checkOptions(options, ['name', 'project', 'workspace', ...experimentFlags, 'signal'], 'createExperiment()')
    for (const flag of experimentFlags) checkFlag(options[flag], flag)
    const { api, workspace, project } = this.#connection
    const body = {
      // Made here, so that a lost answer can be asked for again without making two.
      experimentKey: randomId(),
      ...(options.name !== undefined && { experimentName: checkName(options.name, 'experiment') }),
      workspaceName: checkName(options.workspace ?? workspace, 'workspace'),
      projectName: checkName(options.project ?? project, 'project'),
    }
    const made = await this.#create(body, options.signal)
    const {
      experimentKey: key,
      name = key.slice(0, 9),
      link,
      workspaceName = body.workspaceName,
      projectName = body.projectName,
    } = made
    const info = { key, name, url: api.remote ? (link ?? null) : null, workspace: workspaceName, project: projectName }
    const experiment = await this.#experiment(info, await companionsOf(options))
    this.#connection.begun.add(experiment)
    return experiment
  }

  /**
   * An experiment by its key, to read from and to write to.
   *
   * @throws NotFoundError `experiment-not-found`
   */
  async getExperiment(key: string, options: { signal?: AbortSignal } = {}): Promise<Experiment> {
    checkOptions(options, ['signal'], 'getExperiment()')
    if (typeof key !== 'string')
      throw new InvalidInputError(`An experiment is found by its key, a string, not ${describe(key)}.`, {
        code: 'invalid-experiment-key',
      })
    const { api } = this.#connection
    const { experimentName, workspaceName, projectName } = await api.json<ExperimentSummary>(
      'GET',
      `${restPrefix}/experiment/metadata`,
      { search: { experimentKey: key }, ...options },
    )
    const url = api.remote ? urlOf(api, workspaceName, projectName, key) : null
    return this.#experiment({ key, name: experimentName, url, workspace: workspaceName, project: projectName })
  }

  async getExperiments(options: GetExperimentsOptions = {}): Promise<ExperimentSummary[]> {
    checkOptions(options, ['projectId', 'projectName', 'workspaceName', 'archived', 'signal'], 'getExperiments()')
    const { archived = false, signal } = options
    const search = { ...this.#projectSearch(options, 'getExperiments()'), archived }
    return (await this.#rest<{ experiments: ExperimentSummary[] }>('GET', '/experiments', { search, signal }))
      .experiments
  }

  async getWorkspaces(): Promise<string[]> {
    return (await this.#rest<{ workspaceNames: string[] }>('GET', '/workspaces')).workspaceNames
  }

  async getProjects(workspace?: string): Promise<ProjectSummary[]> {
    checkText(workspace, 'workspace')
    const search = { workspaceName: workspace ?? this.#connection.workspace }
    return (await this.#rest<{ projects: ProjectSummary[] }>('GET', '/projects', { search })).projects
  }

  /**
   * Makes a project; experiments that are created in one that is not there make it too. Its id.
   *
   * @throws ConflictError `project-exists`
   */
  async createProject(name: string, options: CreateProjectOptions = {}): Promise<string> {
    checkOptions(options, ['description', 'public', 'workspace', 'signal'], 'createProject()')
    checkText(options.description, 'description')
    checkFlag(options.public, 'public')
    const { description = '', public: isPublic = false, workspace = this.#connection.workspace, signal } = options
    const body = {
      projectName: checkName(name, 'project'),
      projectDescription: description,
      workspaceName: checkName(workspace, 'workspace'),
      isPublic,
    }
    return (await this.#rest<{ projectId: string }>('POST', '/write/project/create', { body, signal })).projectId
  }

  /**
   * Deletes a project, and its experiments unless `deleteExperiments` is false. Artifacts stay.
   *
   * @throws NotFoundError `project-not-found`
   */
  async deleteProject(name: string, options: DeleteProjectOptions = {}): Promise<void> {
    checkOptions(options, ['deleteExperiments', 'workspace', 'signal'], 'deleteProject()')
    checkFlag(options.deleteExperiments, 'deleteExperiments')
    const { deleteExperiments = true, workspace = this.#connection.workspace, signal } = options
    const body = {
      projectName: checkName(name, 'project'),
      workspaceName: checkName(workspace, 'workspace'),
      deleteAllExperiments: deleteExperiments,
    }
    await this.#connection.api.done('POST', `${restPrefix}/write/project/delete`, { body, signal })
  }

  /** What the experiments of a project can be compared by: names of metrics, parameters, others and facts about them. */
  async getColumns(options: Omit<GetExperimentsOptions, 'archived'> = {}): Promise<ProjectColumn[]> {
    checkOptions(options, ['projectId', 'projectName', 'workspaceName', 'signal'], 'getColumns()')
    const { project } = this.#connection
    const search = this.#projectSearch(options, 'getColumns()', project)
    const { signal } = options
    return (await this.#rest<{ columns: ProjectColumn[] }>('GET', '/project/column-names', { search, signal })).columns
  }

  /**
   * Series of several experiments as a chart needs them: by experiment key. `full` (default true) gives up to 15,000 points of each, else about 500; `independent`
   * (default true) each at its own steps, else all at common ones.
   *
   * @example
   * ```ts
   * import { createExperiment, getMultiMetricChart } from 'tidemark'
   *
   * const experiment = await createExperiment()
   * experiment.logMetric('loss', 0.5, { step: 1 })
   * await experiment.flush()
   * const charts = await getMultiMetricChart([experiment.key], { metrics: ['loss'] })
   * console.log(charts[experiment.key].metrics[0].values)
   * ```
   */
  async getMultiMetricChart(
    experimentKeys: readonly string[],
    options: MultiMetricChartOptions = {},
  ): Promise<Record<string, MultiMetricChart>> {
    checkOptions(options, ['metrics', 'params', 'full', 'independent', 'signal'], 'getMultiMetricChart()')
    checkTexts(experimentKeys, 'experimentKeys')
    for (const option of ['metrics', 'params'] as const) checkTexts(options[option], option)
    for (const option of ['full', 'independent'] as const) checkFlag(options[option], option)
    const { metrics = [], params = [], full = true, independent = true, signal } = options
    const body = {
      targetedExperiments: experimentKeys,
      metrics,
      params,
      fetchFull: full,
      independentMetrics: independent,
    }
    const path = '/experiments/multi-metric-chart'
    return (await this.#rest<{ experiments: Record<string, MultiMetricChart> }>('POST', path, { body, signal }))
      .experiments
  }

  /**
   * A version by name, `[workspace/]name[:version-or-alias]`, without an experiment that would be noted as its user.
   *
   * @throws NotFoundError `artifact-not-found`, `version-not-found`
   */
  async getArtifact(name: string, options: GetArtifactOptions = {}): Promise<LoggedArtifact> {
    checkOptions(options, ['workspace', 'versionOrAlias', 'signal'], 'getArtifact()')
    const place = placeOf(name, options, this.#connection.workspace)
    const { wire, reader } = await openVersion(this.#connection, place, { signal: options.signal })
    return new LoggedArtifact(this.#connection, wire, null, reader)
  }

  /** Artifacts, by workspace and name: of all workspaces unless one is given. */
  getArtifacts(options: { workspace?: string; type?: string; signal?: AbortSignal } = {}): Listing<ArtifactSummary> {
    checkOptions(options, ['workspace', 'type', 'signal'], 'getArtifacts()')
    const { signal, ...search } = options
    const connection = this.#connection
    return new Listing(async function* () {
      if (await connection.server.capabilities(signal)) {
        yield* pages<ArtifactSummary>(connection.api, routes.artifacts(), { search, signal })
        return
      }
      const { listCometArtifacts } = await import('./client/comet-lists.ts')
      yield* await listCometArtifacts(connection, options)
    })
  }

  /** The versions of an artifact, newest first. */
  getVersions(name: string, options: { workspace?: string; signal?: AbortSignal } = {}): Listing<LoggedArtifact> {
    checkOptions(options, ['workspace', 'signal'], 'getVersions()')
    const connection = this.#connection
    const place = artifactPlace(name, options, connection.workspace)
    const { signal } = options
    return new Listing(async function* () {
      if (await connection.server.capabilities(signal)) {
        for await (const wire of pages<VersionWire>(connection.api, routes.versions(place.workspace, place.name), {
          signal,
        }))
          yield new LoggedArtifact(connection, wire, null)
        return
      }
      const { listCometVersions } = await import('./client/comet-lists.ts')
      for await (const { wire, reader } of listCometVersions(connection.api, place, signal))
        yield new LoggedArtifact(connection, wire, null, reader)
    })
  }

  /** Deletes an artifact with all its versions. */
  async deleteArtifact(name: string, options: { workspace?: string; signal?: AbortSignal } = {}): Promise<void> {
    checkOptions(options, ['workspace', 'signal'], 'deleteArtifact()')
    const place = artifactPlace(name, options, this.#connection.workspace)
    await needOwnRoutes(this.#connection, 'deleting an artifact', options.signal)
    await this.#connection.api.json('DELETE', routes.artifact(place.workspace, place.name), { signal: options.signal })
  }

  /** Frees what only deleted versions needed, and what was stored for versions that never came to be. Never more. */
  async collectGarbage(options: CollectOptions = {}): Promise<CollectReply> {
    checkOptions(options, ['dryRun', 'graceMs', 'signal'], 'collectGarbage()')
    const { signal, ...body } = options
    await needOwnRoutes(this.#connection, 'collecting garbage', signal)
    return this.#connection.api.json<CollectReply>('POST', routes.collect(), { body, signal })
  }

  /** Reads every stored byte of a version (`name:v3`), an artifact (`name`) or, without a name, of everything, against its digests; one report for each version. */
  verify(name?: string, options: VerifyOptions = {}): Listing<VersionVerification> {
    checkOptions(options, ['onProgress', 'signal'], 'verify()')
    return new Listing(() => this.#verify(name, options))
  }

  /**
   * Any request of Comet's REST API v2 (`/experiments`), or of another path of the server (`/api/...`). The answer: JSON parsed, text as a string, anything else
   * as bytes.
   */
  async callApi(endpoint: string, options: CallApiOptions = {}): Promise<unknown> {
    checkOptions(options, ['method', 'params', 'signal'], 'callApi()')
    const { callApi } = await import('./client/call-api.ts')
    return callApi(this.#connection.api, endpoint, options)
  }

  /** Takes a last look at the tables that are still watched, waits for what is under way, and lets go of the store. */
  async close(): Promise<void> {
    const { beforeClose, begun } = this.#connection
    const last = await Promise.allSettled(Array.from(beforeClose, (end) => end()))
    beforeClose.clear()
    begun.clear()
    await this.#close()
    for (const one of last) if (one.status === 'rejected') throw one.reason
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async *#verify(name: string | undefined, options: VerifyOptions): AsyncGenerator<VersionVerification> {
    const { api, workspace } = this.#connection
    const { signal } = options
    await needOwnRoutes(this.#connection, 'verifying many versions', signal)
    const { verifyVersion, verifyVersions } = await import('./client/verifying.ts')
    if (name === undefined) {
      for await (const one of this.getArtifacts({ signal }))
        yield* verifyVersions(this.#connection, one.workspace, one.name, options)
      return
    }
    const place = placeOf(name, {}, workspace)
    if (place.select === undefined) yield* verifyVersions(this.#connection, place.workspace, place.name, options)
    else yield await verifyVersion(this.#connection, await findVersion(api, place, signal), options)
  }

  async #create(body: CreateBody, signal: AbortSignal | undefined): Promise<CreatedExperiment> {
    try {
      return await this.#rest<CreatedExperiment>('POST', '/write/experiment/create', { body, signal })
    } catch (error) {
      if (!isTidemarkError(error) || error.code !== 'experiment-exists') throw error
      // Nobody else knows its key: it was made, and the answer lost.
      const { experimentKey } = body
      const search = { experimentKey }
      const { experimentName: name, ...found } = await this.#rest<ExperimentSummary>('GET', '/experiment/metadata', {
        search,
        signal,
      })
      const link = urlOf(this.#connection.api, found.workspaceName, found.projectName, experimentKey)
      return { ...found, experimentKey, name, link }
    }
  }

  /** Experiments are loaded with the first one: who only looks at artifacts has none. */
  async #experiment(info: ExperimentInfo, companions?: CompanionOptions): Promise<Experiment> {
    const { Experiment } = await import('./experiment.ts')
    return new Experiment(this.#connection, info, companions)
  }

  #projectSearch(
    { projectId, projectName, workspaceName }: GetExperimentsOptions,
    what: string,
    usualProject?: string,
  ): Readonly<Record<string, string | undefined>> {
    if (projectId !== undefined && projectName !== undefined)
      throw new InvalidInputError(`${what} takes projectId or projectName, not both.`, {
        code: 'invalid-option',
        fields: { option: 'projectId' },
      })
    if (projectId !== undefined) return { projectId }
    return { projectName: projectName ?? usualProject, workspaceName: workspaceName ?? this.#connection.workspace }
  }

  #rest<T>(method: Method, path: string, options?: CallOptions): Promise<T> {
    return this.#connection.api.json<T>(method, `${restPrefix}${path}`, options)
  }
}

/** Where an experiment is seen: Comet's form, and ours. */
function urlOf({ url }: Api, workspace: string, project: string, key: string): string {
  return `${url}/${[workspace, project, key].map(encodeURIComponent).join('/')}`
}

/** What a runtime cannot give is left out. */
async function companionsOf(options: CreateExperimentOptions): Promise<CompanionOptions> {
  const { keepActive = true, logOutput, logError, logCode = true, logSystemDetails = true, logGitInfo } = options
  const wanted = { keepActive, logOutput, logError, logCode, logSystemDetails, logGitInfo }
  if (!logOutput && !logError && !logCode && !logSystemDetails && !logGitInfo) return wanted
  const { openSurroundings } = await import('./client/surroundings.ts')
  return { ...wanted, surroundings: await openSurroundings() }
}

interface CreateBody {
  readonly experimentKey: string
  readonly experimentName?: string
  readonly workspaceName: string
  readonly projectName: string
}

/** What a server says of an experiment it made: Comet's leaves some of it out. */
interface CreatedExperiment {
  readonly experimentKey: string
  readonly link?: string
  readonly name?: string
  readonly workspaceName?: string
  readonly projectName?: string
}

function artifactPlace(name: string, { workspace }: { workspace?: string }, defaultWorkspace: string) {
  const place = placeOf(name, { workspace }, defaultWorkspace)
  if (place.select === undefined) return place
  throw new InvalidInputError(
    `'${name}' names one version; here all of ${place.name} is meant. Leave ':${place.select}' out.`,
    {
      code: 'invalid-name',
      fields: { name },
    },
  )
}
