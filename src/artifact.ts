import { held } from './client/held.ts'
import { checkMetadata } from './client/metadata.ts'
import type { RemoteOptions } from './client/remote-link.ts'
import { type StagedAsset, StagedAssets } from './client/upload/staged.ts'
import { InvalidInputError } from './errors.ts'
import { checkFlag, checkOptions, checkText, checkTexts, describe } from './options.ts'
import { checkName, checkSemanticVersion } from './paths.ts'
import type { Metadata, VersionWire } from './protocol/shapes.ts'

export interface ArtifactOptions {
  /** Semantic version, `2.0.0`; the next major when left out. One that exists is refused when it is logged. */
  readonly version?: string
  /** Names that move to this version: `golden`. */
  readonly aliases?: readonly string[]
  /** Words that stay with this version: `raw`. */
  readonly versionTags?: readonly string[]
  readonly metadata?: Metadata
  readonly description?: string
}

export interface AddOptions {
  /**
   * Where it goes in the artifact: the path of the asset, or the folder that holds the files of a folder or pattern (`''` for the top). One that ends with `/` is a
   * folder also for a single file. Default: the name of the file or folder.
   */
  readonly logicalPath?: string
  /** Replace an asset at the same path. */
  readonly overwrite?: boolean
  /** Of each asset. */
  readonly metadata?: Metadata
  /** Patterns as in `.gitignore`: files of a folder or pattern that are left out. */
  readonly ignore?: string | readonly string[]
  readonly signal?: AbortSignal
}

export interface AddRemoteOptions extends Omit<AddOptions, 'ignore'>, RemoteOptions {}

/** One entry of a pending artifact. */
export interface ArtifactAsset {
  readonly logicalPath: string
  /** Bytes; undefined for a value, whose size is known once it is logged. */
  readonly size: number | undefined
  readonly remote: boolean
  /** The URI of a remote asset. */
  readonly link: string | undefined
  /** The path of the file as it was given; never stored. */
  readonly localPath: string | undefined
  readonly metadata: Metadata | undefined
  /** What it is: `table`, `json`, `npz`, `png`, `zip`, `text`, `file`, or `remote`. */
  readonly type: string
  readonly overwrite: boolean
}

/**
 * A version in the making: what is added here is stored when it is logged, all of it or nothing.
 *
 * @example
 * ```ts
 * import { Artifact, createExperiment } from 'tidemark'
 *
 * const dataset = new Artifact('flowers', 'dataset', { aliases: ['golden'], metadata: { source: 'field' } })
 * await dataset.add([{ petals: 5, label: 'rose' }], { logicalPath: 'flowers.arrow' })
 * const experiment = await createExperiment()
 * await experiment.logArtifact(dataset)
 * ```
 */
export class Artifact {
  readonly name: string
  readonly type: string
  readonly version: string | undefined
  readonly aliases: readonly string[]
  readonly versionTags: readonly string[]
  readonly metadata: Metadata | undefined
  readonly description: string | undefined

  /**
   * @param type What it is for: `dataset`, `model`, ... The same for all versions.
   * @throws InvalidInputError `invalid-name`, `invalid-version`, `unknown-option`, `invalid-option`
   */
  constructor(name: string, type: string, options: ArtifactOptions = {}) {
    checkOptions(options, ['version', 'aliases', 'versionTags', 'metadata', 'description'], 'new Artifact()')
    const { version, aliases = [], versionTags = [], metadata, description } = options
    checkTexts(aliases, 'aliases')
    checkTexts(versionTags, 'versionTags')
    checkText(description, 'description')
    this.name = checkName(name)
    this.type = checkName(type, 'type')
    this.version = version === undefined ? undefined : checkSemanticVersion(version)
    this.aliases = aliases.map((alias) => checkName(alias, 'alias'))
    this.versionTags = versionTags.map((tag) => checkName(tag, 'tag'))
    this.metadata = checkMetadata(metadata)
    this.description = description
    pending.set(this, { assets: new StagedAssets(), adding: new Set() })
  }

  /** What it holds so far, in the order it was added. */
  get assets(): ArtifactAsset[] {
    return Array.from(pendingOf(this).assets.entries(), ([path, asset]) => describeAsset(path, asset))
  }

