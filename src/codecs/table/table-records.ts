import { InvalidInputError } from '../../errors.ts'
import type { Field } from '../arrow/arrow.ts'
import type { ArrowData } from '../arrow/arrow-data.ts'
import { isPlainObject, isTypedArray } from '../capabilities.ts'
import { ColumnBuilder } from './table-builder.ts'
import { describeCell } from './table-cell.ts'

/** Rows are read in blocks that stay in the processor's cache while every column takes its cells from them. */
export const BLOCK_ROWS = 2048

/** Reads records block after block into the builders of their columns. Column order is that of first appearance; a record without a column is null there. */
export class RecordsReader {
  /** By name, in order of first appearance. */
  readonly builders = new Map<string, ColumnBuilder>()
  readonly #rows: readonly unknown[]
  readonly #expected: number
  readonly #names: string[] = []
  /** Of one block, for each column. */
  readonly #cells: unknown[][] = []

  /** `expected`: how many rows a builder will hold. */
  constructor(rows: readonly unknown[], expected: number) {
    this.#rows = rows
    this.#expected = expected
  }

  /** At most `BLOCK_ROWS` rows, those after the ones read before. */
  read(start: number, end: number): void {
    if (!takeUniform(this.#rows, start, end, this.#names, this.#cells)) {
      const uniform = learnNames(this.#rows, start, end, this.#names, this.builders, this.#expected)
      for (const [column, name] of this.#names.entries()) {
        this.#cells[column] ??= new Array(BLOCK_ROWS)
        takeCells(this.#rows, start, end, name, uniform, this.#cells[column])
      }
    }
    let column = 0
    for (const [name, builder] of this.builders) {
      builder.append(this.#cells[column++], 0, end - start, (index) => `rows[${start + index}].${name}`)
    }
  }
}

/**
 * Takes the cells of rows that have exactly these columns in this order, as almost all do, in one walk over their keys; false when one is otherwise. Within the
 * loop over its keys the engine knows where a record's values are: half the time of a look-up by name for each cell.
 */
function takeUniform(
  rows: readonly unknown[],
  start: number,
  end: number,
  names: readonly string[],
  cells: readonly unknown[][],
): boolean {
  for (let row = start; row < end; row += 1) {
    const record = rows[row]
    if (!isPlainObject(record)) throw notARecord(record, row)
    let at = 0
    for (const name in record) {
      if (names[at] !== name) return false
      cells[at][row - start] = record[name]
      at += 1
    }
    if (at !== names.length) return false
  }
  return true
}

/** Adds columns that appear in these rows; true when every row has exactly the known columns, in their order. */
function learnNames(
  rows: readonly unknown[],
  start: number,
  end: number,
  names: string[],
  builders: Map<string, ColumnBuilder>,
  expected: number,
): boolean {
  let uniform = true
  for (let row = start; row < end; row += 1) {
    const record = rows[row]
    if (!isPlainObject(record)) throw notARecord(record, row)
    let at = 0
    for (const name in record) {
      if (names[at] !== name) {
        at = -1
        break
      }
      at += 1
    }
    if (at === names.length) continue
    const known = names.length
    for (const name of Object.keys(record)) {
      if (builders.has(name)) continue
      const builder = new ColumnBuilder(name, expected)
      builder.nulls(start)
      names.push(name)
      builders.set(name, builder)
    }
    if (known !== 0 || row !== start) uniform = false
  }
  return uniform
}

function takeCells(
  rows: readonly unknown[],
  start: number,
  end: number,
  name: string,
  uniform: boolean,
  cells: unknown[],
): void {
  // A record without the column must not answer with what its prototype has under that name (`constructor`, `__proto__`).
  const own = !uniform && name in Object.prototype
  for (let row = start; row < end; row += 1) {
    const record = rows[row]
    cells[row - start] = isRecord(record) && (!own || Object.hasOwn(record, name)) ? record[name] : undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function notARecord(value: unknown, row: number): InvalidInputError {
  return new InvalidInputError(
    `rows[${row}] is ${describeCell(value)}. A table's rows are plain objects, one value per column: { id: 1, label: 'iris' }.`,
    { code: 'not-a-record', fields: { path: `rows[${row}]` } },
  )
}

/**
 * How many rows the columns have.
 *
 * @throws InvalidInputError `not-a-column`, `ragged-columns`
 */
export function commonLength(source: Readonly<Record<string, unknown>>): number {
  let first: { name: string; length: number } | undefined
  for (const name of Object.keys(source)) {
    const length = lengthOf(name, source[name])
    first ??= { name, length }
    if (length === first.length) continue
    throw new InvalidInputError(
      `Column '${name}' has ${length} rows, but column '${first.name}' has ${first.length}. All columns of a table are equally long.`,
      { code: 'ragged-columns', fields: { column: name } },
    )
  }
  return first?.length ?? 0
}

export interface VectorLike {
  readonly type: Field['type']
  readonly data: readonly ArrowData[]
  readonly length: number
}

export function isVector(value: unknown): value is VectorLike {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false
  return (
    'type' in value && 'length' in value && 'data' in value && Array.isArray(value.data) && value.data.every(isData)
  )
}

/** Pieces of flechette's columns have no offset: their types are others. */
function isData(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'offset' in value && 'children' in value
}

function lengthOf(name: string, values: unknown): number {
  if (Array.isArray(values) || isTypedArray(values) || isVector(values)) return values.length
  throw new InvalidInputError(
    `Column '${name}' is ${describeCell(values)}. A column is an array or a typed array with one value per row.`,
    { code: 'not-a-column', fields: { column: name } },
  )
}
