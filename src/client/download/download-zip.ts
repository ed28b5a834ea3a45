import { writeZip, type ZipSource } from '../../codecs/zip/zip-writer.ts'
import type { VersionReading } from '../../content/version-reading.ts'
import { counted, type DownloadOptions, planDownload } from '../download.ts'
import { ProgressReporter } from '../progress.ts'

export type ZipOptions = Omit<DownloadOptions, 'overwrite'>

// Gathered into a Blob of its own, which a browser may keep on its disk.
const partBytes = 4 * 1024 * 1024

/** The files of a version as one zip archive. */
export async function downloadZip(reader: VersionReading, options: ZipOptions): Promise<Blob> {
  const { signal, onProgress } = options
  const { files } = await planDownload(reader, options)
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0)
  const progress = new ProgressReporter(onProgress, { phase: 'downloading', totalBytes, totalFiles: files.length })
  const parts: Blob[] = []
  let gathered: Uint8Array<ArrayBuffer>[] = []
  let held = 0

  async function* sources(): AsyncGenerator<ZipSource> {
    for await (const { entry, body } of reader.readMany(files, { signal })) {
      yield { path: entry.path, size: entry.size, body: counted(body, progress, signal) }
      progress.add({ files: 1 })
    }
  }

  for await (const piece of writeZip(sources())) {
    // A piece is only valid until the next.
    gathered.push(piece.slice())
    held += piece.length
    if (held < partBytes) continue
    parts.push(new Blob(gathered))
    gathered = []
    held = 0
  }
  progress.enter('done')
  return new Blob([...parts, ...gathered], { type: 'application/zip' })
}
