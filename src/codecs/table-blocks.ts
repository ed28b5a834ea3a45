import type { DataType } from 'apache-arrow'
import { ConflictError } from '../errors.ts'
import type { Arena } from './arena.ts'
import type { ArrowData } from './arrow-data.ts'
import { isTypedArray, type PlainObject } from './capabilities.ts'
import type { Steps } from './steps.ts'
import { ColumnBuilder } from './table-builder.ts'
import type { Built } from './table-flat-builders.ts'
import { BLOCK_ROWS, commonLength, isVector, RecordsReader, type VectorLike } from './table-records.ts'
import { typedArrayType } from './table-typed.ts'

/** So many cells are read in one step: well under a millisecond, also with text. */
const STEP_CELLS = 16_384
/** The first rows tell how many columns there are. */
const FIRST_ROWS = 16
/** A column comes in pieces of so many rows, or fewer when there are many columns: about what the processor's second cache holds. */
const PIECE_ROWS = 16_384
const PIECE_CELLS = 8 * PIECE_ROWS
/** Elements of a typed array that are one piece. */
const PIECE_ELEMENTS = 65_536

/** A column that was read: of one Arrow type, in pieces. */
export interface ReadColumn {
  readonly name: string
  readonly type: DataType
  /** Its cells are lists or objects. */
  readonly nested?: boolean
  /** Empty unless they were to be kept. */
  readonly chunks: readonly ArrowData[]
}

export interface ReadBlocks {
  readonly columns: readonly ReadColumn[]
  readonly rows: number
}

export interface ReadBlocksOptions {
  /** Where copies of the pieces are kept: a copy of the table that later changes do not reach. Else their memory is used again and again. */
  readonly keep?: Arena
  /** Typed arrays and Arrow vectors are kept as they are, not copied: for a table that does not change while it is in use. */
  readonly shared?: boolean
  /** Told of each piece as it is read: number of the column, in order of first appearance. The same table always comes in the same pieces. */
  readonly piece?: (column: number, data: ArrowData) => Steps<void>
}

/**
 * Reads an array of records or an object of columns in steps of a fraction of a millisecond, as the table codec would. Between two steps the table may be edited:
 * each step sees it as it is then; rows that are appended meanwhile are left for another time.
 *
 * @throws ConflictError `table-changing`: columns became shorter meanwhile
 * @throws InvalidInputError as the table codec does
 */
export function readBlocks(value: readonly unknown[] | PlainObject, options: ReadBlocksOptions): Steps<ReadBlocks> {
  return isRecords(value) ? readRecords(value, options) : readColumns(value, options)
}

function isRecords(value: readonly unknown[] | PlainObject): value is readonly unknown[] {
  return Array.isArray(value)
}

function* readRecords(records: readonly unknown[], options: ReadBlocksOptions): Steps<ReadBlocks> {
  const expected = records.length
  const reader = new RecordsReader(records, Math.min(expected, PIECE_ROWS))
  const pieces: Pieces[] = []
  const take = function* () {
    let index = 0
    for (const builder of reader.builders.values()) {
      pieces[index] ??= new Pieces(index, options)
      yield* pieces[index].add(builder.take())
      index += 1
    }
  }
  let rows = 0
  let taken = 0
  for (;;) {
    const columns = Math.max(1, reader.builders.size)
    const step = rows === 0 ? FIRST_ROWS : Math.min(BLOCK_ROWS, Math.max(1, Math.floor(STEP_CELLS / columns)))
    const end = Math.min(rows + step, expected, records.length)
    if (end <= rows) break
    reader.read(rows, end)
    rows = end
    yield
    if ((rows - taken) * columns < PIECE_CELLS) continue
    yield* take()
    taken = rows
  }
  yield* take()
  const columns: ReadColumn[] = []
  for (const [name, builder] of reader.builders) {
    const own = pieces[columns.length] ?? new Pieces(columns.length, options)
    columns.push(yield* own.finish(name, builder))
  }
  return { columns, rows }
}

