import { DICTIONARY_BATCH, layoutsOf, RECORD_BATCH, readBatch, readSchema, SCHEMA } from './arrow-header.ts'
import { type ArrowMessage, readMessage } from './arrow-messages.ts'
import { boundsOfColumns } from './arrow-read.ts'
import type { Layout } from './arrow-type.ts'
import type { BatchPiece } from './table-batch.ts'
import { reading } from './table-damaged.ts'

/** Begins an Arrow file; the stream inside begins behind it and its padding (Arrow format, "IPC File Format"). */
const MAGIC = new TextEncoder().encode('ARROW1')
const MAGIC_BYTES = 8
const FIRST_BYTES = 64 * 1024

export interface ScannedBatch {
  readonly rows: number
  /** First byte in the asset. */
  readonly start: number
  readonly pieces: readonly BatchPiece[]
}

/** Where everything is in an Arrow stream or file. */
export interface ScannedTable {
  readonly messages: { readonly bytes: Uint8Array; readonly batch: number }[]
  readonly batches: ScannedBatch[]
}

/**
 * Reads a stream once from end to end, one batch in memory at a time, and notes where its batches and columns are and what they digest to: for tables
 * whose encoder left no notes.
 *
 * @throws CorruptionError `table-damaged`; UnsupportedError `arrow-compressed`
 */
export async function scanTable(
  what: string,
  stream: AsyncIterable<Uint8Array>,
  digest: (bytes: Uint8Array) => string,
): Promise<ScannedTable> {
  const input = new Input(stream)
  const scanned: ScannedTable = { messages: [], batches: [] }
  let layouts: readonly Layout[] | undefined
  try {
    if (startsWith(await input.upTo(MAGIC_BYTES), MAGIC)) input.skip(MAGIC_BYTES)
    for (;;) {
      const message = await nextMessage(what, input)
      if (message === undefined) break
      const start = input.position
      const size = message.bodyAt + message.header.bodyBytes
      const bytes = await input.upTo(size)
      layouts = reading(what, () => {
        if (bytes.byteLength < size) throw new RangeError(`The body at byte ${start + message.bodyAt} is cut off.`)
        return take(message, bytes.subarray(0, size), start, layouts, scanned, digest)
      })
      input.skip(size)
    }
  } finally {
    await input.close()
  }
  return scanned
}

/** Gives the columns' layouts, which the first message tells. */
function take(
  message: ArrowMessage,
  bytes: Uint8Array,
  start: number,
  layouts: readonly Layout[] | undefined,
  { messages, batches }: ScannedTable,
  digest: (bytes: Uint8Array) => string,
): readonly Layout[] {
  const { type } = message.header
  if (layouts === undefined) {
    if (type !== SCHEMA) throw new RangeError('There is no schema.')
    messages.push({ bytes: bytes.slice(), batch: 0 })
    return layoutsOf(readSchema(message.header, message.metadata)).columns
  }
  if (type === DICTIONARY_BATCH) {
    messages.push({ bytes: bytes.slice(), batch: batches.length })
  } else if (type === RECORD_BATCH) {
    const bounds = readBatch(message.header)
    const columns = boundsOfColumns(bounds, layouts, message.header.bodyBytes)
    const cuts = new Set([0, bytes.byteLength])
    for (const { start: from, end } of columns) if (end > 0) cuts.add(message.bodyAt + from)
    const sorted = [...cuts].sort((a, b) => a - b)
    const pieces = sorted.slice(1).map((end, index) => {
      const from = sorted[index]
      return { token: digest(bytes.subarray(from, end)), size: end - from }
    })
    batches.push({ rows: bounds.rows, start, pieces })
  } else {
    throw new RangeError(`Message of type ${type} where none belongs.`)
  }
  return layouts
}

/** `undefined` at the end: the mark for it, or where a file's footer or nothing follows. */
async function nextMessage(what: string, input: Input): Promise<ArrowMessage | undefined> {
  for (let wanted = FIRST_BYTES; ; wanted *= 2) {
    const bytes = await input.upTo(wanted)
    if (input.position > 0 && !isMarked(bytes)) return undefined
    const message = reading(what, () => {
      const read = readMessage(bytes)
      if (read === undefined && bytes.byteLength < wanted) throw new RangeError('A message is cut off.')
      return read
    })
    if (message !== undefined) return message === 'end' ? undefined : message
  }
}

function isMarked(bytes: Uint8Array): boolean {
  return bytes.byteLength >= 4 && bytes.subarray(0, 4).every((byte) => byte === 0xff)
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.byteLength >= prefix.byteLength && prefix.every((byte, at) => bytes[at] === byte)
}

/** Bytes of a stream, looked at before they are taken. */
class Input {
  position = 0
  readonly #pieces: AsyncIterator<Uint8Array>
  #held = new Uint8Array(0)
  #from = 0
  #to = 0

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#pieces = stream[Symbol.asyncIterator]()
  }

  /** The next bytes: as many as asked for, or more, or all there are. Valid until the next call. */
  async upTo(count: number): Promise<Uint8Array> {
    while (this.#to - this.#from < count) {
      const { done, value } = await this.#pieces.next()
      if (done) break
      this.#append(value)
    }
    return this.#held.subarray(this.#from, this.#to)
  }

  skip(count: number): void {
    this.#from += count
    this.position += count
  }

  async close(): Promise<void> {
    await this.#pieces.return?.()
  }

  #append(piece: Uint8Array): void {
    const kept = this.#to - this.#from
    if (this.#to + piece.byteLength > this.#held.byteLength) {
      const room = Math.max(FIRST_BYTES, kept + piece.byteLength)
      // Twice what is needed, so that bytes are moved rarely.
      const target = room * 2 <= this.#held.byteLength ? this.#held : new Uint8Array(room * 2)
      target.set(this.#held.subarray(this.#from, this.#to))
      this.#held = target
      this.#from = 0
      this.#to = kept
    }
    this.#held.set(piece, this.#to)
    this.#to += piece.byteLength
  }
}
