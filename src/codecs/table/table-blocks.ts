import { ConflictError, InvalidInputError } from '../../errors.ts'
import type { DataType } from '../arrow/arrow.ts'
import type { ArrowData } from '../arrow/arrow-data.ts'
import { isTypedArray, type PlainObject } from '../capabilities.ts'
import { inThisRealm } from '../realms.ts'
import type { Steps } from '../steps.ts'
import { ColumnBuilder } from './table-builder.ts'
import { type KeptCells, keptCells } from './table-cells.ts'
import type { ColumnMemory } from './table-memory.ts'
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
  /** Those that were kept. */
  readonly chunks: readonly ArrowData[]
}

export interface ReadBlocks {
  readonly columns: readonly ReadColumn[]
  readonly rows: number
}

/** Takes the pieces of one column, as they come. The same table always comes in the same pieces. */
export interface ColumnPieces {
  /** What is known of the column from an earlier reading. */
  readonly memory?: ColumnMemory
  /** The next piece, if its cells are as they were. */
  addSame?(values: readonly unknown[], from: number, to: number): boolean
  /** What was taken comes again, from the first piece on: trust nothing. */
  restart?(): void
  /** The next piece, in memory that is used again for the one after it. */
  add(chunks: readonly ArrowData[], cells?: KeptCells): Steps<void>
  /** The next piece, in memory that others may write to. */
  addLive(chunks: readonly ArrowData[]): Steps<void>
  /** Ends the column; those that were kept. */
  end(): readonly ArrowData[]
}

