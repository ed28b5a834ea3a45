import { wholeDigest } from '../../content/whole-digest.ts'
import { CorruptionError } from '../../errors.ts'
import type { Store } from '../../stores/store.ts'
import { eachOf } from '../each-of.ts'

/** Bytes that were stored piece by piece. */
export interface StoredFile {
  readonly size: number
  /** SHA-256 of each piece. */
  readonly pieces: readonly string[]
}

/** As large as a pack: one write each. */
const pieceBytes = 8 * 1024 * 1024

// Syncs of a disk overlap: 1 GiB takes 2.3 s in three at once, 3.2 in one. Of several files they do so anyway: beyond three in all, each writes one at a time and holds less.
const writesAtOnce = 3
let writingInAll = 0

// One is sent while the next is checked and the one after that is read.
const readsAtOnce = 3

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
    const store = async (number: number, bytes: Uint8Array) => {
      const [digest] = await Promise.all([
        wholeDigest(bytes),
        this.#blobs.put(keyOf(experiment, id, number), bytes, { signal }),
      ])
      pieces[number] = digest
    }
    const send = async () => {
      const bytes = piece
      const number = pieces.push('') - 1
      while (writing.size >= (writingInAll < writesAtOnce ? writesAtOnce : 1)) await Promise.race(writing)
      if (failure) throw failure.error
      writingInAll++
      const stored: Promise<void> = store(number, bytes.subarray(0, filled))
        .catch((error: unknown) => {
          failure ??= { error }
        })
        .finally(() => {
          writingInAll--
          writing.delete(stored)
          free.push(bytes)
        })
      writing.add(stored)
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
    const last = Math.ceil(end / pieceBytes)
    const fetch = async (number: number) => {
      const stored = await this.#blobs.get(keyOf(experiment, id, number), { signal })
      if (!stored || (await wholeDigest(stored.bytes)) !== file.pieces[number]) throw damaged(id, number)
      return stored.bytes
    }
    const ahead: ReturnType<typeof fetch>[] = []
    const first = Math.floor(start / pieceBytes)
    for (let number = first, next = first; number < last; number++) {
      for (; next < Math.min(last, number + readsAtOnce); next++) {
        const piece = fetch(next)
        // Its failure is met when its turn comes.
        piece.catch(() => undefined)
        ahead.push(piece)
      }
      const piece = await ahead.shift()
      const from = number * pieceBytes
      if (piece) yield piece.subarray(Math.max(0, start - from), end - from)
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
