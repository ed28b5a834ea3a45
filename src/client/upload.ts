import type { AssetKind, Encoded, EncodeOptions } from '../codecs/codec.ts'
import { areFlat } from '../codecs/detect.ts'
import { unreadable } from '../codecs/reading-value.ts'
import { loadCodec } from '../codecs/registry.ts'
import type { KeptPages } from '../content/page-reader.ts'
import type { VersionReader } from '../content/version-reader.ts'
import { VersionWriter, type WrittenVersion } from '../content/version-writer.ts'
import { ConflictError, InvalidInputError, isTidemarkError, throwIfAborted } from '../errors.ts'
import type { Logger } from '../logging.ts'
import { paceForPage } from '../platform/pace.ts'
import { toBase64 } from '../protocol/base64.ts'
import { routes } from '../protocol/routes.ts'
import type { CommitReply, CommitRequest, VersionWire } from '../protocol/shapes.ts'
import type { Api } from './api.ts'
import { type OnProgress, ProgressReporter } from './progress.ts'
import { randomId } from './random-id.ts'
import { readAhead } from './upload/read-ahead.ts'
import type { StagedAsset, StagedFile, StagedValue } from './upload/staged.ts'
import { readVersion } from './versions/packed-version.ts'
import { findThere, isSameVersion, versionLabel } from './versions.ts'

/** Where an asset goes: its path, or what makes the path once the value is encoded. */
export type AssetPath = string | ((encoded: Encoded) => string)

export interface UploadRequest {
  readonly workspace: string
  readonly name: string
  /** The artifact's own type, or `data` for a new one, when left out. */
  readonly type?: string
  readonly about: Pick<
    CommitRequest,
    'experimentKey' | 'project' | 'description' | 'version' | 'aliases' | 'versionTags' | 'metadata'
  >
  readonly assets: readonly (readonly [AssetPath, StagedAsset])[]
  /** What to compare with: the latest version when left out, nothing when null. */
  readonly base?: VersionWire | null
  /** The version whose assets are kept; it is the base then. */
  readonly draftOf?: VersionWire
  /** What was read of versions before, for one commit after another. */
  readonly pages?: KeptPages
}

export interface UploadOptions {
  /** Deflate full chunks: where bytes are dearer than time. */
  readonly compress: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: OnProgress
  readonly logger?: Logger
}

/** Of artifacts that were given none. */
export const usualType = 'data'

/** Stores the assets and commits the version. Nothing is visible before the commit; all is after it. */
export async function upload(api: Api, request: UploadRequest, options: UploadOptions): Promise<CommitReply> {
  const { workspace, name, draftOf } = request
  const latest = await findThere(api, { workspace, name }, options.signal)
  const type = request.type ?? latest?.type ?? usualType
  const given = draftOf ?? request.base
  const isGone = given && !(await isHere(api, given, latest, options.signal))
  if (isGone && draftOf) throw draftGone(draftOf)
  const base = given === undefined ? latest : isGone ? undefined : (given ?? undefined)
  try {
    return await attempt(api, { ...request, type }, base, latest, options)
  } catch (error) {
    const actual = request.type === undefined ? actualType(error) : undefined
    if (actual !== undefined) return attempt(api, { ...request, type: actual }, base, latest, options)
    if (!base || !isBaseGone(error)) throw error
    if (draftOf) throw draftGone(draftOf, error)
    return attempt(api, { ...request, type }, undefined, latest, options)
  }
}

/** Of another store there may be a version of the same name here: what is known of its chunks would be said of others. */
async function isHere(
  api: Api,
  version: VersionWire,
  latest: VersionWire | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (latest && isSameVersion(version, latest)) return true
  const { workspace, name, index } = version
  const here = await findThere(api, { workspace, name, select: `v${index}` }, signal)
  if (!here) return false
  if (isSameVersion(version, here)) return true
  throw new InvalidInputError(
    `${versionLabel(version)} is a version of another store: what is kept of it is not in this one. Download it, and add its files.`,
    { code: 'other-store', fields: { artifact: name, index } },
  )
}

