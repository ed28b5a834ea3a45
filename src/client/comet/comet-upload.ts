import { ConflictError, isTidemarkError, throwIfAborted } from '../../errors.ts'
import { restPrefix } from '../../protocol/routes.ts'
import type { VersionWire } from '../../protocol/shapes.ts'
import { sendForm } from '../api/send-form.ts'
import type { Api } from '../api.ts'
import { uploadPath } from '../asset-description.ts'
import { ProgressReporter } from '../progress.ts'
import { randomId } from '../random-id.ts'
import { atOnce } from '../slots.ts'
import { assetForm } from '../upload/upload-asset.ts'
import type { UploadOptions, UploadRequest } from '../upload.ts'
import type { OpenedVersion } from '../versions/open-version.ts'
import { type WholeAsset, wholeAsset } from './comet-asset.ts'
import { upsertComet } from './comet-upsert.ts'
import { findCometLatest, openCometVersionById } from './comet-version.ts'
import type { CometVersion } from './comet-wire.ts'

// As many as browsers open to one host; Comet's own clients send two or three at once.
const uploadsInFlight = 6

// Assets that were read to be compared are held until they are sent, up to this many bytes of memory; the others are read again.
const mostHeld = 64 * 1024 * 1024

/** Logs a version to a server that takes assets whole, one request each: as Comet's own clients do it. */
export async function uploadToComet(
  api: Api,
  request: UploadRequest & { readonly experimentKey: string },
  options: UploadOptions,
): Promise<OpenedVersion & { readonly created: boolean }> {
  const { workspace, name, experimentKey } = request
  const { signal } = options
  const latest = await findCometLatest(api, { workspace, name }, { experimentKey, signal })
  const kept =
    request.draftOf && (await openCometVersionById(api, request.draftOf.versionId, { experimentKey, signal }))
  const sending = new Sending(api, request, options, kept)
  try {
    if (latest && isSaidAlready(latest.wire, request.about) && (await sending.isIn(latest))) {
      await addLabels(api, latest.wire, request.about, signal)
      return { ...(await reopen(api, latest.wire, experimentKey, signal)), created: false }
    }
    return await commit(api, request, options, { sending, knownType: latest?.wire.type })
  } finally {
    await sending.release()
  }
}

async function commit(
  api: Api,
  request: UploadRequest & { readonly experimentKey: string },
  options: UploadOptions,
  { sending, knownType }: { readonly sending: Sending; readonly knownType: string | undefined },
): Promise<OpenedVersion & { readonly created: boolean }> {
  const { experimentKey } = request
  const { signal } = options
  const versionId = await upsertComet(api, request, knownType, signal)
  try {
    await sending.send(versionId)
    await setState(api, versionId, experimentKey, 'CLOSED', signal)
  } catch (error) {
    await giveUp(api, versionId, experimentKey, options)
    throw error
  }
  sending.done()
  return { ...(await openCometVersionById(api, versionId, { experimentKey, signal })), created: true }
}

class Sending {
  readonly #api: Api
  readonly #request: UploadRequest & { readonly experimentKey: string }
  readonly #options: UploadOptions
  readonly #kept: OpenedVersion | undefined
  readonly #progress: ProgressReporter
  readonly #held = new Map<number, WholeAsset>()
  #bytesHeld = 0

  constructor(
    api: Api,
    request: UploadRequest & { readonly experimentKey: string },
    options: UploadOptions,
    kept: OpenedVersion | undefined,
  ) {
    this.#api = api
    this.#request = request
    this.#options = options
    this.#kept = kept
    this.#progress = new ProgressReporter(options.onProgress, { phase: 'logging', totalFiles: request.assets.length })
  }

  /** True when the version holds these assets and no others. Ends with the first that differs. */
  async isIn({ wire, reader }: OpenedVersion): Promise<boolean> {
    const { assets } = this.#request
    if (wire.count !== assets.length) return false
    for (const at of assets.keys()) {
      const { path, digest, own } = await this.#read(at)
      const entry = await reader.entry(path)
      if (!entry || entry.digest !== digest || JSON.stringify(entry.metadata) !== JSON.stringify(own)) return false
    }
    return true
  }

  async send(versionId: string): Promise<void> {
    await atOnce(uploadsInFlight, this.#request.assets.keys(), async (at) => {
      throwIfAborted(this.#options.signal)
      const asset = await this.#read(at)
      this.#held.delete(at)
      try {
        await this.#sendOne(asset, versionId)
      } finally {
        await release(asset)
      }
      const bytes = 'file' in asset.content ? asset.content.file.size : 0
      this.#progress.add({ files: 1, bytes, stored: bytes })
    })
    this.#progress.enter('committing')
  }

  done(): void {
    this.#progress.enter('done')
  }

