import { type DownloadTarget, type ExistingFile, fileExists } from './download-target.ts'

/** Downloads into memory: path to bytes. */
export function mapTarget(map: Map<string, Uint8Array>): DownloadTarget {
  const staged = new Map<string, Uint8Array>()
  return {
    async existing(path): Promise<ExistingFile | undefined> {
      const bytes = map.get(path)
      return (
        bytes && {
          size: bytes.length,
          async *read() {
            yield bytes
          },
        }
      )
    },
    async stage(path, size, body) {
      const bytes = new Uint8Array(size)
      let filled = 0
      for await (const piece of body) {
        bytes.set(piece, filled)
        filled += piece.length
      }
      staged.set(path, bytes)
    },
    async publish(overwrite) {
      for (const path of staged.keys()) if (overwrite === 'fail' && map.has(path)) throw fileExists(path)
      for (const [path, bytes] of staged) if (overwrite === 'overwrite' || !map.has(path)) map.set(path, bytes)
    },
    async discard() {
      staged.clear()
    },
  }
}
