import { UnsupportedError } from '../../errors.ts'
import type { BatchBounds } from './arrow-bounds.ts'
import { FlatReader } from './arrow-flat.ts'

export const SCHEMA = 1
export const DICTIONARY_BATCH = 2
export const RECORD_BATCH = 3
const STRUCT = 16
const MAX_ROWS = 2 ** 31 - 1

/** The metadata of one message, read without trusting it. */
export interface ArrowHeader {
  readonly type: number
  readonly flat: FlatReader
  /** Where the table of the schema or batch is. */
  readonly header: number
  readonly bodyBytes: number
}

/** @throws RangeError when it is not the metadata of a message. */
export function readHeader(metadata: Uint8Array): ArrowHeader {
  const flat = new FlatReader(metadata)
  const message = flat.root()
  const type = flat.byte(message, 1)
  const header = flat.table(flat.required(message, 2))
  return { type, flat, header, bodyBytes: flat.count(message, 3) }
}

/** A dictionary batch: which dictionary, whether it adds to it, and the values' bounds. */
export function readDictionary({ flat, header }: ArrowHeader): { id: number; isDelta: boolean; batch: BatchBounds } {
  const id = flat.count(header, 0)
  const batch = readBatch({ flat, header: flat.table(flat.required(header, 1)) })
  return { id, isDelta: flat.byte(header, 2) === 1, batch }
}

/** @throws UnsupportedError `arrow-compressed` */
export function readBatch({ flat, header: table }: Pick<ArrowHeader, 'flat' | 'header'>): BatchBounds {
  const rows = flat.count(table, 0)
  if (rows > MAX_ROWS) throw new RangeError('A batch has too many rows.')
  if (flat.field(table, 3) !== 0) {
    throw new UnsupportedError('The Arrow stream is compressed. Write it again without compression.', {
      code: 'arrow-compressed',
    })
  }
  const variadic = flat.vector(flat.field(table, 4), 8)
  return {
    rows,
    // apache-arrow writes -1 nulls where it did not count them.
    nodes: longs(flat, flat.vector(flat.field(table, 1), STRUCT), -1n),
    buffers: longs(flat, flat.vector(flat.field(table, 2), STRUCT)),
    variadic: Array.from({ length: variadic.count }, (_, index) => flat.long(variadic.start + index * 8)),
  }
}

/** Structs of two longs, one after another. */
function longs(flat: FlatReader, { start, count }: { start: number; count: number }, least?: bigint): number[] {
  return Array.from({ length: count * 2 }, (_, index) => flat.long(start + index * 8, index % 2 === 0 ? 0n : least))
}
