import { Message, type Schema } from 'apache-arrow'
import { UnsupportedError } from '../errors.ts'
import type { BatchBounds, BatchLayouts } from './arrow-check-batch.ts'
import { FlatReader } from './arrow-flat.ts'
import { type Layout, layoutOf, repeatedName } from './arrow-type.ts'

export const SCHEMA = 1
export const DICTIONARY_BATCH = 2
export const RECORD_BATCH = 3
const STRUCT = 16
const TIMESTAMP = 10
const UNION = 14
const MAX_DEPTH = 128
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
  const type = byteField(flat, message, 1)
  const header = flat.table(requireField(flat, message, 2))
  const bodyField = flat.field(message, 3)
  const bodyBytes = bodyField === 0 ? 0 : flat.long(bodyField)
  checkMetadata(flat, flat.field(message, 4))
  return { type, flat, header, bodyBytes }
}

/** A dictionary batch: which dictionary, whether it adds to it, and the values' bounds. */
export function readDictionary({ flat, header }: ArrowHeader): { id: number; isDelta: boolean; batch: BatchBounds } {
  const idField = flat.field(header, 0)
  const id = idField === 0 ? 0 : flat.long(idField)
  const batch = readBatch({ flat, header: flat.table(requireField(flat, header, 1)) })
  return { id, isDelta: byteField(flat, header, 2) === 1, batch }
}

/** @throws UnsupportedError `arrow-compressed` */
export function readBatch({ flat, header: table }: Pick<ArrowHeader, 'flat' | 'header'>): BatchBounds {
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

/** @throws RangeError when the schema is not whole, or names two columns alike. */
export function readSchema({ flat, header }: ArrowHeader, metadata: Uint8Array): Schema {
  checkSchema(flat, header)
  const schema: unknown = Message.decode(metadata).header()
  if (!isSchema(schema)) throw new RangeError('There is no schema.')
  if (repeatedName(schema.fields) !== undefined) throw new RangeError('Two columns have one name.')
  return schema
}

export function layoutsOf(schema: Schema): BatchLayouts {
  const dictionaries = new Map<number, Layout>()
  for (const [id, type] of schema.dictionaries) dictionaries.set(id, layoutOf(type))
  return { columns: schema.fields.map(({ type }) => layoutOf(type)), dictionaries, sizes: new Map() }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && 'fields' in value && 'dictionaries' in value
}
