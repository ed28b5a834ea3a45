import { type Artifact, pendingOf } from './artifact.ts'
import type { Connection } from './client/connection.ts'
import { held } from './client/held.ts'
import { checkMetadata } from './client/metadata.ts'
import type { Run } from './client/open-run.ts'
import { type GetArtifactOptions, placeOf } from './client/place-of.ts'
import type { OnProgress } from './client/progress.ts'
import { artifactPath } from './client/upload/artifact-path.ts'
import type { UploadRequest } from './client/upload.ts'
import { openVersion } from './client/versions/open-version.ts'
import { findVersion, versionLabel } from './client/versions.ts'
import type { VersionReading } from './content/version-reading.ts'
import { InvalidInputError } from './errors.ts'
import { ExperimentWrites } from './experiment-writes.ts'
import { LoggedArtifact, wireOf } from './logged-artifact.ts'
import { checkOptions, checkText, checkTexts } from './options.ts'
import { checkName } from './paths.ts'
import type { Metadata, VersionWire } from './protocol/shapes.ts'
import type { RegisteredArtifact, UnregisterOptions } from './registered.ts'
import type { Committed, RegisterArtifactOptions, WatchedTables } from './watched-tables.ts'

/** How one begins or is found: loaded with it. */
export { beginRun, findRun } from './client/open-run.ts'

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

/** One run: what it logs and what it reads. */
export class Experiment extends ExperimentWrites {
  readonly #connection: Connection
  /** Once there is one: what watches them is loaded then. */
  #tables: WatchedTables | undefined

  constructor(connection: Connection, run: Run) {
    super(connection, run)
    this.#connection = connection
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
    return this.track(async () => {
      const { stageOne } = await import('./client/upload/writing.ts')
      const asset = await stageOne(given, { signal, preview })
      return this.#log(
        {
          name: checkedName,
          ...(type !== undefined && { type: checkName(type, 'type') }),
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
    const { assets, adding, draftOf } = pendingOf(artifact)
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
    return this.track(async () => {
      if (adding.size > 0) await Promise.all(adding)
      return this.#log({ name, type, about, assets: [...assets.entries()], ...(draftOf && { draftOf }) }, options)
    })
  }

  /**
   * A version by name, `[workspace/]name[:version-or-alias]`, and notes that this experiment used it.
   *
   * @throws NotFoundError `artifact-not-found`, `version-not-found`
   */
  async getArtifact(name: string, options: GetArtifactOptions = {}): Promise<LoggedArtifact> {
    checkOptions(options, ['workspace', 'versionOrAlias', 'signal'], 'getArtifact()')
    const { signal } = options
    const place = placeOf(name, options, this.workspace)
    const { wire, reader } = await openVersion(this.#connection, place, { consumer: this.key, signal })
    return new LoggedArtifact(this.#connection, wire, this.key, reader)
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
   * @throws InvalidInputError `unsupported-source`, `key-column-missing`, `experiment-ended`, and what is wrong with the table; UnsupportedError `server-cannot` for `keep` on
   * a server that deletes no versions, as Comet
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
    return this.track(async () => (await this.#watched()).register(name, source, options))
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

  protected override async lastLook(): Promise<void> {
    await this.#tables?.end()
  }

  protected override async lookNoMore(): Promise<void> {
    await this.#tables?.stop()
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
    const { logger } = this.#connection
    const about = { ...request.about, experimentKey: this.key, project: this.project }
    const full = { ...request, about, workspace: this.workspace }
    const { wire, reader, created } = await this.#upload(full, base, { signal, onProgress })
    logger.info(
      `${created ? 'Logged' : 'Nothing new in'} ${versionLabel(wire)} (${wire.version}), ${wire.size} bytes in ${wire.count} assets.`,
    )
    return { logged: new LoggedArtifact(this.#connection, wire, this.key, reader), created }
  }

  async #upload(
    request: UploadRequest,
    base: LogOptions['base'],
    { signal, onProgress }: LogOptions,
  ): Promise<{ readonly wire: VersionWire; readonly reader?: VersionReading; readonly created: boolean }> {
    const { api, server, compress, logger } = this.#connection
    const options = { compress, signal, onProgress, logger }
    if (!(await server.capabilities(signal))) {
      const { uploadToComet } = await import('./client/comet/comet-upload.ts')
      return uploadToComet(api, { ...request, experimentKey: this.key }, options)
    }
    const wire = await this.#baseWire(base, signal)
    const { upload } = await import('./client/upload/writing.ts')
    const { version, created } = await upload(api, { ...request, ...(wire !== undefined && { base: wire }) }, options)
    return { wire: version, created }
  }

  async #baseWire(base: LogOptions['base'], signal: AbortSignal | undefined): Promise<VersionWire | null | undefined> {
    if (base === undefined || base === null) return base
    if (typeof base !== 'string') return wireOf(base, 'base')
    return findVersion(this.#connection.api, placeOf(base, {}, this.workspace), signal)
  }
}
