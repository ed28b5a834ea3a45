import { openDigester } from '../content/digest.ts'
import { CorruptionError } from '../errors.ts'
import type { Store } from '../stores/store.ts'
import { eachOf } from './each-of.ts'

/** Bytes that were stored piece by piece. */
export interface StoredFile {
  readonly size: number
  /** SHA-256 of each piece. */
  readonly pieces: readonly string[]
}

/** As large as a pack: one write each. */
const pieceBytes = 8 * 1024 * 1024

// One is filled while the one before is being written.
const writesAtOnce = 1

// A reader is given pieces of this size, so that the first arrives soon.
const readBytes = 8 * 1024 * 1024

/** Files of experiments: `files/<experiment>/<id>/<number>`, 8 MiB each but the last, written once. */
export class Files {
  readonly #blobs: Store

  constructor(blobs: Store) {
    this.#blobs = blobs
  }

  /** Stores a file while it arrives. What was stored of one that breaks off is removed. */
  async write(
    experiment: string,
    id: string,
    body: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<StoredFile> {
    const digester = await openDigester()
    const pieces: string[] = []
    const free: Uint8Array[] = []
    const writing = new Set<Promise<void>>()
    let failure: { error: unknown } | undefined
    let piece: Uint8Array = new Uint8Array(0)
    let filled = 0
    let size = 0

    const grow = (needed: number) => {
      if (needed <= piece.length) return
      const grown = new Uint8Array(Math.min(pieceBytes, Math.max(needed, piece.length * 4, 64 * 1024)))
      grown.set(piece.subarray(0, filled))
      piece = grown
    }
    const send = async () => {
      const bytes = piece
      const key = keyOf(experiment, id, pieces.length)
      const length = filled
      pieces.push(digester.hex(bytes.subarray(0, length)))
      while (writing.size >= writesAtOnce) await Promise.race(writing)
      if (failure) throw failure.error
      const put: Promise<void> = this.#blobs
        .put(key, bytes.subarray(0, length), { signal })
        .then(() => undefined)
        .catch((error: unknown) => {
          failure ??= { error }
        })
        .finally(() => {
          writing.delete(put)
          free.push(bytes)
        })
      writing.add(put)
      piece = free.pop() ?? new Uint8Array(size >= pieceBytes ? pieceBytes : 0)
      filled = 0
    }

    try {
      for await (const bytes of body) {
        for (let at = 0; at < bytes.length; ) {
          const part = bytes.subarray(at, at + pieceBytes - filled)
          grow(filled + part.length)
          piece.set(part, filled)
          filled += part.length
          size += part.length
          at += part.length
          if (filled === pieceBytes) await send()
        }
      }
      if (filled > 0) await send()
      await Promise.all(writing)
      if (failure) throw failure.error
      return { size, pieces }
    } catch (error) {
      await Promise.all(writing)
      await this.delete(experiment, id, pieces.length).catch(() => undefined)
      throw error
    }
  }

  /** The bytes from `start` to `end`, each piece of them checked before any of it is handed out. */
  async *read(
    experiment: string,
    id: string,
    file: StoredFile,
    { start, end, signal }: { start: number; end: number; signal?: AbortSignal },
  ): AsyncGenerator<Uint8Array> {
    const digester = await openDigester()
    const last = Math.ceil(end / pieceBytes)
    const fetch = (number: number) => this.#blobs.get(keyOf(experiment, id, number), { signal })
    let ahead: ReturnType<typeof fetch> | undefined
    for (let number = Math.floor(start / pieceBytes); number < last; number++) {
      const stored = await (ahead ?? fetch(number))
      ahead = number + 1 < last ? fetch(number + 1) : undefined
      // Its failure is met when its turn comes.
      ahead?.catch(() => undefined)
      if (!stored || digester.hex(stored.bytes) !== file.pieces[number]) throw damaged(id, number)
      const from = number * pieceBytes
      const bytes = stored.bytes.subarray(Math.max(0, start - from), end - from)
      for (let at = 0; at < bytes.length; at += readBytes) yield bytes.subarray(at, at + readBytes)
    }
  }

  async delete(experiment: string, id: string, pieces: number): Promise<void> {
    await eachOf(
      Array.from({ length: pieces }, (_, number) => number),
      (number) => this.#blobs.delete(keyOf(experiment, id, number)),
    )
  }

  /** All files of an experiment but those. */
  async deleteAll(experiment: string, kept: ReadonlySet<string>): Promise<void> {
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const page = await this.#blobs.list(`files/${experiment}/`, after === undefined ? {} : { after })
      const gone = page.entries.filter(({ key }) => !kept.has(fileOf(key)))
      await eachOf(gone, ({ key }) => this.#blobs.delete(key))
      after = page.next
    }
  }
}

/** The file that a piece belongs to, by the piece's key. */
export function fileOf(key: string): string {
  return key.split('/')[2]
}

function keyOf(experiment: string, id: string, number: number): string {
  return `files/${experiment}/${id}/${String(number).padStart(6, '0')}`
}

function damaged(id: string, number: number): CorruptionError {
  return new CorruptionError(
    `Piece ${number} of asset ${id} is damaged or missing. Restore it from a copy of the store.`,
    {
      code: 'asset-damaged',
      fields: { asset: id },
    },
  )
}
