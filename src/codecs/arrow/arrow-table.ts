import {
  BufferType,
  Data,
  DataType,
  type Dictionary,
  RecordBatch,
  type Schema,
  Struct,
  Table,
  Vector,
} from './arrow.ts'
import { boundsOfColumns } from './arrow-bounds.ts'
import type { ArrowData } from './arrow-data.ts'
import { Dictionaries } from './arrow-dictionaries.ts'
import { DICTIONARY_BATCH, RECORD_BATCH, readBatch, SCHEMA } from './arrow-header.ts'
import { messagesIn, readMessage, type WholeMessage } from './arrow-messages.ts'
import { readColumn } from './arrow-read.ts'
import { readSchema } from './arrow-schema-reader.ts'
import { type Layout, layoutsOf } from './arrow-type.ts'

/**
 * The table of a whole stream, over its bytes: they must begin on 8. Every length, offset and index is looked at before it is used; apache-arrow, which trusts them, would read past buffers or loop for minutes.
 *
 * @throws RangeError and the like, to be wrapped by the caller, when it is not whole; UnsupportedError `arrow-compressed`, `arrow-type-unsupported`
 */
export function tableOfStream(bytes: Uint8Array): Table {
  let end = 0
  function* noted(): Generator<WholeMessage> {
    for (const message of messagesIn(bytes)) {
      end = message.body.byteOffset + message.body.byteLength - bytes.byteOffset
      yield message
    }
  }
  const table = tableOfMessages(noted())
  const rest = bytes.subarray(end)
  if (readMessage(rest) !== 'end') throw new RangeError('The stream has no end.')
  if (rest.byteLength > 8) throw new RangeError(`Bytes are left over after the end at byte ${end + 8}.`)
  return table
}

/** The schema first, then its batches with the dictionaries they need before them. */
export function tableOfMessages(messages: Iterable<WholeMessage>): Table {
  let reader: BatchesReader | undefined
  for (const message of messages) {
    const { type } = message.header
    if (reader === undefined && type === SCHEMA) reader = new BatchesReader(readSchema(message.header))
    else if (reader !== undefined && type === DICTIONARY_BATCH) reader.addDictionary(message)
    else if (reader !== undefined && type === RECORD_BATCH) reader.addBatch(message)
    else throw new RangeError(`Message of type ${type} where none belongs.`)
  }
  if (reader === undefined) throw new RangeError('There is no schema.')
  return new Table(reader.schema, reader.batches)
}

class BatchesReader {
  readonly batches: RecordBatch[] = []
  readonly schema: Schema
  readonly #columns: readonly Layout[]
  readonly #dictionaries: Dictionaries
  /** Made of the values of a dictionary, as many as there were then. */
  readonly #vectors = new Map<readonly ArrowData[], Vector>()

  constructor(schema: Schema) {
    this.schema = schema
    const { columns, dictionaries } = layoutsOf(schema)
    this.#columns = columns
    this.#dictionaries = new Dictionaries(dictionaries)
  }

  addDictionary(message: WholeMessage): void {
    this.#dictionaries.add(message, this.batches.length)
  }

  addBatch({ header, body }: WholeMessage): void {
    const { fields } = this.schema
    const batch = readBatch(header)
    const at = (id: number) => this.#dictionaries.at(id, this.batches.length)
    const columns = boundsOfColumns(batch, this.#columns, body.byteLength).map((bounds, index) => {
      const column = readColumn(this.#columns[index], bounds, body.subarray(bounds.start, bounds.end), at)
      return this.#data(fields[index].type, column)
    })
    this.batches.push(new RecordBatch(this.schema, new Data(new Struct(fields), 0, batch.rows, 0, {}, columns)))
  }

  #data(type: DataType, { length, nullBitmap, valueOffsets, ...column }: ArrowData): Data {
    if (DataType.isNull(type)) return new Data(type, 0, length, length)
    const isDictionary = DataType.isDictionary(type)
    // It is counted when it is asked for.
    const nullCount = nullBitmap ? -1 : 0
    const values = column.values && !isDictionary ? viewed(type, column.values) : column.values
    const typeIds = column.typeIds && Int8Array.from(column.typeIds)
    const children = column.children.map((child, index) => this.#data(type.children[index].type, child))
    const buffers = {
      [BufferType.OFFSET]: valueOffsets,
      [BufferType.DATA]: values,
      [BufferType.VALIDITY]: nullBitmap ?? new Uint8Array(0),
      [BufferType.TYPE]: typeIds,
    }
    const dictionary = isDictionary ? this.#vector(type, column.dictionary?.data ?? []) : undefined
    return new Data(type, 0, length, nullCount, buffers, children, dictionary, column.variadicBuffers ?? [])
  }

  #vector({ dictionary }: Dictionary, pieces: readonly ArrowData[]): Vector {
    const known = this.#vectors.get(pieces)
    if (known?.data.length === pieces.length) return known
    const data = pieces.map((piece) => this.#data(dictionary, piece))
    const vector = new Vector(data.length > 0 ? data : [new Data(dictionary, 0, 0)]).memoize()
    this.#vectors.set(pieces, vector)
    return vector
  }
}

function viewed({ ArrayType }: DataType, { buffer, byteOffset, byteLength }: ArrayBufferView): ArrayBufferView {
  return new ArrayType(buffer, byteOffset, Math.floor(byteLength / ArrayType.BYTES_PER_ELEMENT))
}
