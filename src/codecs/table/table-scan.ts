import { boundsOfColumns } from '../arrow/arrow-bounds.ts'
import { DICTIONARY_BATCH, RECORD_BATCH, readBatch, SCHEMA } from '../arrow/arrow-header.ts'
import { type ArrowMessage, readMessage } from '../arrow/arrow-messages.ts'
import { readSchema } from '../arrow/arrow-schema-reader.ts'
import { type Layout, layoutsOf } from '../arrow/arrow-type.ts'
import type { AssetReader } from '../codec.ts'
import type { BatchPiece } from './table-batch.ts'
import { reading } from './table-damaged.ts'
import { isArrowFile, MAGIC_BYTES, readFooter } from './table-scan-file.ts'

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
 * Reads an Arrow stream or file once from end to end, one batch in memory at a time, and notes where its batches and columns are and what they digest to:
 * for tables whose encoder left no notes.
 *
 * @throws CorruptionError `table-damaged`; UnsupportedError `arrow-compressed`
 */
export async function scanTable(
  what: string,
  asset: Pick<AssetReader, 'size' | 'range' | 'stream'>,
  digest: (bytes: Uint8Array) => string,
): Promise<ScannedTable> {
  const scan = new Scan(digest)
  if (isArrowFile(await asset.range(0, MAGIC_BYTES))) await scanFile(what, asset, scan)
  else await scanStream(what, asset.stream(), scan)
  return { messages: scan.messages, batches: scan.batches }
}

async function scanFile(what: string, file: Pick<AssetReader, 'size' | 'range'>, scan: Scan): Promise<void> {
  const { schema, dictionaries, batches } = await readFooter(what, file)
  const take = (bytes: Uint8Array, start: number) =>
    reading(what, () => {
      const message = readMessage(bytes)
      if (message === undefined || message === 'end') throw new RangeError(`There is no message at byte ${start}.`)
      scan.take(message, bytes, start)
    })
  take(schema, 0)
  for (const { start, end } of [...dictionaries, ...batches]) take(await file.range(start, end), start)
}

async function scanStream(what: string, stream: AsyncIterable<Uint8Array>, scan: Scan): Promise<void> {
  const input = new Input(stream)
  try {
    for (;;) {
      const message = await nextMessage(what, input)
      if (message === undefined) break
      const size = message.bodyAt + message.header.bodyBytes
      const bytes = await input.upTo(size)
      reading(what, () => scan.take(message, bytes, input.position))
      input.skip(size)
    }
  } finally {
    await input.close()
  }
}

class Scan {
  readonly messages: { readonly bytes: Uint8Array; readonly batch: number }[] = []
  readonly batches: ScannedBatch[] = []
  readonly #digest: (bytes: Uint8Array) => string
  #layouts: readonly Layout[] | undefined

  constructor(digest: (bytes: Uint8Array) => string) {
    this.#digest = digest
  }

  /** `bytes` begin with the message, and hold its body and perhaps more. */
  take(message: ArrowMessage, given: Uint8Array, start: number): void {
    const size = message.bodyAt + message.header.bodyBytes
    if (given.byteLength < size) throw new RangeError(`The body at byte ${start + message.bodyAt} is cut off.`)
    const bytes = given.subarray(0, size)
    const { type } = message.header
    if (this.#layouts === undefined) {
      if (type !== SCHEMA) throw new RangeError('There is no schema.')
      this.#layouts = layoutsOf(readSchema(message.header)).columns
      this.messages.push({ bytes: bytes.slice(), batch: 0 })
    } else if (type === DICTIONARY_BATCH) {
      this.messages.push({ bytes: bytes.slice(), batch: this.batches.length })
    } else if (type === RECORD_BATCH) {
      this.batches.push(this.#batch(message, bytes, start, this.#layouts))
    } else {
      throw new RangeError(`Message of type ${type} where none belongs.`)
    }
  }

  /** The message, and each column, is a piece. */
  #batch({ header, bodyAt }: ArrowMessage, bytes: Uint8Array, start: number, layouts: readonly Layout[]): ScannedBatch {
    const bounds = readBatch(header)
    const cuts = new Set([0, bodyAt, bytes.byteLength])
    for (const column of boundsOfColumns(bounds, layouts, header.bodyBytes))
      if (column.end > 0) cuts.add(bodyAt + column.start)
    const sorted = [...cuts].sort((a, b) => a - b)
    const pieces = sorted.slice(1).map((end, index) => {
      const from = sorted[index]
      return { token: this.#digest(bytes.subarray(from, end)), size: end - from }
    })
    return { rows: bounds.rows, start, pieces }
  }
}

/** `undefined` at the end: the mark for it, or nothing. */
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
