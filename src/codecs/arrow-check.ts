import type { Schema } from 'apache-arrow'
import { type BatchLayouts, checkBatch } from './arrow-check-batch.ts'
import {
  DICTIONARY_BATCH,
  layoutsOf,
  RECORD_BATCH,
  readBatch,
  readDictionary,
  readHeader,
  readSchema,
  SCHEMA,
} from './arrow-header.ts'

const PREFIX = 8

/**
 * Makes sure that a stream is whole and consistent before apache-arrow reads it: it trusts every length and offset, and would read past
 * buffers, loop for minutes over a count of two thousand million or allocate for it.
 *
 * @throws RangeError and the like, to be wrapped by the caller, when it is not.
 */
export function checkStream(bytes: Uint8Array): Schema {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let schema: Schema | undefined
  let layouts: BatchLayouts | undefined
  let at = 0
  for (;;) {
    if (at + PREFIX > bytes.byteLength || view.getInt32(at, true) !== -1)
      throw new RangeError(`No message at byte ${at}.`)
    const size = view.getInt32(at + 4, true)
    at += PREFIX
    if (size === 0) break
    if (size < 0 || at + size > bytes.byteLength) throw new RangeError(`The message at byte ${at} is cut off.`)
    const metadata = bytes.subarray(at, at + size)
    at += size
    const header = readHeader(metadata)
    const { type, bodyBytes } = header
    if (at + bodyBytes > bytes.byteLength) throw new RangeError(`The body at byte ${at} is cut off.`)
    const body = bytes.subarray(at, at + bodyBytes)
    at += bodyBytes
    if (type === SCHEMA && layouts === undefined) {
      schema = readSchema(header, metadata)
      layouts = layoutsOf(schema)
    } else if (layouts !== undefined && type === DICTIONARY_BATCH) {
      checkDictionary(readDictionary(header), body, layouts)
    } else if (layouts !== undefined && type === RECORD_BATCH) {
      checkBatch(readBatch(header), body, layouts.columns, layouts)
    } else {
      throw new RangeError(`Message of type ${type} where none belongs.`)
    }
  }
  if (schema === undefined) throw new RangeError('There is no schema.')
  if (at !== bytes.byteLength) throw new RangeError(`Bytes are left over after the end at byte ${at}.`)
  return schema
}

function checkDictionary(
  { id, isDelta, batch }: ReturnType<typeof readDictionary>,
  body: Uint8Array,
  layouts: BatchLayouts,
): void {
  const values = layouts.dictionaries.get(id)
  if (values === undefined) throw new RangeError(`Dictionary ${id} belongs to no column.`)
  checkBatch(batch, body, [values], layouts)
  layouts.sizes.set(id, batch.rows + (isDelta ? (layouts.sizes.get(id) ?? 0) : 0))
}
