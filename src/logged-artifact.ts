import { type Artifact, draftFrom } from './artifact.ts'
import type { Connection } from './client/connection.ts'
import type { VersionDiff } from './client/diff.ts'
import type { ZipOptions } from './client/download/download-zip.ts'
import type { DownloadTo } from './client/download/open-target.ts'
import { overwriteRules } from './client/download/overwrite.ts'
import type { DownloadOptions, DownloadReport } from './client/download.ts'
import { held } from './client/held.ts'
import { StagedAssets } from './client/upload/staged.ts'
import type { VerifyOptions, VerifyReport } from './client/verify.ts'
import { needOwnRoutes } from './client/versions/open-version.ts'
import { isListed } from './client/versions.ts'
import type { Entry } from './content/entry.ts'
import type { VersionReading } from './content/version-reading.ts'
import { InvalidInputError } from './errors.ts'
import { LoggedArtifactAsset } from './logged-artifact-asset.ts'
import { checkChoice, checkOptions, checkText, checkTexts, describe } from './options.ts'
import { checkName } from './paths.ts'
import { restPrefix, routes } from './protocol/routes.ts'
import type { Metadata, VersionState, VersionWire } from './protocol/shapes.ts'

/** One version of an artifact: its content never changes. */
export class LoggedArtifact {
  /** Of the artifact; the same for all its versions. */
  readonly id: string
  readonly versionId: string
  readonly name: string
  readonly type: string
  readonly workspace: string
  readonly project: string | null
  /** Semantic version, `1.0.0`. */
  readonly version: string
  /** v0, v1, ...; of Comet, which does not count them, the place among all that are there, the oldest first (-1 where it does not list them). */
  readonly index: number
  readonly metadata: Metadata | null
  readonly description: string | null
  /** Bytes of all assets, remote ones not counted. */
  readonly size: number
  /** SHA-256 over the sorted lines `digest, path`, as `sha256sum` prints them; undefined when it is not known: of what others logged to Comet. */
  readonly digest: string | undefined
  readonly state: VersionState
  readonly createdAt: Date
  /** The experiment it was asked for with; null without one. */
  readonly experimentKey: string | null
  /** The experiment that logged it. */
  readonly sourceExperimentKey: string | null
  readonly #connection: Connection
  #wire: VersionWire
  #reader: VersionReading | undefined

  constructor(connection: Connection, wire: VersionWire, experimentKey: string | null, reader?: VersionReading) {
    this.#connection = connection
    this.#wire = wire
    this.#reader = reader
    this.id = wire.artifactId
    this.versionId = wire.versionId
    this.name = wire.name
    this.type = wire.type
    this.workspace = wire.workspace
    this.project = wire.project
    this.version = wire.version
    this.index = wire.index
    this.metadata = wire.metadata
    this.description = wire.description
    this.size = wire.size
    this.digest = wire.digest || undefined
    this.state = wire.state
    this.createdAt = new Date(wire.createdAt)
    this.experimentKey = experimentKey
    this.sourceExperimentKey = wire.experimentKey
    wires.set(this, wire)
  }

  /** As they were when this object was made, or updated through it. */
  get aliases(): readonly string[] {
    return this.#wire.aliases
  }

  get artifactTags(): readonly string[] {
    return this.#wire.artifactTags
  }

  get versionTags(): readonly string[] {
    return this.#wire.versionTags
  }

  /** How many assets it has, remote ones included. */
  get count(): number {
    return this.#wire.count
  }

  /** All its properties: what `JSON.stringify` makes of it. */
  toJSON(): object {
    const { aliases, artifactTags, versionTags, count } = this
    return { ...this, aliases, artifactTags, versionTags, count }
  }

