import { type Artifact, pendingOf } from './artifact.ts'
import { artifactPath } from './client/artifact-path.ts'
import type { Connection } from './client/connection.ts'
import { held } from './client/held.ts'
import { checkMetadata } from './client/metadata.ts'
import type { OnProgress } from './client/progress.ts'
import type { UploadRequest } from './client/upload.ts'
import { findVersion, type VersionPlace, versionLabel } from './client/versions.ts'
import { InvalidInputError } from './errors.ts'
import { LoggedArtifact, wireOf } from './logged-artifact.ts'
import { checkOptions, checkText, checkTexts } from './options.ts'
import { checkName, parseArtifactName } from './paths.ts'
import { routes } from './protocol/routes.ts'
import type { Metadata, VersionWire } from './protocol/shapes.ts'
import type { RegisteredArtifact, UnregisterOptions } from './registered.ts'
import type { Committed, RegisterArtifactOptions, WatchedTables } from './watched-tables.ts'

export interface ExperimentInfo {
  readonly key: string
  readonly name: string
  /** Where people see it: on a server; null embedded. */
  readonly url: string | null
  readonly workspace: string
  readonly project: string
}

export interface LogOptions {
  /**
   * The version that the content is compared with, so that only what differs is stored: a LoggedArtifact, or its name `name:v3`. Default: the latest version;
   * null compares with nothing.
   */
  readonly base?: LoggedArtifact | string | null
  readonly signal?: AbortSignal
  readonly onProgress?: OnProgress
}

export interface UploadArtifactOptions extends LogOptions {
  /** Of the version. */
  readonly metadata?: Metadata
  /** Shown instead of the preview made from the value: text, or JSON. */
  readonly preview?: string | Metadata
  readonly aliases?: readonly string[]
  /** Default: the artifact's own type, `data` for a new one. */
  readonly type?: string
}

export interface GetArtifactOptions {
  /** Wins over the one in the name. */
  readonly workspace?: string
  /** `v3`, `4.0.0` or an alias; wins over the one in the name. Default: the latest version. */
  readonly versionOrAlias?: string
  readonly signal?: AbortSignal
}

/** One run: what it logs and what it reads. */
export class Experiment {
  readonly key: string
  readonly name: string
  readonly url: string | null
  readonly workspace: string
  readonly project: string
  readonly #connection: Connection
  readonly #underWay = new Set<Promise<unknown>>()
  /** Once there is one: what watches them is loaded then. */
  #tables: WatchedTables | undefined
  #ending: Promise<void> | undefined

  constructor(connection: Connection, { key, name, url, workspace, project }: ExperimentInfo) {
    this.#connection = connection
    this.key = key
    this.name = name
    this.url = url
    this.workspace = workspace
    this.project = project
  }

