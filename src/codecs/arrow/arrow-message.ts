/**
 * The metadata of record and dictionary batches, written out byte by byte: the same rows then give the same bytes whichever version of
 * apache-arrow is installed, and a batch costs no flatbuffer builder. Field numbers and struct sizes are those of Arrow's Message.fbs
 * (https://github.com/apache/arrow/blob/main/format/Message.fbs), metadata version V5.
 */

/** What the message says about a batch: pairs of (length, nulls) per field and (offset, length) per buffer, depth first. */
export interface BatchShape {
  readonly rows: number
  readonly nodes: readonly number[]
  readonly buffers: readonly number[]
  /** How many data buffers each view column has. */
  readonly variadic: readonly number[]
  readonly bodyBytes: number
}

const V5 = 4
const DICTIONARY_BATCH = 2
const RECORD_BATCH = 3
/** Continuation marker and metadata length before every message. */
const PREFIX = 8
const STRUCT = 16

/** The end of a stream. */
export const endOfStream: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)

/** A record batch's message, up to its body. */
export function recordBatchMessage(shape: BatchShape): Uint8Array {
  return message(shape, undefined)
}

/** A dictionary batch's message, up to its body. A delta adds to the dictionary of that id. */
export function dictionaryBatchMessage(shape: BatchShape, dictionary: { id: number; isDelta: boolean }): Uint8Array {
  return message(shape, dictionary)
}

/** A message's flatbuffer with its prefix, padded to 8 bytes. */
export function framed(metadata: Uint8Array): Uint8Array {
  const size = align(metadata.byteLength)
  const bytes = new Uint8Array(PREFIX + size)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, -1, true)
  view.setInt32(4, size, true)
  bytes.set(metadata, PREFIX)
  return bytes
}

function message(shape: BatchShape, dictionary: { id: number; isDelta: boolean } | undefined): Uint8Array {
  const nodes = shape.nodes.length / 2
  const buffers = shape.buffers.length / 2
  // Tables first, at fixed places: message 0-40, dictionary batch 40-80 when there is one, record batch, then the vectors.
  const batchAt = dictionary === undefined ? 40 : 80
  const nodesAt = batchAt + 40
  const buffersAt = nodesAt + 8 + nodes * STRUCT
  const variadicAt = buffersAt + 8 + buffers * STRUCT
  const end = shape.variadic.length === 0 ? variadicAt : variadicAt + 8 + shape.variadic.length * 8
  const bytes = new Uint8Array(PREFIX + end)
  const prefix = new DataView(bytes.buffer)
  prefix.setInt32(0, -1, true)
  prefix.setInt32(4, end, true)
  const view = new DataView(bytes.buffer, PREFIX)

  view.setUint32(0, 16, true)
  vtable(view, 4, 24, [16, 18, 4, 8])
  view.setInt32(16, 12, true)
  view.setUint32(20, 20, true) // header, from here to 40
  setLong(view, 24, shape.bodyBytes)
  view.setUint16(32, V5, true)
  view.setUint8(34, dictionary === undefined ? RECORD_BATCH : DICTIONARY_BATCH)

  // The header's table is reached at 40 by moving its vtable behind it.
  if (dictionary === undefined) {
    recordBatch(view, 40, shape, nodesAt, buffersAt, variadicAt)
  } else {
    // id, data, isDelta
    view.setInt32(40, 40 - 64, true)
    view.setUint32(44, batchAt - 44, true)
    setLong(view, 48, dictionary.id)
    view.setUint8(56, dictionary.isDelta ? 1 : 0)
    vtable(view, 64, 24, [8, 4, 16])
    recordBatch(view, batchAt, shape, nodesAt, buffersAt, variadicAt)
  }
  return bytes
}

function recordBatch(
  view: DataView,
  at: number,
  shape: BatchShape,
  nodesAt: number,
  buffersAt: number,
  variadicAt: number,
): void {
  const hasVariadic = shape.variadic.length > 0
  view.setInt32(at, -24, true)
  view.setUint32(at + 4, nodesAt + 4 - (at + 4), true)
  setLong(view, at + 8, shape.rows)
  view.setUint32(at + 16, buffersAt + 4 - (at + 16), true)
  view.setUint32(at + 20, hasVariadic ? variadicAt + 4 - (at + 20) : 0, true)
  // length, nodes, buffers, compression, variadicBufferCounts
  vtable(view, at + 24, 24, [8, 4, 16, 0, hasVariadic ? 20 : 0])

  structs(view, nodesAt, shape.nodes)
  structs(view, buffersAt, shape.buffers)
  if (!hasVariadic) return
  view.setUint32(variadicAt + 4, shape.variadic.length, true)
  for (const [index, count] of shape.variadic.entries()) setLong(view, variadicAt + 8 + index * 8, count)
}

/** A vector of two-long structs: its count sits just before the first, which is on 8 bytes. */
function structs(view: DataView, at: number, pairs: readonly number[]): void {
  view.setUint32(at + 4, pairs.length / 2, true)
  for (const [index, value] of pairs.entries()) setLong(view, at + 8 + index * 8, value)
}

function vtable(view: DataView, at: number, tableSize: number, fields: readonly number[]): void {
  view.setUint16(at, 4 + fields.length * 2, true)
  view.setUint16(at + 2, tableSize, true)
  for (const [index, offset] of fields.entries()) view.setUint16(at + 4 + index * 2, offset, true)
}

function setLong(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true)
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true)
}

function align(bytes: number): number {
  return (bytes + 7) & ~7
}
