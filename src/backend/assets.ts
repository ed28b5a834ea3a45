import type { Entry } from '../content/entry.ts'
import { VersionReader } from '../content/version-reader.ts'
import { InvalidInputError, NotFoundError } from '../errors.ts'
import { recordPackName } from '../protocol/chunk-ref.ts'
import { placeText } from './artifact-records.ts'
import { contentRange, parseRange, spanOf } from './byte-range.ts'
import { artifactIdOf, assetIdOf, versionIdOf } from './identifiers.ts'
import { streamReply } from './reply.ts'
import type { Services } from './services.ts'
import type { LiveVersion } from './versions.ts'

export function readerOf({ chunks }: Pick<Services, 'chunks'>, { record }: LiveVersion): VersionReader {
  return new VersionReader({
    source: chunks,
    manifest: record.manifest,
    self: recordPackName(record.workspace, record.name, record.index),
    what: `${record.name}:v${record.index}`,
  })
}

/** One asset in a list, with Comet's fields. */
export function assetToComet({ record }: LiveVersion, entry: Entry): object {
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
    // A string that holds JSON: Comet's clients parse it themselves.
    metadata: entry.metadata ? JSON.stringify(entry.metadata) : null,
  }
}

/** The bytes of one asset, or of one range of it. */
export async function assetReply(
  services: Pick<Services, 'chunks'>,
  version: LiveVersion,
  path: string,
  request: Request,
): Promise<Response> {
  const { signal } = request
  const reader = readerOf(services, version)
  const entry = await reader.entry(path, signal)
  const what = `${placeText(version.record)}:v${version.record.index}`
  if (!entry) throw new NotFoundError(`${what} has no asset '${path}'.`, { code: 'asset-not-found', fields: { path } })
  if (entry.remote) {
    throw new InvalidInputError(`'${path}' of ${what} is only linked: fetch it from ${entry.remote.uri}.`, {
      code: 'asset-is-remote',
      fields: { path, uri: entry.remote.uri },
    })
  }
  const headers = {
    // R cannot take tables, pages or pictures by their own types without packages it does not depend on; text must come as text.
    'content-type': entry.mediaType.startsWith('text/') ? 'text/plain; charset=utf-8' : 'application/octet-stream',
    'accept-ranges': 'bytes',
    etag: `"${entry.digest}"`,
  }
  const asked = parseRange(request.headers.get('range'))
  if (!asked)
    return streamReply(reader.read(entry, { signal }), 200, { ...headers, 'content-length': String(entry.size) })
  const span = spanOf(asked, entry.size)
  return streamReply(reader.read(entry, { ...span, signal }), 206, {
    ...headers,
    'content-length': String(span.end - span.start),
    'content-range': contentRange(span, entry.size),
  })
}
