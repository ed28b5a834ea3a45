import { sourceError } from '../codecs/byte-pieces.ts'
import { fileContent } from '../codecs/file-content.ts'
import { mediaTypeOf, UNKNOWN_MEDIA_TYPE } from '../codecs/media-type.ts'
import type { TreeEntry, TreeFile } from './tree.ts'

export function fileEntry(name: string, getFile: () => Promise<File>): TreeEntry {
  return { kind: 'file', name, file: (path) => new HandedFile(path, getFile) }
}

/** A file that a browser handed over. Asking for it again after the walk found it would hide a change: it is asked for once. */
export class HandedFile implements TreeFile {
  readonly name: string
  readonly path: string
  mediaType: string
  size?: number
  modified?: number
  readonly #getFile: () => Promise<File>
  #file: File | undefined

  constructor(path: string, getFile: () => Promise<File>) {
    this.path = path
    this.name = path.slice(path.lastIndexOf('/') + 1)
    this.mediaType = mediaTypeOf(this.name)
    this.#getFile = getFile
  }

  async prepare(): Promise<void> {
    await this.#asked()
  }

  async *open(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* fileContent(await this.#asked(), { name: this.path }).open(signal)
  }

  async #asked(): Promise<File> {
    if (this.#file !== undefined) return this.#file
    try {
      const file = await this.#getFile()
      this.size = file.size
      this.modified = file.lastModified
      // The same file is the same everywhere: a browser's guess counts only where the name says nothing.
      if (mediaTypeOf(this.name) === UNKNOWN_MEDIA_TYPE && file.type !== '') this.mediaType = file.type
      this.#file = file
      return file
    } catch (error) {
      throw sourceError(error, `'${this.path}'`)
    }
  }
}
