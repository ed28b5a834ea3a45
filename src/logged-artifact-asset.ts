import { streamOf } from './client/api/stream-of.ts'
import type { DownloadTo } from './client/download/open-target.ts'
import { overwriteRules } from './client/download/overwrite.ts'
import type { DownloadOptions, DownloadReport } from './client/download.ts'
import type { Entry } from './content/entry.ts'
import type { VersionReading } from './content/version-reading.ts'
import { UnsupportedError } from './errors.ts'
import { checkChoice, checkCount, checkOptions } from './options.ts'
import { toBase64Url } from './protocol/base64.ts'
import type { Metadata, VersionWire } from './protocol/shapes.ts'

/** One entry of a logged version. */
export class LoggedArtifactAsset {
  readonly id: string
  readonly artifactId: string
  readonly artifactVersionId: string
  readonly logicalPath: string
  /** Bytes; of a remote asset what is known of it, else 0. */
  readonly size: number
  /** SHA-256 of the bytes, as `sha256sum` prints it; undefined when it is not known: of what others logged to Comet. */
  readonly digest: string | undefined
  readonly mediaType: string
  readonly remote: boolean
  /** The URI of a remote asset. */
  readonly link: string | undefined
  readonly metadata: Metadata | undefined
  /** What it is: `table`, `json`, `npz`, `png`, `zip`, `text`, `file`, or `remote`. */
  readonly type: string
  readonly #reader: VersionReading
  readonly #entry: Entry

  constructor(reader: VersionReading, wire: VersionWire, entry: Entry) {
    this.#reader = reader
    this.#entry = entry
    this.id = 'assetId' in entry ? String(entry.assetId) : `${wire.versionId}.${toBase64Url(entry.path)}`
    this.artifactId = wire.artifactId
    this.artifactVersionId = wire.versionId
    this.logicalPath = entry.path
    this.size = entry.size
    this.digest = entry.digest || undefined
    this.mediaType = entry.mediaType
    this.remote = entry.remote !== undefined
    this.link = entry.remote?.uri
    this.metadata = entry.metadata
    this.type = entry.kind
  }

  /**
   * The value, decoded.
   *
   * @throws CorruptionError when what is stored is damaged; UnsupportedError `asset-is-remote`
   */
  async get(options: { signal?: AbortSignal } = {}): Promise<unknown> {
    checkOptions(options, ['signal'], 'get()')
    const entry = this.#stored('get')
    const { signal } = options
    const { decodeAsset } = await import('./client/versions/read-version.ts')
    return decodeAsset(this.#reader, entry, signal)
  }

  /** The bytes as a stream, verified piece by piece. `start` and `end`: a half-open range of bytes; past the end it is clamped. */
  open(options: { start?: number; end?: number; signal?: AbortSignal } = {}): ReadableStream<Uint8Array> {
    checkOptions(options, ['start', 'end', 'signal'], 'open()')
    checkCount(options.start, 'start')
    checkCount(options.end, 'end')
    return streamOf(this.#reader.read(this.#stored('open'), options))
  }

  /** Writes this asset below the target, at its logical path. */
  async download(target: DownloadTo, options: Omit<DownloadOptions, 'pathPrefix'> = {}): Promise<DownloadReport> {
    checkOptions(options, ['overwrite', 'onProgress', 'signal'], 'download()')
    checkChoice(options.overwrite, overwriteRules, 'overwrite')
    const only = this.#stored('download')
    const { download, openTarget } = await import('./client/download/downloading.ts')
    return download(this.#reader, await openTarget(target), { ...options, only })
  }

  /** What a list or a page shows of it: a schema and first rows, shapes, a thumbnail, first lines. */
  preview(options: { signal?: AbortSignal } = {}): Promise<Metadata | undefined> {
    return this.#reader.preview(this.#entry, options.signal)
  }

  #stored(verb: string): Entry {
    const { remote, path } = this.#entry
    if (!remote) return this.#entry
    throw new UnsupportedError(
      `'${path}' is a link to ${remote.uri}, and its bytes are not in the artifact: ${verb}() cannot give them. Fetch the link.`,
      {
        code: 'asset-is-remote',
        fields: { path, uri: remote.uri },
      },
    )
  }
}
