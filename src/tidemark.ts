import type { CallApiOptions } from './client/api/call-api.ts'
import type { Connection } from './client/connection.ts'
import { Listing } from './client/listing.ts'
import type { CreateExperimentOptions } from './client/open-run.ts'
import { pages } from './client/pages.ts'
import { type GetArtifactOptions, placeOf } from './client/place-of.ts'
import type {
  CreateProjectOptions,
  DeleteProjectOptions,
  ExperimentSummary,
  GetExperimentsOptions,
  MultiMetricChart,
  MultiMetricChartOptions,
  ProjectColumn,
  ProjectSummary,
  Projects,
} from './client/projects.ts'
import type { VersionVerification } from './client/verify/verify-all.ts'
import type { VerifyOptions } from './client/verify.ts'
import { needOwnRoutes, openVersion } from './client/versions/open-version.ts'
import { InvalidInputError } from './errors.ts'
import type { Experiment } from './experiment.ts'
import { LoggedArtifact } from './logged-artifact.ts'
import { asGiven, checkOptions } from './options.ts'
import { routes } from './protocol/routes.ts'
import type { ArtifactWire, CollectReply, VersionWire } from './protocol/shapes.ts'

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
    const given = asGiven(options)
    const { beginRun, Experiment } = await loadExperiments()
    const experiment = new Experiment(this.#connection, await beginRun(this.#connection, given))
    this.#connection.begun.add(experiment)
    return experiment
  }

  /**
   * An experiment by its key, to read from and to write to.
   *
   * @throws NotFoundError `experiment-not-found`
   */
  async getExperiment(key: string, options: { signal?: AbortSignal } = {}): Promise<Experiment> {
    const given = asGiven(options)
    const { findRun, Experiment } = await loadExperiments()
    return new Experiment(this.#connection, await findRun(this.#connection, key, given))
  }

  async getExperiments(options: GetExperimentsOptions = {}): Promise<ExperimentSummary[]> {
    const given = asGiven(options)
    return (await this.#projects()).experiments(given)
  }

  async getWorkspaces(): Promise<string[]> {
    return (await this.#projects()).workspaces()
  }

  async getProjects(workspace?: string): Promise<ProjectSummary[]> {
    return (await this.#projects()).list(workspace)
  }

  /**
   * Makes a project; experiments that are created in one that is not there make it too. Its id.
   *
   * @throws ConflictError `project-exists`
   */
  async createProject(name: string, options: CreateProjectOptions = {}): Promise<string> {
    const given = asGiven(options)
    return (await this.#projects()).create(name, given)
  }

  /**
   * Deletes a project, and its experiments unless `deleteExperiments` is false. Artifacts stay.
   *
   * @throws NotFoundError `project-not-found`
   */
  async deleteProject(name: string, options: DeleteProjectOptions = {}): Promise<void> {
    const given = asGiven(options)
    await (await this.#projects()).delete(name, given)
  }

  /** What the experiments of a project can be compared by: names of metrics, parameters, others and facts about them. */
  async getColumns(options: Omit<GetExperimentsOptions, 'archived'> = {}): Promise<ProjectColumn[]> {
    const given = asGiven(options)
    return (await this.#projects()).columns(given)
  }

  /**
   * Series of several experiments as a chart needs them: by experiment key. `full` (default true) gives up to 15,000 points of each, else about 500; `independent`
   * (default true) each at its own steps, else all at those that every one of them has.
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
    const [keys, given] = [asGiven(experimentKeys), asGiven(options)]
    return (await this.#projects()).charts(keys, given)
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
      const { listCometArtifacts } = await import('./client/comet/comet-lists.ts')
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
      const { listCometVersions } = await import('./client/comet/comet-lists.ts')
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
    const connection = this.#connection
    return new Listing(async function* () {
      const { verifyNamed } = await import('./client/verify/verifying.ts')
      yield* verifyNamed(connection, name, options)
    })
  }

  /**
   * Any request of Comet's REST API v2 (`/experiments`), or of another path of the server (`/api/...`). The answer: JSON parsed, text as a string, anything else
   * as bytes.
   */
  async callApi(endpoint: string, options: CallApiOptions = {}): Promise<unknown> {
    checkOptions(options, ['method', 'params', 'signal'], 'callApi()')
    const { callApi } = await import('./client/api/call-api.ts')
    return callApi(this.#connection.api, endpoint, options)
  }

  /** Takes a last look at the tables that are still watched, waits for what is under way, and lets go of the store. */
  async close(): Promise<void> {
    const { underWay, beforeClose, begun } = this.#connection
    await Promise.allSettled(underWay)
    const last = await Promise.allSettled(Array.from(beforeClose, (end) => end()))
    beforeClose.clear()
    begun.clear()
    await this.#close()
    for (const one of last) if (one.status === 'rejected') throw one.reason
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #projects(): Promise<Projects> {
    const { Projects } = await import('./client/projects.ts')
    return new Projects(this.#connection)
  }
}

/** Experiments are loaded with the first one: who only looks at artifacts has none. */
function loadExperiments() {
  return import('./experiment.ts')
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