/** The type of an artifact that turned out to be there: its versions were deleted one by one, or somebody was faster. */
function actualType(error: unknown): string | undefined {
  if (!isTidemarkError(error) || error.code !== 'artifact-type-differs') return undefined
  return typeof error.fields.type === 'string' ? error.fields.type : undefined
}

async function attempt(
  api: Api,
  request: UploadRequest & { type: string },
  base: VersionWire | undefined,
  latest: VersionWire | undefined,
  options: UploadOptions,
): Promise<CommitReply> {
  const { signal, compress } = options
  const progress = new ProgressReporter(options.onProgress, { phase: 'logging', ...totals(request.assets) })
  const reader = base && readVersion(api, base, request.pages)
  const sink = {
    put: async (id: string, bytes: Uint8Array) => {
      const { putPack } = await import('./versions/packs.ts')
      await putPack(api, id, bytes, signal)
    },
  }
  const writer = await VersionWriter.open({ sink, base: reader, deflate: compress, signal, what: request.name })
  try {
    const written = await writeAll(writer, request, reader, progress, options)
    // One digest for all pages: nobody looks at each asset of a version that is all the same.
    const isAlike = latest?.digest === written.digest && latest.manifest?.digest !== written.manifest?.digest
    const assetsDiffer = isAlike && (await writer.hasNewsOf(readVersion(api, latest, request.pages)))
    return await commit(api, request, base, { ...written, assetsDiffer }, progress, signal)
  } catch (error) {
    // What is still on its way reads from the writer's memory: it ends before the caller hears of the failure.
    await writer.abandon()
    throw error
  }
}

async function writeAll(
  writer: VersionWriter,
  request: UploadRequest,
  reader: VersionReader | undefined,
  progress: ProgressReporter,
  options: UploadOptions,
): Promise<WrittenVersion> {
  const { signal } = options
  let stored = 0
  const tellStored = () => {
    progress.add({ stored: writer.bytesStored - stored })
    stored = writer.bytesStored
  }
  if (reader && request.draftOf) await keep(reader, writer, request.assets, progress, signal)
  for await (const [path, asset] of readAhead(request.assets)) {
    throwIfAborted(signal)
    if ('kept' in asset) continue
    if ('reference' in asset)
      writer.addRemote({ path: plainPath(path), reference: asset.reference, metadata: asset.metadata })
    else await add(writer, path, asset, { name: request.name, reader, progress, ...options })
    progress.add({ files: 1 })
    tellStored()
  }
  const written = await writer.finish()
  tellStored()
  return written
}

async function commit(
  api: Api,
  request: UploadRequest & { type: string },
  base: VersionWire | undefined,
  written: WrittenVersion & { readonly assetsDiffer: boolean },
  progress: ProgressReporter,
  signal: AbortSignal | undefined,
): Promise<CommitReply> {
  const { digest, assetsDiffer, size, count, remoteCount, manifest, packs, inlinePack } = written
  progress.enter('committing')
  const body: CommitRequest = {
    ...request.about,
    writeId: randomId(),
    type: request.type,
    digest,
    ...(assetsDiffer && { assetsDiffer }),
    size,
    count,
    remoteCount,
    manifest,
    packs,
    ...(inlinePack && { inlinePack: toBase64(inlinePack) }),
    ...(base && { base: { workspace: base.workspace, name: base.name, index: base.index } }),
  }
  const reply = await api.json<CommitReply>('POST', routes.versions(request.workspace, request.name), { body, signal })
  progress.enter('done')
  return reply
}

