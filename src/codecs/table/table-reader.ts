import type { Field } from '../arrow/arrow.ts'
import { boundsOfColumns } from '../arrow/arrow-bounds.ts'
import type { ArrowData } from '../arrow/arrow-data.ts'
import { Dictionaries } from '../arrow/arrow-dictionaries.ts'
import { DICTIONARY_BATCH, RECORD_BATCH, readBatch, SCHEMA } from '../arrow/arrow-header.ts'
import { type ArrowMessage, messagesIn, readMessage } from '../arrow/arrow-messages.ts'
import { readSchema } from '../arrow/arrow-schema-reader.ts'
import { type Layout, layoutsOf } from '../arrow/arrow-type.ts'
import { BatchReader, type StoredBatch } from './table-batch.ts'
import { reading } from './table-damaged.ts'

/** A table as it is stored, in parts that can be read one by one. */
export interface StoredTable {
  /** `train:v3 'train.arrow'`, for messages. */
  readonly what: string
  /** The message of the schema, then those of dictionaries: each, or some in a row, with the number of batches before. */
  readonly messages: readonly { readonly bytes: Uint8Array; readonly batch: number }[]
  readonly batches: readonly StoredBatch[]
}

/** Reads a stored table batch by batch, and of a batch only the columns that are asked for. */
export class TableReader {
  readonly what: string
  readonly fields: readonly Field[]
  readonly layouts: readonly Layout[]
  readonly batches: readonly StoredBatch[]
  readonly rows: number
  readonly #dictionaries: Dictionaries

  /** @throws CorruptionError `table-damaged`; UnsupportedError `arrow-compressed`, `arrow-type-unsupported` */
  constructor({ what, messages, batches }: StoredTable) {
    this.what = what
    this.batches = batches
    this.rows = batches.reduce((sum, { rows }) => sum + rows, 0)
    const [first, ...others] = reading(what, () =>
      messages.flatMap(({ bytes, batch }) => [...messagesIn(bytes)].map((message) => ({ message, batch }))),
    )
    const { fields, layouts } = reading(what, () => readFields(first?.message))
    this.fields = fields
    this.layouts = layouts.columns
    this.#dictionaries = new Dictionaries(layouts.dictionaries)
    reading(what, () => {
      for (const { message, batch } of others) {
        const { type } = message.header
        if (type !== DICTIONARY_BATCH) throw new RangeError(`Message of type ${type} where none belongs.`)
        this.#dictionaries.add(message, batch)
      }
    })
  }

  /** The values of a dictionary as that batch sees them. */
  dictionary(id: number, batch: number): readonly ArrowData[] | undefined {
    return this.#dictionaries.at(id, batch)
  }

  /** False where it is replaced by another on the way. */
  hasOneDictionary(id: number): boolean {
    return this.#dictionaries.isOne(id)
  }

  /** Reads the message of a batch, and of its columns nothing yet. @throws CorruptionError `table-damaged` */
  async open(index: number): Promise<BatchReader> {
    const stored = this.batches[index]
    const pieces = await stored.pieces()
    let bytes = new Uint8Array(0)
    for (let piece = 0; piece < pieces.length; piece += 1) {
      const [next] = await stored.read([piece])
      bytes = joined(bytes, next)
      const message = reading(this.what, () => readMessage(bytes))
      if (message === undefined) continue
      return reading(this.what, () => this.#batch(index, message === 'end' ? undefined : message, pieces))
    }
    return reading(this.what, () => this.#batch(index, undefined, pieces))
  }

  #batch(index: number, message: ArrowMessage | undefined, pieces: Awaited<ReturnType<StoredBatch['pieces']>>) {
    if (message?.header.type !== RECORD_BATCH) throw new RangeError('A batch does not begin with its message.')
    const stored = this.batches[index]
    const bounds = readBatch(message.header)
    if (bounds.rows !== stored.rows) throw new RangeError(`A batch has ${bounds.rows} rows instead of ${stored.rows}.`)
    return new BatchReader({
      what: this.what,
      stored,
      pieces,
      bodyAt: message.bodyAt,
      fields: this.fields,
      layouts: this.layouts,
      columns: boundsOfColumns(bounds, this.layouts, message.header.bodyBytes),
      dictionaries: (id) => this.dictionary(id, index),
    })
  }
}

function readFields(message: ArrowMessage | undefined) {
  if (message?.header.type !== SCHEMA) throw new RangeError('There is no schema.')
  const schema = readSchema(message.header)
  return { fields: schema.fields, layouts: layoutsOf(schema) }
}

function joined(before: Uint8Array, next: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(before.byteLength + next.byteLength)
  bytes.set(before)
  bytes.set(next, before.byteLength)
  return bytes
}
