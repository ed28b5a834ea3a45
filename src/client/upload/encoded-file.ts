import type { Encoded } from '../../codecs/codec.ts'
import { openDigester } from '../../content/digest.ts'
import { ConflictError, throwIfAborted } from '../../errors.ts'
import { hasFiles } from '../../platform/files.ts'

/** A value as a file that is sent whole, as often as it takes. */
export interface EncodedFile {
  readonly size: number
  /** SHA-256 of its bytes. */
  readonly digest: string
  readonly mediaType: string
  /** What of it is in memory. */
  readonly held: number
  /** Where it is in memory, or wherever the runtime keeps a Blob. */
  readonly blob?: Blob
  /** Its bytes from the start. */
  open(): AsyncIterable<Uint8Array>
  /** Lets go of it. */
  release(): Promise<void>
}

export interface EncodedFileOptions {
  /** Gives the bytes once more, without their being kept. */
  readonly again?: () => AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
}

// What a pack holds at most, too. Six are sent at once.
const mostInMemory = 8 * 1024 * 1024

/**
 * Reads what a value became, whose pieces are gone once the next one is asked for. What is large is not kept in memory: it is read again where it came from, or from a
 * temporary file. Where there are no files it is kept in a Blob, which browsers lay down on the disk.
 */
export async function encodedFile(encoded: Encoded, { again, signal }: EncodedFileOptions = {}): Promise<EncodedFile> {
  const hasher = (await openDigester()).create()
  const keeper = new Keeper(encoded.mediaType, again)
  try {
    for await (const piece of encoded.body) {
      throwIfAborted(signal)
      hasher.update(piece)
      await keeper.add(piece)
    }
  } catch (error) {
    await keeper.release()
    throw error
  }
  encoded.release?.()
  return keeper.file(hasher.hex())
}

class Keeper {
  readonly #mediaType: string
  readonly #again: EncodedFileOptions['again']
  #pieces: Uint8Array<ArrayBuffer>[] = []
  #size = 0
  #place: 'memory' | 'source' | 'spool' = 'memory'
  #spool: Awaited<ReturnType<typeof openSpool>>
  #noSpool = !hasFiles()

  constructor(mediaType: string, again: EncodedFileOptions['again']) {
    this.#mediaType = mediaType
    this.#again = again
  }

  async add(piece: Uint8Array): Promise<void> {
    this.#size += piece.length
    if (this.#place === 'source') return
    if (this.#place === 'memory') {
      this.#pieces.push(new Uint8Array(piece))
      if (this.#size > mostInMemory) await this.#moveOut()
      return
    }
    await this.#spool?.write(piece)
  }

  file(digest: string): EncodedFile {
    const [size, mediaType] = [this.#size, this.#mediaType]
    const release = () => this.release()
    const again = this.#again
    if (this.#place === 'source' && again)
      return { size, digest, mediaType, held: 0, open: () => unchanged(again(), size, digest), release }
    const spool = this.#spool
    if (spool) return { size, digest, mediaType, held: 0, open: () => spool.read(), release }
    const blob = new Blob(this.#pieces, { type: mediaType })
    return { size, digest, mediaType, held: size, blob, open: () => iterate(blob.stream()), release }
  }

  async release(): Promise<void> {
    await this.#spool?.close()
    this.#spool = undefined
  }

  async #moveOut(): Promise<void> {
    if (this.#again) {
      this.#place = 'source'
      this.#pieces = []
      return
    }
    if (this.#noSpool) return
    this.#spool = await openSpool()
    if (!this.#spool) {
      this.#noSpool = true
      return
    }
    this.#place = 'spool'
    for (const piece of this.#pieces.splice(0)) await this.#spool.write(piece)
  }
}

async function openSpool() {
  return (await import('./spool-fs.ts')).openSpool()
}

async function* iterate(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    await reader.cancel()
  }
}

/** The digest was sent ahead: other bytes than those it was made of are not sent after it. */
async function* unchanged(pieces: AsyncIterable<Uint8Array>, size: number, digest: string): AsyncGenerator<Uint8Array> {
  const hasher = (await openDigester()).create()
  let left = size
  let last: Uint8Array | undefined
  for await (const piece of pieces) {
    left -= piece.length
    if (left < 0) throw changed()
    if (last) yield last
    hasher.update(piece)
    // The last piece is held back: with it the request would be whole.
    last = new Uint8Array(piece)
  }
  if (left > 0 || hasher.hex() !== digest) throw changed()
  if (last) yield last
}

function changed(): ConflictError {
  return new ConflictError('A file changed while it was sent. Log it again when nobody writes to it.', {
    code: 'file-changed',
  })
}