async function add(
  writer: VersionWriter,
  path: AssetPath,
  asset: StagedFile | StagedValue,
  context: Pick<UploadOptions, 'signal'> & {
    readonly name: string
    readonly reader?: VersionReader
    readonly progress: ProgressReporter
  },
): Promise<void> {
  const { name, signal, progress, reader } = context
  const kind = 'file' in asset ? 'file' : asset.kind
  const previous = kind === 'table' && reader ? await previousInfo(reader, path, signal) : undefined
  const explain = (error: unknown) => {
    throw 'file' in asset ? error : ofAsset(error, typeof path === 'string' ? path : name)
  }
  const encoded = await encode(asset, kind, { previous, signal, pace: paceForPage() }).catch(explain)
  const { preview: given, info } = 'file' in asset ? {} : asset
  const adding = writer.add(
    {
      path: typeof path === 'string' ? path : path(encoded),
      kind: encoded.kind,
      mediaType: encoded.mediaType,
      metadata: asset.metadata,
      cuts: encoded.cuts,
      body: encoded.body,
      known: encoded.known,
      preview: () => given ?? encoded.preview(),
      info: () => (info ? { ...encoded.info?.(), ...info } : encoded.info?.()),
    },
    (bytes) => progress.add({ bytes }),
  )
  await adding.catch(explain)
  encoded.release?.()
}

/** Codecs say which part of a value they refuse, or stumble over one that is gone; here is known which value it is. */
function ofAsset(error: unknown, asset: string): unknown {
  const refused = error instanceof TypeError ? unreadable(error, 'The value') : error
  if (!(refused instanceof InvalidInputError)) return refused
  const { message, code, fields, cause } = refused
  return new InvalidInputError(`${asset}: ${message}`, { code, fields: { ...fields, asset }, cause })
}

export async function encode(
  asset: StagedFile | StagedValue,
  kind: AssetKind,
  options: EncodeOptions,
): Promise<Encoded> {
  if ('encode' in asset && asset.encode) return asset.encode(options)
  const codec = await loadCodec(kind)
  if ('file' in asset) return codec.encode(asset.file, options)
  const value = await asset.value()
  if (!asset.assumed || !Array.isArray(value)) return codec.encode(value, options)
  try {
    return await codec.encode(value, { ...options, flat: true })
  } catch (error) {
    throwIfAborted(options.signal)
    if (areFlat(value)) throw error
    return (await loadCodec('json')).encode(value, options)
  }
}

/** What the codec noted about the asset in the version before; of the only asset there, where the path is not known yet. */
async function previousInfo(reader: VersionReader, path: AssetPath, signal: AbortSignal | undefined) {
  if (typeof path === 'string') return (await reader.entry(path, signal))?.info
  for await (const entry of reader.entries({ signal })) return entry.info
  return undefined
}

/** Carries the kept assets over: their lines of the manifest, nothing else. */
async function keep(
  reader: VersionReader,
  writer: VersionWriter,
  assets: UploadRequest['assets'],
  progress: ProgressReporter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const kept = new Set(assets.filter(([, asset]) => 'kept' in asset).map(([path]) => path))
  for await (const entry of reader.entries({ signal })) {
    if (!kept.has(entry.path)) continue
    writer.keep(entry)
    progress.add({ files: 1, bytes: entry.size })
  }
}

function plainPath(path: AssetPath): string {
  if (typeof path === 'string') return path
  throw new TypeError('A link has no encoding to be named by.')
}

function totals(assets: UploadRequest['assets']): { totalFiles: number; totalBytes?: number } {
  let totalBytes: number | undefined = 0
  for (const [, asset] of assets) {
    const size =
      'file' in asset ? asset.file.size : 'kept' in asset ? asset.kept.size : 'reference' in asset ? 0 : undefined
    totalBytes = totalBytes === undefined || size === undefined ? undefined : totalBytes + size
  }
  return { totalFiles: assets.length, ...(totalBytes === undefined ? undefined : { totalBytes }) }
}

// Its packs were collected after it was read: deleted in between.
function isBaseGone(error: unknown): boolean {
  return isTidemarkError(error) && (error.code === 'base-gone' || error.code === 'pack-missing')
}

function draftGone(draftOf: VersionWire, cause?: unknown): ConflictError {
  return new ConflictError(
    `${versionLabel(draftOf)} is not there any more, or is a version of another store: a draft of it cannot be logged. Begin a draft of another version.`,
    {
      code: 'base-gone',
      fields: { artifact: draftOf.name, index: draftOf.index },
      cause,
    },
  )
}