function* readColumns(source: PlainObject, options: ReadBlocksOptions): Steps<ReadBlocks> {
  const rows = commonLength(source)
  const columns: ReadColumn[] = []
  // As they are now: a column may be added between two steps.
  for (const [name, values] of Object.entries(source)) {
    const pieces = new Pieces(columns.length, options)
    if (options.shared && (isVector(values) || isTypedArray(values))) columns.push(asItIs(name, values, rows))
    else if (isVector(values)) columns.push(yield* pieces.all(name, { type: values.type, chunks: [...values.data] }))
    else if (isTypedArray(values)) columns.push(yield* readTyped(name, values, rows, pieces))
    else if (Array.isArray(values)) columns.push(yield* readArray(name, values, rows, pieces))
  }
  return { columns, rows }
}

function asItIs(
  name: string,
  values: VectorLike | (ArrayBufferView & ArrayLike<number | bigint>),
  length: number,
): ReadColumn {
  if (isVector(values)) return { name, type: values.type, chunks: values.data }
  return { name, type: typedArrayType(values).type, chunks: [{ length, offset: 0, values, children: [] }] }
}

function* readTyped(
  name: string,
  values: ArrayBufferView & ArrayLike<number | bigint>,
  rows: number,
  pieces: Pieces,
): Steps<ReadColumn> {
  const { type } = typedArrayType(values)
  for (let from = 0; from < rows; from += PIECE_ELEMENTS) {
    const to = Math.min(from + PIECE_ELEMENTS, rows)
    if (values.length < to) throw changing(name)
    const part: unknown = Reflect.apply(viewPart, values, [from, to])
    if (!ArrayBuffer.isView(part)) throw changing(name)
    yield* pieces.add({ type, chunks: [{ length: to - from, offset: 0, values: part, children: [] }] })
  }
  return pieces.column(name, type)
}

function* readArray(name: string, values: readonly unknown[], rows: number, pieces: Pieces): Steps<ReadColumn> {
  const builder = new ColumnBuilder(name, Math.min(rows, PIECE_ROWS))
  for (let from = 0; from < rows; from += BLOCK_ROWS) {
    const to = Math.min(from + BLOCK_ROWS, rows)
    if (values.length < to) throw changing(name)
    builder.append(values, from, to, (index) => `${name}[${index}]`)
    yield
    if (to % PIECE_ROWS === 0) yield* pieces.add(builder.take())
  }
  return yield* pieces.finish(name, builder)
}

// That of every typed array.
const { subarray: viewPart } = Object.getPrototypeOf(Uint8Array.prototype)

/** The pieces of one column. */
class Pieces {
  readonly #column: number
  readonly #options: ReadBlocksOptions
  readonly #kept: ArrowData[] = []

  constructor(column: number, options: ReadBlocksOptions) {
    this.#column = column
    this.#options = options
  }

  *add(built: Built | undefined): Steps<void> {
    if (built === undefined) return
    const { keep, piece } = this.#options
    for (const data of built.chunks) {
      if (data.length === 0) continue
      const own = keep ? copied(data, keep) : data
      if (keep) this.#kept.push(own)
      if (piece) yield* piece(this.#column, own)
      yield
    }
  }

  *all(name: string, built: Built): Steps<ReadColumn> {
    yield* this.add(built)
    return this.column(name, built.type)
  }

  *finish(name: string, builder: ColumnBuilder): Steps<ReadColumn> {
    const column = yield* this.all(name, builder.finish())
    return builder.isNested ? { ...column, nested: true } : column
  }

  column(name: string, type: DataType): ReadColumn {
    return { name, type, chunks: this.#kept }
  }
}

/** Nested pieces are not copied: they were built for this reading, and are not built over. */
function copied(data: ArrowData, arena: Arena): ArrowData {
  if (data.children.length > 0 || data.dictionary) return data
  const { nullBitmap, values, valueOffsets } = data
  return {
    ...data,
    nullBitmap: nullBitmap && arena.copy(nullBitmap),
    values: values && arena.copy(values),
    valueOffsets: valueOffsets && arena.copy(valueOffsets),
  }
}

function changing(column: string): ConflictError {
  return new ConflictError(`Column '${column}' became shorter while it was read. It is read again when it rests.`, {
    code: 'table-changing',
    fields: { column },
  })
}