  /**
   * Logs a value as an artifact of one asset: the next version of `name`, or, when nothing about it is new, the latest one. What a value becomes: see the table
   * "Values" in the README.
   *
   * @throws InvalidInputError `unsupported-value` naming the path of what cannot be stored, `experiment-ended`
   * @example
   * ```ts
   * await experiment.uploadArtifact('settings', { lr: 1e-3, layers: [64, 64] }, { aliases: ['best'] })
   * ```
   */
  async uploadArtifact(name: string, value: unknown, options: UploadArtifactOptions = {}): Promise<LoggedArtifact> {
    checkOptions(
      options,
      ['metadata', 'preview', 'aliases', 'type', 'base', 'signal', 'onProgress'],
      'uploadArtifact()',
    )
    checkTexts(options.aliases, 'aliases')
    checkText(options.type, 'type')
    const { aliases, type, signal } = options
    const checkedName = checkName(name)
    const metadata = checkMetadata(options.metadata)
    const preview =
      typeof options.preview === 'string'
        ? { kind: 'text', text: options.preview }
        : checkMetadata(options.preview, 'preview')
    const given = held(value)
    return this.#track(async () => {
      const { stageOne } = await import('./client/writing.ts')
      const asset = await stageOne(given, { signal, preview })
      return this.#log(
        {
          name: checkedName,
          ...(type !== undefined && { type: checkName(type) }),
          about: { ...(aliases && { aliases }), ...(metadata && { metadata }) },
          assets: [[artifactPath(checkedName), asset]],
        },
        options,
      )
    })
  }

  /**
   * Logs all that was added to the artifact as one version. Nothing is visible until all of it is stored. The artifact may be changed and logged again.
   *
   * @throws ConflictError `version-exists`, `artifact-type-differs`, `file-changed`; NotFoundError `file-vanished`
   */
  async logArtifact(artifact: Artifact, options: LogOptions = {}): Promise<LoggedArtifact> {
    checkOptions(options, ['base', 'signal', 'onProgress'], 'logArtifact()')
    const { assets, draftOf } = pendingOf(artifact)
    if (draftOf && options.base !== undefined)
      throw new InvalidInputError(
        `A draft is compared with the version it was made of, ${versionLabel(draftOf)}: leave base out.`,
        { code: 'invalid-option', fields: { option: 'base' } },
      )
    const { name, type, version, aliases, versionTags, metadata, description } = artifact
    const about = {
      ...(version !== undefined && { version }),
      ...(aliases.length > 0 && { aliases }),
      ...(versionTags.length > 0 && { versionTags }),
      ...(metadata && { metadata }),
      ...(description !== undefined && { description }),
    }
    // As they are now: what is added while this version is under way belongs to the next.
    const staged = [...assets.entries()]
    return this.#track(() => this.#log({ name, type, about, assets: staged, ...(draftOf && { draftOf }) }, options))
  }

  /**
   * A version by name, `[workspace/]name[:version-or-alias]`, and notes that this experiment used it.
   *
   * @throws NotFoundError `artifact-not-found`, `version-not-found`
   */
  async getArtifact(name: string, options: GetArtifactOptions = {}): Promise<LoggedArtifact> {
    checkOptions(options, ['workspace', 'versionOrAlias', 'signal'], 'getArtifact()')
    const { signal } = options
    const wire = await findVersion(this.#connection.api, placeOf(name, options, this.workspace), signal)
    const { workspace, index } = wire
    await this.#connection.api.json('POST', routes.inputs(this.key), {
      body: { workspace, name: wire.name, index },
      signal,
    })
    return new LoggedArtifact(this.#connection, wire, this.key)
  }

  /**
   * Watches a table: an array of records, an object of columns, typed arrays in `arrays(...)`, an Arrow table, or a function (sync or async) that gives one of them. It is looked at
   * every `interval` ms, and each change becomes a version of which only the change is stored. Resolves when the table as it is now is committed. What is looked at is the
   * live table: edit it in place. (Arrow tables do not change: give a function, or register the next one under the same name.)
   *
   * A name that is registered already takes over the new source and options, after a last look at the old one; the RegisteredArtifact stays the same, with its listeners.
   *
   * A version is the table as it was at one moment. A large table that is edited without pause while it is read is stored as it was met, part by part, and once more when it
   * rests.
   *
   * @throws InvalidInputError `unsupported-source`, `key-missing`, `experiment-ended`, and what is wrong with the table
   * @example
   * ```ts
   * const rows = [{ id: 1, label: 'rose' }, { id: 2, label: 'tulip' }]
   * const train = await experiment.registerArtifact('train', rows, { key: 'id', keep: 100 })
   * train.addEventListener('version', (event) => console.log(event.version))
   * rows[1].label = 'iris' // noticed
   * await experiment.end() // takes a last look
   * ```
   */
  async registerArtifact(
    name: string,
    source: unknown,
    options: RegisterArtifactOptions = {},
  ): Promise<RegisteredArtifact> {
    return this.#track(async () => (await this.#watched()).register(name, source, options))
  }

  /** The tables that are watched: name and live source. */
  getRegisteredArtifacts(): Map<string, unknown> {
    return this.#tables?.sources ?? new Map()
  }

  /**
   * Takes a last look at a watched table, and stops watching it.
   *
   * @throws NotFoundError `not-watched`; and what went wrong with the last look: it is watched further then, unless with `discard`
   */
  async unregisterArtifact(name: string, options: UnregisterOptions = {}): Promise<void> {
    checkOptions(options, ['discard'], 'unregisterArtifact()')
    await (await this.#watched()).unregister(name, options)
  }

  /**
   * Takes a last look at the tables that are watched, waits until everything is committed, and marks the experiment as ended. Reading goes on to work; writing is an
   * error then. When it rejects, the experiment has not ended, and watches on.
   */
  end(): Promise<void> {
    this.#ending ??= this.#end().catch((error: unknown) => {
      // Not ended after all: it can be tried again.
      this.#ending = undefined
      throw error
    })
    return this.#ending
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }

  async #end(): Promise<void> {
    // How each of them ends is told to whoever began it.
    await Promise.allSettled(this.#underWay)
    await this.#tables?.end()
    await this.#connection.api.json('POST', routes.endExperiment(this.key))
  }

  async #watched(): Promise<WatchedTables> {
    const { WatchedTables } = await import('./watched-tables.ts')
    const { key, workspace } = this
    const commit = (request: Omit<UploadRequest, 'workspace' | 'base'>) => this.#commit(request, {})
    this.#tables ??= new WatchedTables({ key, workspace, connection: this.#connection, commit })
    return this.#tables
  }

  async #log(request: Omit<UploadRequest, 'workspace' | 'base'>, options: LogOptions): Promise<LoggedArtifact> {
    return (await this.#commit(request, options)).logged
  }

  async #commit(
    request: Omit<UploadRequest, 'workspace' | 'base'>,
    { base, signal, onProgress }: LogOptions,
  ): Promise<Committed> {
    const { api, codecs, compress, logger } = this.#connection
    const wire = await this.#baseWire(base, signal)
    const about = { ...request.about, experimentKey: this.key, project: this.project }
    const full: UploadRequest = {
      ...request,
      about,
      workspace: this.workspace,
      ...(wire !== undefined && { base: wire }),
    }
    const { upload } = await import('./client/writing.ts')
    const { version, created } = await upload(api, full, { codecs, compress, signal, onProgress })
    logger.info(
      `${created ? 'Logged' : 'Nothing new in'} ${versionLabel(version)} (${version.version}), ${version.size} bytes in ${version.count} assets.`,
    )
    return { logged: new LoggedArtifact(this.#connection, version, this.key), created }
  }

  async #baseWire(base: LogOptions['base'], signal: AbortSignal | undefined): Promise<VersionWire | null | undefined> {
    if (base === undefined || base === null) return base
    if (typeof base !== 'string') return wireOf(base, 'base')
    return findVersion(this.#connection.api, placeOf(base, {}, this.workspace), signal)
  }

  async #track<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ending)
      throw new InvalidInputError(
        `Experiment ${this.name} has ended: nothing more can be logged to it. Create another, or get it again by its key.`,
        {
          code: 'experiment-ended',
          fields: { experiment: this.key },
        },
      )
    const promise = work()
    this.#underWay.add(promise)
    try {
      return await promise
    } finally {
      this.#underWay.delete(promise)
    }
  }
}

/** Which version a name and options mean; the options win. */
export function placeOf(
  name: string,
  { workspace, versionOrAlias }: GetArtifactOptions,
  defaultWorkspace: string,
): VersionPlace {
  checkText(workspace, 'workspace')
  checkText(versionOrAlias, 'versionOrAlias')
  const parsed = parseArtifactName(name)
  const select = versionOrAlias ?? parsed.versionOrAlias
  return {
    workspace: workspace === undefined ? (parsed.workspace ?? defaultWorkspace) : checkName(workspace, 'workspace'),
    name: parsed.name,
    ...(select !== undefined && { select }),
  }
}
