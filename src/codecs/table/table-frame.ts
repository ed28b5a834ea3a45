import { InvalidInputError } from '../../errors.ts'
import { Field } from '../arrow/arrow.ts'
import { type ColumnPlan, type GivenColumn, planColumns } from '../arrow/arrow-column.ts'
import { type ArrowData, bytesOf } from '../arrow/arrow-data.ts'
import { repeatedName } from '../arrow/arrow-type.ts'
import { columnsFromFlechette, isFlechetteTable } from './table-flechette.ts'
import type { TableColumns } from './table-source.ts'

/** Methods of other libraries that give Arrow, in the order they are asked for. */
const toTable = ['toArrow', 'toArrowTable']
const toBytes = ['toArrowIPC', 'toArrowBuffer', 'toIPC', 'writeIPCStream', 'writeIPC']
/** DuckDB's Node API: the rest of the result as an object of columns. */
const toColumns = ['getColumnsObjectJS']

/** Conversions that lead to another conversion: more than this is a loop. */
const MAX_STEPS = 4
/** Characters of a schema in a message. */
const SHOWN = 200

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

/** The columns of an Arrow table, of record batches or tables of one schema, or of a flechette table; `undefined` for anything else. */
export async function readArrow(value: unknown, plan: ColumnPlan): Promise<TableColumns | undefined> {
  if (isFlechetteTable(value)) return planned(columnsFromFlechette(value), value.numRows, value.schema, plan)
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (parts.length === 0 || !parts.every(isPart)) return undefined
  const [{ schema }] = parts
  const expected = columnsOf(schema)
  const odd = parts.findIndex((part) => columnsOf(part.schema) !== expected)
  if (odd > 0) {
    throw new InvalidInputError(
      `The parts of the table do not fit together: [0] has the columns ${shown(expected)}, [${odd}] has ${shown(columnsOf(parts[odd].schema))}. Cast them to one schema, or log each as a table of its own.`,
      { code: 'parts-differ', fields: { part: odd } },
    )
  }
  const batches = parts.flatMap((part) => ('batches' in part ? part.batches : part))
  const filled = batches.filter(({ data }) => data.length > 0)
  const rows = filled.reduce((sum, { data }) => sum + data.length, 0)
  const columns = columnsFromBatches(
    parts.map((part) => part.schema),
    filled,
  )
  return planned(columns, rows, schema, plan)
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

function isPart(value: unknown): value is TableLike | BatchLike {
  return isTableLike(value) || isBatchLike(value)
}

/** Names and types, in order. */
function columnsOf({ fields }: SchemaLike): string {
  return fields.map(({ name, type }) => `${JSON.stringify(name)}: ${type}`).join(', ')
}

/** A table may have thousands. */
function shown(columns: string): string {
  return columns.length > SHOWN ? `${columns.slice(0, SHOWN)}…` : columns
}

function columnsFromBatches(schemas: readonly SchemaLike[], filled: readonly BatchLike[]): GivenColumn[] {
  return schemas[0].fields.map((given, index) => {
    const { name, type, nullable, metadata } = given
    // A part without nulls may say that it can have none.
    const other = !nullable && schemas.some(({ fields }) => fields[index].nullable)
    const field = other ? new Field(name, type, true, metadata) : given
    return { field, chunks: filled.flatMap(({ data }) => data.children[index] ?? []) }
  })
}

async function planned(
  given: readonly GivenColumn[],
  rows: number,
  { metadata }: { metadata?: ReadonlyMap<string, string> | null },
  plan: ColumnPlan,
): Promise<TableColumns> {
  const repeated = repeatedName(given.map(({ field }) => field))
  if (repeated !== undefined) {
    throw new InvalidInputError(
      `The table has two columns or fields named '${repeated}'. Rename one: they are told apart by name when they are read back.`,
      { code: 'duplicate-column', fields: { column: repeated } },
    )
  }
  return { columns: await planColumns(given, plan), rows, metadata: new Map(metadata ?? []) }
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
