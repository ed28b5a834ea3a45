import type { CallOptions, Method } from './client/api.ts'
import type { CallApiOptions } from './client/call-api.ts'
import type { Connection } from './client/connection.ts'
import { Listing } from './client/listing.ts'
import { pages } from './client/pages.ts'
import { randomId } from './client/random-id.ts'
import type { VerifyOptions } from './client/verify.ts'
import type { VersionVerification } from './client/verify-all.ts'
import { findVersion } from './client/versions.ts'
import { InvalidInputError } from './errors.ts'
import { Experiment, type ExperimentInfo, type GetArtifactOptions, placeOf } from './experiment.ts'
import { LoggedArtifact } from './logged-artifact.ts'
import { checkOptions, checkText, describe } from './options.ts'
import { checkName } from './paths.ts'
import { restPrefix, routes } from './protocol/routes.ts'
import type { ArtifactWire, CollectReply, VersionWire } from './protocol/shapes.ts'

export interface CreateExperimentOptions {
  /** Default: the beginning of its key. */
  readonly name?: string
  /** Default: that of the connection. */
  readonly project?: string
  readonly workspace?: string
  readonly signal?: AbortSignal
}

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
    checkOptions(options, ['name', 'project', 'workspace', 'signal'], 'createExperiment()')
    const { api, workspace, project } = this.#connection
    const body = {
      // Made here, so that a lost answer can be asked for again without making two.
      experimentKey: randomId(),
      ...(options.name !== undefined && { experimentName: checkName(options.name, 'experiment') }),
      workspaceName: checkName(options.workspace ?? workspace, 'workspace'),
      projectName: checkName(options.project ?? project, 'project'),
    }
    const made = await api.json<CreatedExperiment>('POST', `${restPrefix}/write/experiment/create`, {
      body,
      signal: options.signal,
    })
    const {
      experimentKey: key,
      name = key.slice(0, 9),
      link,
      workspaceName = body.workspaceName,
      projectName = body.projectName,
    } = made
    return this.#experiment({
      key,
      name,
      url: api.remote ? (link ?? null) : null,
      workspace: workspaceName,
      project: projectName,
    })
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
    const url = api.remote ? `${api.url}/${[workspaceName, projectName, key].map(encodeURIComponent).join('/')}` : null
    return this.#experiment({ key, name: experimentName, url, workspace: workspaceName, project: projectName })
  }

  async getExperiments(options: GetExperimentsOptions = {}): Promise<ExperimentSummary[]> {
    checkOptions(options, ['projectId', 'projectName', 'workspaceName', 'archived', 'signal'], 'getExperiments()')
    const { projectId, projectName, workspaceName, archived = false, signal } = options
    if (projectId !== undefined && projectName !== undefined)
      throw new InvalidInputError('getExperiments() takes projectId or projectName, not both.', {
        code: 'invalid-option',
        fields: { option: 'projectId' },
      })
    const named = { projectName, workspaceName: workspaceName ?? this.#connection.workspace }
    const search = { ...(projectId === undefined ? named : { projectId }), archived }
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
   * A version by name, `[workspace/]name[:version-or-alias]`, without an experiment that would be noted as its user.
   *
   * @throws NotFoundError `artifact-not-found`, `version-not-found`
   */
  async getArtifact(name: string, options: GetArtifactOptions = {}): Promise<LoggedArtifact> {
    checkOptions(options, ['workspace', 'versionOrAlias', 'signal'], 'getArtifact()')
    const { api, workspace } = this.#connection
    return new LoggedArtifact(
      this.#connection,
      await findVersion(api, placeOf(name, options, workspace), options.signal),
      null,
    )
  }

  /** Artifacts, by workspace and name: of all workspaces unless one is given. */
  getArtifacts(options: { workspace?: string; type?: string; signal?: AbortSignal } = {}): Listing<ArtifactSummary> {
    checkOptions(options, ['workspace', 'type', 'signal'], 'getArtifacts()')
    const { signal, ...search } = options
    return new Listing(() => pages<ArtifactSummary>(this.#connection.api, routes.artifacts(), { search, signal }))
  }

  /** The versions of an artifact, newest first. */
  getVersions(name: string, options: { workspace?: string; signal?: AbortSignal } = {}): Listing<LoggedArtifact> {
    checkOptions(options, ['workspace', 'signal'], 'getVersions()')
    const connection = this.#connection
    const place = artifactPlace(name, options, connection.workspace)
    const list = () =>
      pages<VersionWire>(connection.api, routes.versions(place.workspace, place.name), { signal: options.signal })
    return new Listing(async function* () {
      for await (const wire of list()) yield new LoggedArtifact(connection, wire, null)
    })
  }

  /** Deletes an artifact with all its versions. */
  async deleteArtifact(name: string, options: { workspace?: string; signal?: AbortSignal } = {}): Promise<void> {
    checkOptions(options, ['workspace', 'signal'], 'deleteArtifact()')
    const place = artifactPlace(name, options, this.#connection.workspace)
    await this.#connection.api.json('DELETE', routes.artifact(place.workspace, place.name), { signal: options.signal })
  }

  /** Frees what only deleted versions needed, and what was stored for versions that never came to be. Never more. */
  async collectGarbage(options: CollectOptions = {}): Promise<CollectReply> {
    checkOptions(options, ['dryRun', 'graceMs', 'signal'], 'collectGarbage()')
    const { signal, ...body } = options
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
    const { beforeClose } = this.#connection
    const last = await Promise.allSettled(Array.from(beforeClose, (end) => end()))
    beforeClose.clear()
    await this.#close()
    for (const one of last) if (one.status === 'rejected') throw one.reason
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async *#verify(name: string | undefined, options: VerifyOptions): AsyncGenerator<VersionVerification> {
    const { api, workspace } = this.#connection
    const { signal } = options
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

  #experiment(info: ExperimentInfo): Experiment {
    return new Experiment(this.#connection, info)
  }

  #rest<T>(method: Method, path: string, options?: CallOptions): Promise<T> {
    return this.#connection.api.json<T>(method, `${restPrefix}${path}`, options)
  }
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
