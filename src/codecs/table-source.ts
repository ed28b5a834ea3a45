import { InvalidInputError } from '../errors.ts'
import type { Pace } from '../platform/pace.ts'
import { Arena } from './arena.ts'
import { Field } from './arrow.ts'
import { type Column, type ColumnPlan, planColumns } from './arrow-column.ts'
import { type ArrowData, bytesOf } from './arrow-data.ts'
import { repeatedName } from './arrow-type.ts'
import { isPlainObject, type PlainObject } from './capabilities.ts'
import { atOnce } from './steps.ts'
import { readBlocks } from './table-blocks.ts'
import { describeCell } from './table-cell.ts'
import { CopiedPieces } from './table-copied-pieces.ts'
import type { FlechetteTable } from './table-flechette.ts'

/** A table as it will be stored. */
export interface TableColumns {
  readonly columns: readonly Column[]
  readonly rows: number
  readonly metadata: ReadonlyMap<string, string>
  /** The first column of plain values with lists or objects among them; typed arrays as cells do not count. */
  readonly nested?: string
}

/** Methods of other libraries that give Arrow, in the order they are asked for. */
const toTable = ['toArrow', 'toArrowTable']
const toBytes = ['toArrowIPC', 'toArrowBuffer', 'toIPC', 'writeIPCStream', 'writeIPC']
/** DuckDB's Node API: the rest of the result as an object of columns. */
const toColumns = ['getColumnsObjectJS']

/** Conversions that lead to another conversion: more than this is a loop. */
const MAX_STEPS = 4

/**
 * A value as columns, by what it can do and not by its class: Arrow tables and record batches of any copy of apache-arrow, flechette tables,
 * data frames that turn themselves into Arrow, arrays of records, objects of columns.
 *
 * `memory` holds what had to be copied: the columns end when it does.
 *
 * @throws InvalidInputError for anything else, and for cells that cannot be stored; UnsupportedError `arrow-compressed`
 */
export async function readTable(
  given: unknown,
  plan: ColumnPlan,
  memory = new Arena(),
  pace?: Pace,
): Promise<TableColumns> {
  const value = await asTable(given)
  if (isTableLike(value)) return fromBatches(value.schema, value.batches, plan)
  if (isBatchLike(value)) return fromBatches(value.schema, [value], plan)
  if (isFlechetteTable(value)) return (await import('./table-flechette.ts')).columnsFromFlechette(value, plan)
  if (Array.isArray(value)) {
    const [first] = value
    if (isBatchLike(first) && value.every(isBatchLike)) return fromBatches(first.schema, value, plan)
    return fromPlain(value, plan, memory, pace)
  }
  if (isPlainObject(value)) return fromPlain(value, plan, memory, pace)
  throw new InvalidInputError(
    `A table is made of an array of records, an object of columns, or a data frame that gives Arrow; this is ${describeCell(value)}.`,
    { code: 'not-a-table' },
  )
}

/** Records or columns: typed arrays and vectors as they are, what is made of other cells in pieces that are copied together. */
async function fromPlain(
  value: readonly unknown[] | PlainObject,
  plan: ColumnPlan,
  memory: Arena,
  pace: Pace | undefined,
): Promise<TableColumns> {
  const reading = readBlocks(value, { piecesOf: () => new CopiedPieces(memory), shared: true })
  const { columns, rows } = await (pace ? pace.run(reading) : atOnce(reading))
  return {
    columns: await planColumns(
      columns.map(({ name, type, chunks }) => ({ field: new Field(name, type, true), chunks })),
      plan,
    ),
    rows,
    metadata: new Map(),
    nested: columns.find(({ nested }) => nested)?.name,
  }
}

/** A data frame turned into the Arrow table or the columns it gives; anything else as it is. Some can be asked only once. */
export async function asTable(given: unknown): Promise<unknown> {
  let value = given
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || isArrow(value)) break
    const table = call(value, toTable)
    const bytes = table === undefined ? call(value, toBytes) : undefined
    // DuckDB reads a result as far as it was asked to, and gives the columns of that part.
    if (table === undefined && bytes === undefined) await call(value, ['readAll'])?.result
    const columns = table === undefined && bytes === undefined ? call(value, toColumns) : undefined
    if (bytes !== undefined) value = await readBytes(await bytes.result, bytes.name)
    else if (table !== undefined || columns !== undefined) value = await (table ?? columns)?.result
    else break
  }
  return value
}

/** A table, or a batch of one, that is not turned into anything else first. */
export function isArrow(value: unknown): boolean {
  return isTableLike(value) || isBatchLike(value) || isFlechetteTable(value)
}

interface SchemaLike {
  readonly fields: readonly Field[]
  readonly metadata?: ReadonlyMap<string, string>
}

interface BatchLike {
  readonly schema: SchemaLike
  readonly data: ArrowData
}

interface TableLike {
  readonly schema: SchemaLike
  readonly batches: readonly BatchLike[]
}

async function fromBatches(schema: SchemaLike, batches: readonly BatchLike[], plan: ColumnPlan): Promise<TableColumns> {
  const repeated = repeatedName(schema.fields)
  if (repeated !== undefined) {
    throw new InvalidInputError(
      `The table has two columns or fields named '${repeated}'. Rename one: they are told apart by name when they are read back.`,
      { code: 'duplicate-column', fields: { column: repeated } },
    )
  }
  const filled = batches.filter(({ data }) => data.length > 0)
  const given = schema.fields.map((field, index) => ({
    field,
    chunks: filled.flatMap(({ data }) => data.children[index] ?? []),
  }))
  const columns = await planColumns(given, plan)
  const rows = filled.reduce((sum, { data }) => sum + data.length, 0)
  return { columns, rows, metadata: new Map(schema.metadata ?? []) }
}

async function readBytes(bytes: unknown, method: string): Promise<unknown> {
  if (!(bytes instanceof ArrayBuffer) && !ArrayBuffer.isView(bytes)) return bytes
  const { tableOfBytes } = await import('./table-bytes.ts')
  return tableOfBytes(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytesOf(bytes), method)
}

function call(value: object, methods: readonly string[]): { name: string; result: unknown } | undefined {
  for (const name of methods) {
    const method: unknown = Reflect.get(value, name)
    if (typeof method === 'function') return { name, result: Reflect.apply(method, value, []) }
  }
  return undefined
}

function hasSchema(value: unknown): value is { schema: SchemaLike } {
  if (typeof value !== 'object' || value === null || !('schema' in value)) return false
  const { schema } = value
  return typeof schema === 'object' && schema !== null && 'fields' in schema && Array.isArray(schema.fields)
}

function isBatchLike(value: unknown): value is BatchLike {
  return hasSchema(value) && 'data' in value && isDataLike(value.data)
}

function isDataLike(value: unknown): value is ArrowData {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && 'children' in value && 'length' in value
  )
}

function isTableLike(value: unknown): value is TableLike {
  return hasSchema(value) && 'batches' in value && Array.isArray(value.batches) && value.batches.every(isBatchLike)
}

/** A flechette table: a schema of plain types over columns of batches. */
function isFlechetteTable(value: unknown): value is FlechetteTable {
  if (typeof value !== 'object' || value === null || !('schema' in value) || !('children' in value)) return false
  if (!('numRows' in value) || 'batches' in value || !Array.isArray(value.children)) return false
  return value.children.every(
    (child: unknown) => typeof child === 'object' && child !== null && 'data' in child && Array.isArray(child.data),
  )
}