  /** Lets go of what was not sent after all. */
  async release(): Promise<void> {
    for (const asset of this.#held.values()) await release(asset)
    this.#held.clear()
  }

  async #read(at: number): Promise<WholeAsset> {
    const held = this.#held.get(at)
    if (held) return held
    const { signal } = this.#options
    const placed = this.#request.assets[at]
    const asset = await wholeAsset(placed, { signal, ...(this.#kept && { reader: this.#kept.reader }) })
    const size = 'file' in asset.content ? asset.content.file.held : 0
    // What can be read once only is held however large it is.
    if (this.#bytesHeld + size <= mostHeld || !isReadable(placed[1])) {
      this.#held.set(at, asset)
      this.#bytesHeld += size
    }
    return asset
  }

  async #sendOne({ path, metadata, content }: WholeAsset, artifactVersionId: string): Promise<void> {
    const { experimentKey } = this.#request
    let attempts = 0
    const form = () => {
      attempts++
      if ('file' in content) return assetForm(content.file, path, metadata)
      const parts = new FormData()
      parts.append('metadata', metadata)
      parts.append('link', content.link)
      return parts
    }
    const remote = 'link' in content ? { isRemote: true } : {}
    const search = {
      experimentKey,
      artifactVersionId,
      // Made here, as Comet's Python client does it: sent again, it is the same asset.
      assetId: randomId(),
      fileName: path,
      type: 'asset',
      overwrite: false,
      ...remote,
    }
    try {
      await sendForm(this.#api, uploadPath, { search, form, signal: this.#options.signal })
    } catch (error) {
      // It had arrived, and only the answer was lost.
      if (attempts > 1 && error instanceof ConflictError && error.code === 'asset-exists') return
      throw error
    }
  }
}

async function release({ content }: WholeAsset): Promise<void> {
  if ('file' in content) await content.file.release()
}

/** Read from where it is whenever it is asked for. */
function isReadable(asset: UploadRequest['assets'][number][1]): boolean {
  return 'kept' in asset || 'reference' in asset || ('file' in asset && 'prepare' in asset.file)
}

type About = UploadRequest['about']

/** Nothing that would make another version of equal content. */
function isSaidAlready(latest: VersionWire, { version, metadata, description }: About): boolean {
  return (
    (version === undefined || version === latest.version) &&
    (metadata === undefined || JSON.stringify(metadata) === JSON.stringify(latest.metadata ?? {})) &&
    (description === undefined || description === latest.description)
  )
}

async function addLabels(
  api: Api,
  { versionId, aliases, versionTags }: VersionWire,
  about: About,
  signal: AbortSignal | undefined,
): Promise<void> {
  const isNew = (given: readonly string[] | undefined, known: readonly string[]) =>
    given?.some((one) => !known.includes(one)) ?? false
  if (!isNew(about.aliases, aliases) && !isNew(about.versionTags, versionTags)) return
  // The lists are replaced, and Comet's own "Latest" is in one of them.
  const now = await api.json<CometVersion>('GET', `${restPrefix}/artifacts/version`, { search: { versionId }, signal })
  const alias = [...new Set([...(now.alias ?? []), ...(about.aliases ?? [])])]
  const tags = [...new Set([...(now.tags ?? []), ...(about.versionTags ?? [])])]
  const body = { artifactVersionId: versionId, alias, versionTags: tags }
  await api.done('POST', `${restPrefix}/write/artifacts/version/labels`, { body, signal })
}

function reopen(api: Api, { versionId }: VersionWire, experimentKey: string, signal: AbortSignal | undefined) {
  return openCometVersionById(api, versionId, { experimentKey, signal })
}

// Comet's, and our own server's.
const closedAlready = new Set(['version-immutable', 'version-closed'])

async function setState(
  api: Api,
  artifactVersionId: string,
  experimentKey: string,
  state: 'CLOSED' | 'ERROR',
  signal: AbortSignal | undefined,
): Promise<void> {
  const body = { artifactVersionId, experimentKey, state }
  try {
    await api.done('POST', `${restPrefix}/write/artifacts/state`, { body, signal })
  } catch (error) {
    // Sent again after a lost answer, it finds the version closed.
    if (state !== 'CLOSED' || !isTidemarkError(error) || !closedAlready.has(error.code)) throw error
    const { wire } = await openCometVersionById(api, artifactVersionId, { experimentKey, signal })
    if (wire.state !== 'CLOSED') throw error
  }
}

/** The version is given up, so that nobody waits for it. Not with the caller's signal: that may be why. */
async function giveUp(api: Api, versionId: string, experimentKey: string, { logger }: UploadOptions): Promise<void> {
  try {
    await setState(api, versionId, experimentKey, 'ERROR', undefined)
  } catch (error) {
    logger?.info(`A version that failed could not be marked so: ${error instanceof Error ? error.message : error}`)
  }
}