  /**
   * Adds a file, a folder (one asset for each of its files), the files of a pattern, or any value. Files are read when the artifact is logged.
   *
   * @throws ConflictError `asset-exists`: there is an asset at that path; nothing was added then
   * @throws InvalidInputError `logical-path-missing`: a value needs a place; `unsupported-value`, `invalid-path`
   * @throws NotFoundError `glob-no-match`, and what looking at the files throws
   */
  async add(source: unknown, options: AddOptions = {}): Promise<this> {
    checkOptions(options, ['logicalPath', 'overwrite', 'metadata', 'ignore', 'signal'], 'add()')
    checkText(options.logicalPath, 'logicalPath')
    checkFlag(options.overwrite, 'overwrite')
    if (typeof options.ignore !== 'string') checkTexts(options.ignore, 'ignore')
    const value = held(source)
    const metadata = checkMetadata(options.metadata)
    return this.#adding(async (assets) => {
      const { stage } = await import('./client/upload/stage.ts')
      assets.addAll(await stage(value, { ...options, metadata }))
    })
  }

  /**
   * Adds a link to data that stays where it is.
   *
   * @throws NotFoundError, PermissionError, UnavailableError `remote-unavailable`: the server could not be asked for size and ETag
   * @throws ConflictError `asset-exists`; InvalidInputError `invalid-uri`, `uri-has-credentials`
   */
  async addRemote(uri: string | URL, options: AddRemoteOptions = {}): Promise<this> {
    checkOptions(
      options,
      ['logicalPath', 'overwrite', 'metadata', 'sync', 'checksum', 'maxObjects', 'signal'],
      'addRemote()',
    )
    checkText(options.logicalPath, 'logicalPath')
    for (const flag of ['overwrite', 'sync', 'checksum'] as const) checkFlag(options[flag], flag)
    const { logicalPath, overwrite = false } = options
    const metadata = checkMetadata(options.metadata)
    return this.#adding(async (assets) => {
      const { linkTo } = await import('./client/remote-link.ts')
      const { name, reference } = await linkTo(String(uri), options)
      const path = logicalPath === undefined || logicalPath.endsWith('/') ? `${logicalPath ?? ''}${name}` : logicalPath
      assets.add(path, { reference, overwrite, metadata })
    })
  }

  /** Logging waits for it, so that nothing is left out where an `await` was forgotten. */
  async #adding(add: (assets: StagedAssets) => Promise<void>): Promise<this> {
    const { assets, adding } = pendingOf(this)
    const one = add(assets)
    adding.add(one)
    try {
      await one
    } finally {
      adding.delete(one)
    }
    return this
  }

  /**
   * Adds an asset of another pending artifact, as it is.
   *
   * @throws ConflictError `asset-exists`
   */
  addAsset(asset: ArtifactAsset): this {
    const staged = stagedOf.get(asset)
    if (!staged)
      throw new InvalidInputError(`addAsset() takes an asset of an Artifact, not ${describe(asset)}.`, {
        code: 'invalid-asset',
      })
    if ('kept' in staged)
      throw new InvalidInputError(
        `'${asset.logicalPath}' belongs to the version its draft was made of. Add its value or file instead.`,
        { code: 'invalid-asset' },
      )
    pendingOf(this).assets.add(asset.logicalPath, staged)
    return this
  }

  /**
   * Takes out the asset at this path, or the folder with all below it; how many assets that were.
   *
   * @throws NotFoundError `asset-not-found`
   */
  remove(path: string): number {
    return pendingOf(this).assets.remove(path)
  }
}

interface Pending {
  readonly assets: StagedAssets
  /** What is being looked for and not in `assets` yet. */
  readonly adding: Set<Promise<void>>
  /** The version it began as. */
  readonly draftOf?: VersionWire
}

// Kept beside the class, so that what users hold shows only what is theirs.
const pending = new WeakMap<Artifact, Pending>()

/**
 * What is logged of an artifact.
 *
 * @throws InvalidInputError `invalid-artifact`
 */
export function pendingOf(artifact: Artifact): Pending {
  const found = pending.get(artifact)
  if (found) return found
  throw new InvalidInputError(
    `logArtifact() takes an Artifact, not ${describe(artifact)}. To log one value, see uploadArtifact().`,
    { code: 'invalid-artifact' },
  )
}

/** An artifact that begins as a version that was logged. */
export function draftFrom(version: VersionWire, assets: StagedAssets): Artifact {
  const { name, type, metadata, description } = version
  const artifact = new Artifact(name, type, {
    ...(metadata && { metadata }),
    ...(description !== null && { description }),
  })
  pending.set(artifact, { assets, adding: new Set(), draftOf: version })
  return artifact
}

// What an asset that was handed out stands for, so that it can be added elsewhere.
const stagedOf = new WeakMap<ArtifactAsset, StagedAsset>()

function describeAsset(logicalPath: string, asset: StagedAsset): ArtifactAsset {
  const described: ArtifactAsset = {
    logicalPath,
    size: sizeOf(asset),
    remote: 'reference' in asset || ('kept' in asset && asset.kept.link !== undefined),
    link: 'reference' in asset ? asset.reference.uri : 'kept' in asset ? asset.kept.link : undefined,
    localPath: 'file' in asset ? asset.localPath : undefined,
    metadata: asset.metadata,
    type: 'reference' in asset ? 'remote' : 'file' in asset ? 'file' : 'kept' in asset ? asset.kept.kind : asset.kind,
    overwrite: asset.overwrite ?? false,
  }
  stagedOf.set(described, asset)
  return described
}

function sizeOf(asset: StagedAsset): number | undefined {
  if ('file' in asset) return asset.file.size
  if ('kept' in asset) return asset.kept.size
  return 'reference' in asset ? (asset.reference.size ?? 0) : undefined
}