  /** All assets, sorted by path. */
  async getAssets(options: { signal?: AbortSignal } = {}): Promise<LoggedArtifactAsset[]> {
    checkOptions(options, ['signal'], 'getAssets()')
    const assets: LoggedArtifactAsset[] = []
    const reader = await this.#read()
    for await (const entry of reader.entries({ signal: options.signal })) assets.push(this.#asset(entry, reader))
    return assets
  }

  /** The assets that are only linked. */
  async getRemoteAssets(options: { signal?: AbortSignal } = {}): Promise<LoggedArtifactAsset[]> {
    return (await this.getAssets(options)).filter(({ remote }) => remote)
  }

  /** @throws NotFoundError `asset-not-found` naming paths that are near */
  async getAsset(path?: string, options: { signal?: AbortSignal } = {}): Promise<LoggedArtifactAsset> {
    checkOptions(options, ['signal'], 'getAsset()')
    const { signal } = options
    const { findEntry } = await readingVersions()
    const reader = await this.#read()
    return this.#asset(await findEntry(reader, this, path, signal), reader)
  }

  /**
   * The value at this path, decoded: a table, JSON, arrays, an image, text, bytes, or the entries of a folder. The path may be left out when there is one asset.
   *
   * @throws NotFoundError `asset-not-found`; InvalidInputError `path-needed`
   * @throws CorruptionError when what is stored is damaged
   * @example
   * ```ts
   * const settings = await (await experiment.getArtifact('settings')).get()
   * ```
   */
  async get(path?: string, options: { signal?: AbortSignal } = {}): Promise<unknown> {
    return (await this.getAsset(path, options)).get(options)
  }

  /** The bytes at this path as a stream, verified piece by piece. */
  async open(path?: string, options: { signal?: AbortSignal } = {}): Promise<ReadableStream<Uint8Array>> {
    return (await this.getAsset(path, options)).open(options)
  }

  /**
   * Writes the assets into a folder (made when it is not there), a `FileSystemDirectoryHandle` or a Map of path to bytes. Everything is verified and written out of
   * sight first, then made visible; when it fails, nothing of it stays. Links in the target are never followed. Remote assets are listed, not fetched.
   *
   * @throws ConflictError `file-exists`: with `overwrite: 'fail'`, the default, a file is there that differs
   * @throws PermissionError `link-in-target`; InvalidInputError `paths-collide`; CorruptionError; UnavailableError `disk-full`
   */
  async download(target: DownloadTo, options: DownloadOptions = {}): Promise<DownloadReport> {
    checkOptions(options, ['overwrite', 'pathPrefix', 'onProgress', 'signal'], 'download()')
    checkChoice(options.overwrite, overwriteRules, 'overwrite')
    checkText(options.pathPrefix, 'pathPrefix')
    const { download, openTarget } = await import('./client/download/downloading.ts')
    return download(await this.#read(), await openTarget(target), options)
  }

  /**
   * The assets as one zip archive, verified: in a browser, what a link with `download` saves. The same version gives the same bytes. Remote assets are left out.
   *
   * @throws NotFoundError `asset-not-found` when nothing is below `pathPrefix`; CorruptionError
   * @example
   * ```ts
   * const zip = await (await experiment.getArtifact('flowers')).toZip({ pathPrefix: 'photos' })
   * const href = URL.createObjectURL(zip)
   * ```
   */
  async toZip(options: ZipOptions = {}): Promise<Blob> {
    checkOptions(options, ['pathPrefix', 'onProgress', 'signal'], 'toZip()')
    checkText(options.pathPrefix, 'pathPrefix')
    const { downloadZip } = await import('./client/download/download-zip.ts')
    return downloadZip(await this.#read(), options)
  }

  /** Replaces the tags of the artifact, those of all its versions. */
  async updateArtifactTags(tags: readonly string[]): Promise<void> {
    const artifactTags = checkedNames(tags, 'tag')
    await this.#post('/write/artifacts/details', { artifactId: this.id, tags: artifactTags })
    this.#wire = { ...this.#wire, artifactTags }
  }

  /** Replaces the tags of this version. */
  async updateVersionTags(tags: readonly string[]): Promise<void> {
    const versionTags = checkedNames(tags, 'tag')
    await this.#post('/write/artifacts/version/labels', { artifactVersionId: this.versionId, versionTags })
    this.#wire = { ...this.#wire, versionTags }
  }

  /** Replaces the aliases of this version; those that another version has move here. */
  async updateAliases(aliases: readonly string[]): Promise<void> {
    const alias = checkedNames(aliases, 'alias')
    await this.#post('/write/artifacts/version/labels', { artifactVersionId: this.versionId, alias })
    this.#wire = { ...this.#wire, aliases: alias.filter((one) => one.toLowerCase() !== 'latest') }
  }

  /** How this version becomes the other one, path by path; what changed in a table, `table()` of its path tells. */
  async diff(other: LoggedArtifact, options: { signal?: AbortSignal } = {}): Promise<VersionDiff> {
    checkOptions(options, ['signal'], 'diff()')
    const to = wireOf(other, 'diff()')
    const { diff, diffListed } = await import('./client/diff.ts')
    if (isListed(this.#wire) || isListed(to)) return diffListed(await this.#read(), await other.#read(), options.signal)
    return diff([this.#connection.api, this.#wire], [other.#connection.api, to], options.signal)
  }

  /**
   * An artifact that begins as this version: change it and log it, and only the changes are read and sent.
   *
   * @example
   * ```ts
   * const draft = await (await experiment.getArtifact('flowers')).newDraft()
   * draft.remove('photos/blurred.png')
   * await experiment.logArtifact(draft)
   * ```
   */
  async newDraft(options: { signal?: AbortSignal } = {}): Promise<Artifact> {
    checkOptions(options, ['signal'], 'newDraft()')
    const assets = new StagedAssets()
    const reader = await this.#read()
    for await (const { path, size, kind, metadata, remote } of reader.entries({ signal: options.signal }))
      assets.add(path, { kept: { size, kind, ...(remote && { link: remote.uri }) }, ...(metadata && { metadata }) })
    return draftFrom(this.#wire, assets)
  }

  /**
   * Without a target: reads every stored byte against its digest. With a folder: compares its files with this version. What is found is reported, not thrown.
   *
   * @throws CorruptionError when the list of assets itself is damaged
   */
  async verify(target?: unknown, options: VerifyOptions = {}): Promise<VerifyReport> {
    checkOptions(options, ['onProgress', 'signal'], 'verify()')
    const folder = held(target)
    const { verifyFolder, verifyStored } = await import('./client/verify/verifying.ts')
    const reader = await this.#read()
    return folder === undefined ? verifyStored(reader, options) : verifyFolder(reader, folder, options)
  }

  /** Deletes this version. Its index and number are never used again; what only it needs is freed by the next collection. */
  async delete(options: { signal?: AbortSignal } = {}): Promise<void> {
    checkOptions(options, ['signal'], 'delete()')
    await needOwnRoutes(this.#connection, 'deleting one version of an artifact', options.signal)
    await this.#connection.api.json('DELETE', routes.version(this.workspace, this.name, this.index), options)
  }

  async #read(): Promise<VersionReading> {
    if (this.#reader) return this.#reader
    const { readVersion } = await readingVersions()
    this.#reader ??= readVersion(this.#connection.api, this.#wire)
    return this.#reader
  }

  #asset(entry: Entry, reader: VersionReading): LoggedArtifactAsset {
    return new LoggedArtifactAsset(reader, this.#wire, entry)
  }

  async #post(path: string, body: unknown): Promise<void> {
    await this.#connection.api.json('POST', `${restPrefix}${path}`, { body })
  }
}

/** Loaded when a version is read for the first time. */
function readingVersions() {
  return import('./client/versions/read-version.ts')
}

// Kept beside the class, so that what users hold shows only what is theirs.
const wires = new WeakMap<LoggedArtifact, VersionWire>()

/** The version that a LoggedArtifact stands for. */
export function wireOf(artifact: LoggedArtifact, where: string): VersionWire {
  const wire = wires.get(artifact)
  if (wire) return wire
  throw new InvalidInputError(`${where} takes a LoggedArtifact, not ${describe(artifact)}.`, {
    code: 'invalid-artifact',
  })
}

function checkedNames(names: readonly string[], what: 'tag' | 'alias'): string[] {
  // No option: it cannot be left out.
  checkTexts(names ?? null, what === 'alias' ? 'aliases' : 'tags')
  return [...new Set(names.map((name) => checkName(name, what)))]
}