export interface ReadBlocksOptions {
  readonly piecesOf: (column: string) => ColumnPieces
  /** Typed arrays and Arrow vectors are kept as they are: for a table that does not change while it is in use. */
  readonly shared?: boolean
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

function* readRecords(records: readonly unknown[], { piecesOf }: ReadBlocksOptions): Steps<ReadBlocks> {
  const expected = records.length
  const reader = new RecordsReader(records, Math.min(expected, PIECE_ROWS))
  const readings = new Map<string, Reading>()
  const readingOf = (name: string) => {
    const reading = readings.get(name) ?? { name, pieces: piecesOf(name) }
    readings.set(name, reading)
    return reading
  }
  const take = function* () {
    for (const [name, builder] of reader.builders) yield* addTaken(readingOf(name), builder)
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
  for (const [name, builder] of reader.builders) columns.push(yield* finish(readingOf(name), builder))
  return { columns, rows }
}

function* readColumns(source: PlainObject, { piecesOf, shared }: ReadBlocksOptions): Steps<ReadBlocks> {
  const rows = commonLength(source)
  const columns: ReadColumn[] = []
  // As they are now: a column may be added between two steps.
  for (const [name, given] of Object.entries(source)) {
    const values = ArrayBuffer.isView(given) ? inThisRealm(given) : given
    if (shared && (isVector(values) || isTypedArray(values))) {
      columns.push(asItIs(name, values, rows))
      continue
    }
    const reading = { name, pieces: piecesOf(name) }
    if (isVector(values)) columns.push(yield* readVector(values, reading))
    else if (isTypedArray(values)) columns.push(yield* readTyped(values, rows, reading))
    else if (Array.isArray(values)) columns.push(yield* readArray(values, rows, reading))
  }
  return { columns, rows }
}

/** A column being read, and who takes its pieces. */
interface Reading {
  readonly name: string
  readonly pieces: ColumnPieces
}

function asItIs(
  name: string,
  values: VectorLike | (ArrayBufferView & ArrayLike<number | bigint>),
  length: number,
): ReadColumn {
  if (isVector(values)) return { name, type: values.type, chunks: values.data }
  return { name, type: typedArrayType(values).type, chunks: [{ length, offset: 0, values, children: [] }] }
}

function* readVector({ type, data }: VectorLike, { name, pieces }: Reading): Steps<ReadColumn> {
  for (const chunk of [...data]) if (chunk.length > 0) yield* pieces.addLive([chunk])
  return { name, type, chunks: pieces.end() }
}

function* readTyped(
  values: ArrayBufferView & ArrayLike<number | bigint>,
  rows: number,
  { name, pieces }: Reading,
): Steps<ReadColumn> {
  const { type } = typedArrayType(values)
  for (let from = 0; from < rows; from += PIECE_ELEMENTS) {
    const to = Math.min(from + PIECE_ELEMENTS, rows)
    if (values.length < to) throw changing(name)
    const part: unknown = Reflect.apply(viewPart, values, [from, to])
    if (!ArrayBuffer.isView(part)) throw changing(name)
    yield* pieces.addLive([{ length: to - from, offset: 0, values: part, children: [] }])
  }
  return { name, type, chunks: pieces.end() }
}

function* readArray(values: readonly unknown[], rows: number, reading: Reading): Steps<ReadColumn> {
  const { pieces } = reading
  const { memory } = pieces
  if (memory?.type) {
    const column = yield* readChanged(values, rows, memory.type, reading)
    if (column) return column
    pieces.restart?.()
  }
  return yield* readWhole(values, rows, reading)
}

/** Only the pieces whose cells are not as they were. `undefined` when they do not fit in with the rest: another type, or a cell that cannot be stored. */
function* readChanged(
  values: readonly unknown[],
  rows: number,
  type: DataType,
  { name, pieces }: Reading,
): Steps<ReadColumn | undefined> {
  const cellsOf = keptCells(type)
  if (!cellsOf) return undefined
  let builder: ColumnBuilder | undefined
  for (let from = 0; from < rows; from += PIECE_ROWS) {
    const to = Math.min(from + PIECE_ROWS, rows)
    if (values.length < to) throw changing(name)
    yield
    if (pieces.addSame?.(values, from, to)) continue
    builder ??= new ColumnBuilder(name, Math.min(rows, PIECE_ROWS))
    const cells = cellsOf()
    try {
      yield* readPiece(values, from, to, builder, name, cells)
    } catch (error) {
      // Told by the reading of the whole column, which knows what is before it.
      if (error instanceof InvalidInputError) return undefined
      throw error
    }
    const built = builder.take()
    if (!built || String(built.type) !== String(type) || lengthOf(built.chunks) !== to - from) return undefined
    yield* pieces.add(built.chunks, cells)
  }
  return { name, type, chunks: pieces.end() }
}

function* readWhole(values: readonly unknown[], rows: number, reading: Reading): Steps<ReadColumn> {
  const builder = new ColumnBuilder(reading.name, Math.min(rows, PIECE_ROWS))
  // Until the type is known a piece has to wait for the next, and then they are not where `readChanged` would look for them.
  let settled = true
  for (let from = 0; from < rows; from += PIECE_ROWS) {
    const to = Math.min(from + PIECE_ROWS, rows)
    yield* readPiece(values, from, to, builder, reading.name)
    settled = (yield* addTaken(reading, builder)) === to - from && settled
  }
  const column = yield* finish(reading, builder)
  const { memory } = reading.pieces
  if (settled && memory) memory.type = column.type
  return column
}

function* readPiece(
  values: readonly unknown[],
  start: number,
  end: number,
  builder: ColumnBuilder,
  name: string,
  cells?: KeptCells,
): Steps<void> {
  for (let from = start; from < end; from += BLOCK_ROWS) {
    const to = Math.min(from + BLOCK_ROWS, end)
    if (values.length < to) throw changing(name)
    builder.append(values, from, to, (index) => `${name}[${index}]`)
    cells?.take(values, from, to)
    yield
  }
}

/** What is in the builder, if its type is settled; how many rows. */
function* addTaken({ pieces }: Reading, builder: ColumnBuilder): Steps<number> {
  const chunks = builder.take()?.chunks ?? []
  const rows = lengthOf(chunks)
  if (rows > 0) yield* pieces.add(chunks)
  return rows
}

/** What is left in the builder. */
function* finish({ name, pieces }: Reading, builder: ColumnBuilder): Steps<ReadColumn> {
  const { type, chunks } = builder.finish()
  for (const data of chunks) if (data.length > 0) yield* pieces.add([data])
  const column = { name, type, chunks: pieces.end() }
  return builder.isNested ? { ...column, nested: true } : column
}

function lengthOf(chunks: readonly ArrowData[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0)
}

// That of every typed array.
const { subarray: viewPart } = Object.getPrototypeOf(Uint8Array.prototype)

function changing(column: string): ConflictError {
  return new ConflictError(`Column '${column}' became shorter while it was read. It is read again when it rests.`, {
    code: 'table-changing',
    fields: { column },
  })
}
