import type { Stats } from 'node:fs'
import { join } from 'node:path'
import { mediaTypeOf } from '../codecs/media-type.ts'
import { ConflictError, InvalidInputError, throwIfAborted } from '../errors.ts'
import { fsError } from './errors-fs.ts'
import { type OpenFile, openFile, readWhole, stat } from './read-fs.ts'
import type { TreeFile } from './tree.ts'

/** Files up to this size are read in one go: a whole chunk of the content layer. */
const SMALL = 256 * 1024
/** Bytes of a large file in one piece; two of these are held. From 64 KiB to 1 MiB the speed is the same within 10 %. */
const PIECE = 512 * 1024
/** Bytes read ahead and not yet taken, in one walk: bounds the memory when somebody collects files instead of reading them. */
const MAX_HELD = 8 * 1024 * 1024

/** What the files of one walk share. */
export interface Reading {
  /** Somebody has opened a file: the next ones are worth reading ahead. */
  begun: boolean
  /** Bytes read ahead and not yet taken. */
  held: number
}

/** The folder a file is in: shared by all of them. */
export interface Place {
  /** Where it really is, for the system. */
  readonly real: string
  /** A path below it, or itself, as the user knows it. */
  readonly shown: (path: string) => string
  readonly reading: Reading
}

/** A file on disk. Small, because 100,000 of them are held while they are logged. */
export class LocalFile implements TreeFile {
  readonly path: string
  size?: number
  modified?: number
  readonly #place: Place
  /** As the system spells it, where that is not the end of the path: it need not be NFC, and a link's is that of what it points to. */
  readonly #fileName: string | undefined
  #content: Uint8Array | undefined

  constructor(place: Place, fileName: string, path: string) {
    this.#place = place
    this.path = path
    this.#fileName = fileName === this.name ? undefined : fileName
  }

  get name(): string {
    return this.path.slice(this.path.lastIndexOf('/') + 1)
  }

  get mediaType(): string {
    return mediaTypeOf(this.path)
  }

  get #absolute(): string {
    return join(this.#place.real, this.#fileName ?? this.name)
  }

  get #shown(): string {
    return this.#place.shown(this.path)
  }

  get #reading(): Reading {
    return this.#place.reading
  }

  async prepare(): Promise<void> {
    // Looked at anew, whatever was known: a file that was added to an artifact may have changed before it is logged.
    this.size = undefined
    this.#takeContent()
    if (this.#reading.begun && this.#reading.held < MAX_HELD) {
      this.#content = await this.#readWhole()
      this.#reading.held += this.#content?.length ?? 0
    } else {
      this.#describe(await this.#known(stat(this.#absolute)))
    }
  }

  async *open(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    throwIfAborted(signal)
    this.#reading.begun = true
    const whole = this.#takeContent() ?? ((this.size ?? 0) <= SMALL ? await this.#readWhole() : undefined)
    if (whole === undefined) yield* this.#readLarge(signal)
    else if (whole.length > 0) yield whole
  }

  #takeContent(): Uint8Array | undefined {
    const content = this.#content
    this.#content = undefined
    this.#reading.held -= content?.length ?? 0
    return content
  }

  async #readWhole(): Promise<Uint8Array | undefined> {
    const { before, content } = await this.#known(readWhole(this.#absolute, SMALL))
    this.#describe(before)
    if (content !== undefined) this.#assertUnchanged(before, content.after, content.bytes.length)
    return content?.bytes
  }

  async *#readLarge(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const file = await this.#known(openFile(this.#absolute))
    try {
      const before = await this.#known(file.stat())
      this.#describe(before)
      const length = yield* this.#readPieces(file, before.size, signal)
      this.#assertUnchanged(before, await this.#known(file.stat()), length)
    } finally {
      await this.#known(file.close())
    }
  }

  async *#readPieces(file: OpenFile, size: number, signal?: AbortSignal): AsyncGenerator<Uint8Array, number> {
    let [current, other] = [new Uint8Array(PIECE), new Uint8Array(PIECE)]
    const readAt = (position: number) => {
      const reading = file.read(other, position)
      // It is awaited when its turn comes; until then its failure is not "unhandled".
      reading.catch(() => undefined)
      return reading
    }
    let position = 0
    let next = readAt(0)
    try {
      for (;;) {
        const count = await this.#known(next)
        throwIfAborted(signal)
        position += count
        if (count === 0 || position > size) return position
        ;[current, other] = [other, current]
        // The next piece is read while the reader works on this one.
        next = readAt(position)
        yield current.subarray(0, count)
      }
    } finally {
      // The file is not closed under a read that is still going on; how that read ends no longer matters.
      await next.catch(() => undefined)
    }
  }

  #assertUnchanged(before: Stats, after: Stats, length: number): void {
    if (length !== before.size || after.size !== before.size || after.mtimeMs !== before.mtimeMs) throw this.#changed()
  }

  #describe(stats: Stats): void {
    if (!stats.isFile()) throw notAFile(this.#shown, this.path)
    // A file whose size was announced keeps it: whoever was told counts on it.
    if (this.size !== undefined && this.size !== stats.size) throw this.#changed()
    this.size = stats.size
    this.modified = stats.mtimeMs
  }

  #changed(): ConflictError {
    return new ConflictError(
      `'${this.#shown}' changed while it was read. Log it again when nobody writes to it, or log a copy.`,
      {
        code: 'file-changed',
        fields: { path: this.path },
      },
    )
  }

  async #known<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise
    } catch (error) {
      throw fsError(error, this.#shown, true, this.path)
    }
  }
}

export function notAFile(shown: string, path: string = shown): InvalidInputError {
  return new InvalidInputError(
    `'${shown}' is neither a file nor a folder (a socket, pipe or device). Leave it out with ignore.`,
    {
      code: 'not-a-file',
      fields: { path },
    },
  )
}
