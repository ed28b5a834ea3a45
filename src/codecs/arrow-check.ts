import { Message, type Schema } from 'apache-arrow'
import { UnsupportedError } from '../errors.ts'
import { type BatchBounds, type BatchLayouts, checkBatch } from './arrow-check-batch.ts'
import { FlatReader } from './arrow-flat.ts'
import { type Layout, layoutOf, repeatedName } from './arrow-type.ts'

const PREFIX = 8
const STRUCT = 16
const SCHEMA = 1
const DICTIONARY_BATCH = 2
const RECORD_BATCH = 3
const TIMESTAMP = 10
const UNION = 14
const MAX_DEPTH = 128
const MAX_ROWS = 2 ** 31 - 1

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
    const flat = new FlatReader(metadata)
    const message = flat.root()
    const type = byteField(flat, message, 1)
    const header = flat.table(requireField(flat, message, 2))
    const bodyField = flat.field(message, 3)
    const bodyBytes = bodyField === 0 ? 0 : flat.long(bodyField)
    if (at + bodyBytes > bytes.byteLength) throw new RangeError(`The body at byte ${at} is cut off.`)
    const body = bytes.subarray(at, at + bodyBytes)
    at += bodyBytes
    checkMetadata(flat, flat.field(message, 4))
    if (type === SCHEMA && layouts === undefined) {
      checkSchema(flat, header)
      schema = readSchema(metadata)
      layouts = layoutsOf(schema)
    } else if (layouts !== undefined && type === DICTIONARY_BATCH) {
      checkDictionary(flat, header, body, layouts)
    } else if (layouts !== undefined && type === RECORD_BATCH) {
      checkBatch(readBatch(flat, header), body, layouts.columns, layouts)
    } else {
      throw new RangeError(`Message of type ${type} where none belongs.`)
    }
  }
  if (schema === undefined) throw new RangeError('There is no schema.')
  if (at !== bytes.byteLength) throw new RangeError(`Bytes are left over after the end at byte ${at}.`)
  return schema
}

function checkDictionary(flat: FlatReader, header: number, body: Uint8Array, layouts: BatchLayouts): void {
  const idField = flat.field(header, 0)
  const id = idField === 0 ? 0 : flat.long(idField)
  const values = layouts.dictionaries.get(id)
  if (values === undefined) throw new RangeError(`Dictionary ${id} belongs to no column.`)
  const batch = readBatch(flat, flat.table(requireField(flat, header, 1)))
  checkBatch(batch, body, [values], layouts)
  const isDelta = byteField(flat, header, 2) === 1
  layouts.sizes.set(id, batch.rows + (isDelta ? (layouts.sizes.get(id) ?? 0) : 0))
}

function readBatch(flat: FlatReader, table: number): BatchBounds {
  const rowsField = flat.field(table, 0)
  const rows = rowsField === 0 ? 0 : flat.long(rowsField)
  if (rows > MAX_ROWS) throw new RangeError('A batch has too many rows.')
  if (flat.field(table, 3) !== 0) {
    throw new UnsupportedError('The Arrow stream is compressed. Write it again without compression.', {
      code: 'arrow-compressed',
    })
  }
  const variadic = flat.vector(flat.field(table, 4), 8)
  return {
    rows,
    nodes: longs(flat, flat.vector(flat.field(table, 1), STRUCT)),
    buffers: longs(flat, flat.vector(flat.field(table, 2), STRUCT)),
    variadic: Array.from({ length: variadic.count }, (_, index) => flat.long(variadic.start + index * 8)),
  }
}

/** Structs of two longs, one after another. */
function longs(flat: FlatReader, { start, count }: { start: number; count: number }): number[] {
  return Array.from({ length: count * 2 }, (_, index) => flat.long(start + index * 8))
}

function checkSchema(flat: FlatReader, schema: number): void {
  eachTable(flat, flat.field(schema, 1), (field) => checkField(flat, field, 0))
  checkMetadata(flat, flat.field(schema, 2))
}

function checkField(flat: FlatReader, field: number, depth: number): void {
  if (depth > MAX_DEPTH) throw new RangeError('The schema is nested too deep.')
  flat.vector(flat.field(field, 0), 1)
  const type = flat.table(requireField(flat, field, 3))
  const typeId = byteField(flat, field, 2)
  if (typeId === TIMESTAMP) flat.vector(flat.field(type, 1), 1)
  if (typeId === UNION) flat.vector(flat.field(type, 1), 4)
  const dictionary = flat.field(field, 4)
  if (dictionary !== 0) {
    const index = flat.field(flat.table(dictionary), 1)
    if (index !== 0) flat.table(index)
  }
  eachTable(flat, flat.field(field, 5), (child) => checkField(flat, child, depth + 1))
  checkMetadata(flat, flat.field(field, 6))
}

function checkMetadata(flat: FlatReader, at: number): void {
  eachTable(flat, at, (pair) => {
    flat.vector(flat.field(pair, 0), 1)
    flat.vector(flat.field(pair, 1), 1)
  })
}

function eachTable(flat: FlatReader, at: number, visit: (table: number) => void): void {
  const { start, count } = flat.vector(at, 4)
  for (let index = 0; index < count; index += 1) visit(flat.table(start + index * 4))
}

function byteField(flat: FlatReader, table: number, index: number): number {
  const at = flat.field(table, index)
  return at === 0 ? 0 : flat.uint8(at)
}

function requireField(flat: FlatReader, table: number, index: number): number {
  const at = flat.field(table, index)
  if (at === 0) throw new RangeError('Metadata lacks a field.')
  return at
}

function readSchema(metadata: Uint8Array): Schema {
  const schema: unknown = Message.decode(metadata).header()
  if (!isSchema(schema)) throw new RangeError('There is no schema.')
  if (repeatedName(schema.fields) !== undefined) throw new RangeError('Two columns have one name.')
  return schema
}

function layoutsOf(schema: Schema): BatchLayouts {
  const dictionaries = new Map<number, Layout>()
  for (const [id, type] of schema.dictionaries) dictionaries.set(id, layoutOf(type))
  return { columns: schema.fields.map(({ type }) => layoutOf(type)), dictionaries, sizes: new Map() }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && 'fields' in value && 'dictionaries' in value
}
