import { writeZip, type ZipSource } from '../../codecs/zip/zip-writer.ts'
import { readerOf } from '../artifacts/assets.ts'
import type { LiveVersion } from '../artifacts/versions.ts'
import type { Services } from '../services.ts'
import { streamReply } from './bytes-reply.ts'

/** A whole version as a zip, made while it is sent. What is only linked is left out. */
export function zipReply(services: Services, version: LiveVersion, { signal }: Request): Promise<Response> {
  const reader = readerOf(services, version)
  async function* sources(): AsyncGenerator<ZipSource> {
    for await (const entry of reader.entries({ signal }))
      if (!entry.remote) yield { path: entry.path, size: entry.size, body: reader.read(entry, { signal }) }
  }
  const { name, index } = version.record
  const file = encodeURIComponent(`${name}-v${index}.zip`)
  return streamReply(writeZip(sources()), 200, {
    'content-type': 'application/zip',
    'content-disposition': `attachment; filename*=UTF-8''${file}`,
  })
}
