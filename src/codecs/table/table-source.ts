import { InvalidInputError } from '../../errors.ts'
import type { Pace } from '../../platform/pace.ts'
import { Field } from '../arrow/arrow.ts'
import { type Column, type ColumnPlan, planColumns } from '../arrow/arrow-column.ts'
import { givesTable, isObject, isPlainObject, type PlainObject } from '../capabilities.ts'
import { atOnce } from '../steps.ts'
import { Arena } from './arena.ts'
import { readBlocks } from './table-blocks.ts'
import { describeCell } from './table-cell.ts'
import { CopiedPieces } from './table-copied-pieces.ts'

/** A table as it will be stored. */
export interface TableColumns {
  readonly columns: readonly Column[]
  readonly rows: number
  readonly metadata: ReadonlyMap<string, string>
  /** The first column of plain values with lists or objects among them; typed arrays as cells do not count. */
  readonly nested?: string
}

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
  // Records and columns of plain values do without.
  const frames = mayBeFrame(Array.isArray(given) ? given[0] : given) ? await import('./table-frame.ts') : undefined
  const value = frames ? await frames.asTable(given) : given
  const columns = await frames?.readArrow(value, plan)
  if (columns) return columns
  if (Array.isArray(value) || isPlainObject(value)) return fromPlain(value, plan, memory, pace)
  throw new InvalidInputError(
    `A table is made of an array of records, an object of columns, or a data frame that gives Arrow; this is ${describeCell(value)}.`,
    { code: 'not-a-table' },
  )
}

function mayBeFrame(value: unknown): boolean {
  return isObject(value) && ('schema' in value || givesTable(value))
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
