import type { Entry } from '../../content/entry.ts'
import { VersionReader } from '../../content/version-reader.ts'
import { InvalidInputError, NotFoundError } from '../../errors.ts'
import { recordPackName } from '../../protocol/chunk-ref.ts'
import { storedChunks } from '../collection/stored-chunks.ts'
import { metadataText } from '../comet/comet-metadata.ts'
import { type ArtifactPlace, artifactIdOf, assetIdOf, versionIdOf } from '../identifiers.ts'
import { contentRange, parseRange, spanOf } from '../routes/byte-range.ts'
import { streamReply } from '../routes/bytes-reply.ts'
import type { Services } from '../services.ts'
import { placeText } from './artifact-records.ts'
import type { LiveVersion } from './versions.ts'

export function readerOf(services: Services, { record }: LiveVersion): VersionReader {
  return new VersionReader({
    source: storedChunks(services),
    manifest: record.manifest,
    self: recordPackName(record.workspace, record.name, record.index),
    what: `${record.name}:v${record.index}`,
  })
}

/** One asset in a list, with Comet's fields. */
export function assetToComet(record: ArtifactPlace & { readonly index: number }, entry: Entry): object {
  const slash = entry.path.lastIndexOf('/')
  return {
    artifactId: artifactIdOf(record),
    artifactVersionId: versionIdOf(record, record.index),
    assetId: assetIdOf(record, record.index, entry.path),
    fileName: entry.path,
    fileSize: entry.size,
    link: entry.remote?.uri ?? null,
    remote: entry.remote !== undefined,
    type: 'asset',
    dir: slash === -1 ? null : entry.path.slice(0, slash),
    metadata: metadataText(entry.metadata),
  }
}

/** The bytes of one asset, or of one range of it. */
export async function assetReply(
  services: Services,
  version: LiveVersion,
  path: string,
  request: Request,
): Promise<Response> {
  const reader = readerOf(services, version)
  const entry = await reader.entry(path, request.signal)
  const what = `${placeText(version.record)}:v${version.record.index}`
  if (!entry) throw new NotFoundError(`${what} has no asset '${path}'.`, { code: 'asset-not-found', fields: { path } })
  return entryReply(reader, entry, request)
}

export async function entryReply(reader: VersionReader, entry: Entry, request: Request): Promise<Response> {
  const { signal } = request
  if (entry.remote) {
    throw new InvalidInputError(`'${entry.path}' is only linked: fetch it from ${entry.remote.uri}.`, {
      code: 'asset-is-remote',
      fields: { path: entry.path, uri: entry.remote.uri },
    })
  }
  return rangedReply(
    request,
    { size: entry.size, etag: entry.digest, type: contentType(entry.mediaType) },
    (start, end) => reader.read(entry, start === 0 && end === entry.size ? { signal } : { start, end, signal }),
  )
}

/** R cannot take tables, pages or pictures by their own types without packages it does not depend on; text must come as text. */
export function contentType(mediaType: string): string {
  return mediaType.startsWith('text/') ? 'text/plain; charset=utf-8' : 'application/octet-stream'
}

/** Bytes as they come, or the range of them that is asked for. */
export function rangedReply(
  request: Request,
  { size, etag, type }: { size: number; etag: string; type: string },
  read: (start: number, end: number) => AsyncGenerator<Uint8Array>,
): Promise<Response> {
  const headers = { 'content-type': type, 'accept-ranges': 'bytes', etag: `"${etag}"` }
  // What was begun may be the bytes of another: an asset of an experiment can be replaced. Then all of it is sent.
  const begun = request.headers.get('if-range')
  const asked = begun === null || begun === headers.etag ? parseRange(request.headers.get('range')) : undefined
  if (!asked) return streamReply(read(0, size), 200, { ...headers, 'content-length': String(size) })
  const { start, end } = spanOf(asked, size)
  return streamReply(read(start, end), 206, {
    ...headers,
    'content-length': String(end - start),
    'content-range': contentRange({ start, end }, size),
  })
}
