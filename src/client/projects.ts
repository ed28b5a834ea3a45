import { InvalidInputError } from '../errors.ts'
import { checkFlag, checkOptions, checkText, checkTexts } from '../options.ts'
import { checkName } from '../paths.ts'
import { restPrefix } from '../protocol/routes.ts'
import type { JsonValue } from '../protocol/shapes.ts'
import type { CallOptions, Method } from './api.ts'
import type { Connection } from './connection.ts'

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

/** Workspaces, their projects, and the experiments in them. Loaded with the first question about them. */
export class Projects {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async experiments(options: GetExperimentsOptions): Promise<ExperimentSummary[]> {
    checkOptions(options, ['projectId', 'projectName', 'workspaceName', 'archived', 'signal'], 'getExperiments()')
    const { archived = false, signal } = options
    const search = { ...this.#search(options, 'getExperiments()'), archived }
    return (await this.#rest<{ experiments: ExperimentSummary[] }>('GET', '/experiments', { search, signal }))
      .experiments
  }

  async workspaces(): Promise<string[]> {
    return (await this.#rest<{ workspaceNames: string[] }>('GET', '/workspaces')).workspaceNames
  }

  async list(workspace: string | undefined): Promise<ProjectSummary[]> {
    checkText(workspace, 'workspace')
    const search = { workspaceName: workspace ?? this.#connection.workspace }
    return (await this.#rest<{ projects: ProjectSummary[] }>('GET', '/projects', { search })).projects
  }

  async create(name: string, options: CreateProjectOptions): Promise<string> {
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

  async delete(name: string, options: DeleteProjectOptions): Promise<void> {
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

  async columns(options: Omit<GetExperimentsOptions, 'archived'>): Promise<ProjectColumn[]> {
    checkOptions(options, ['projectId', 'projectName', 'workspaceName', 'signal'], 'getColumns()')
    const search = this.#search(options, 'getColumns()', this.#connection.project)
    const { signal } = options
    return (await this.#rest<{ columns: ProjectColumn[] }>('GET', '/project/column-names', { search, signal })).columns
  }

  async charts(
    experimentKeys: readonly string[],
    options: MultiMetricChartOptions,
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

  #search(
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
