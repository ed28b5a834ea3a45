import { CorruptionError, InvalidInputError, isTidemarkError, throwIfAborted } from '../errors.ts'
import type { Pace } from '../platform/pace.ts'
import { Spare } from '../platform/spare.ts'
import { arrowLayouts, type ColumnPlan, isDecoded } from './arrow/arrow-column.ts'
import { tableOfStream } from './arrow/arrow-table.ts'
import type { AssetReader, Codec, Encoded, EncodeOptions, JsonObject, Preview } from './codec.ts'
import { atOnce } from './steps.ts'
import { Arena } from './table/arena.ts'
import { recalled, streamTable } from './table/table-body.ts'
import { cutRows } from './table/table-boundary.ts'
import { PieceCounts, writePieceCounts } from './table/table-piece-counts.ts'
import { previewTable } from './table/table-preview.ts'
import { readTable } from './table/table-source.ts'

export const ARROW_STREAM = 'application/vnd.apache.arrow.stream'

/**
 * Tables as Arrow IPC streams, cut by rows and columns so that an edit changes only the pieces it touches.
 *
 * | value | column |
 * |---|---|
 * | Arrow table, record batches, data frame that gives Arrow | its own type |
 * | typed array | Int8 to Int64, Uint8 to Uint64, Float16 to Float64 as the array |
 * | numbers | Float64, always: a column does not change its type because one value did |
 * | bigints | Int64 |
 * | booleans | Bool |
 * | strings | Utf8; one with half a surrogate pair is refused |
 * | Dates | Timestamp in milliseconds, UTC; an invalid Date is null |
 * | `Uint8Array` cells | Binary; other typed arrays List of their type |
 * | arrays, plain objects in cells | List, Struct |
 * | null, undefined, no such key | null; a column of nothing else is of type Null |
 *
 * Rows and columns keep their order. Small dictionaries of Arrow tables stay dictionaries; one with more than 4096 values that stand for
 * fewer than 16 rows each is written as plain values, where an edit stays local.
 *
 * `get` gives back an apache-arrow `Table`.
 *
 * @example
 * ```ts
 * import { tableCodec } from './table.ts'
 *
 * const { kind, body } = await tableCodec.encode([{ id: 1, label: 'iris' }, { id: 2, label: null }])
 * ```
 */
export const tableCodec: Codec = {
  kind: 'table',
  encode,
  decode,
}

/** A larger copy of a table is not kept for the next one. */
const MOST_SPARE = 128 * 1024 * 1024
const spare = new Spare<Arena>(1)

/** @throws InvalidInputError naming the column or cell that cannot be stored, `rows[7].label`. */
async function encode(value: unknown, options: EncodeOptions = {}): Promise<Encoded> {
  const { previous, signal, flat, pace, summaries, recall } = options
  throwIfAborted(signal)
  const memory = spare.take() ?? new Arena()
  const plan: ColumnPlan = { plain: new Set(plainBefore(previous)), dictionaries: [] }
  const { columns, rows, metadata, nested } = await readTable(value, plan, memory, pace)
  if (flat && nested !== undefined) throw notFlat(nested)
  const ofArrow = await arrowLayouts(columns)
  throwIfAborted(signal)
  const cutting = cutRows(columns, rows, previous, recall)
  const cuts = await (pace ? pace.run(cutting) : atOnce(cutting))
  const counts = new PieceCounts()
  const plain = columns.filter(({ layout }) => isDecoded(layout)).map(({ name }) => name)
  const stream = { columns, dictionaries: plan.dictionaries, ofArrow, metadata, starts: cuts.starts, counts }
  const known = recalled(stream, recall)
  const body = streamTable({ ...stream, recall: known })
  let preview: Preview | undefined
  async function* paced(by: Pace): AsyncGenerator<Uint8Array> {
    for (const piece of body) {
      yield piece
      if (by.due) await by.rest()
    }
    preview = await by.run(previewTable(columns, rows, summaries, ofArrow))
  }
  return {
    kind: 'table',
    extension: '.arrow',
    mediaType: ARROW_STREAM,
    cuts: 'given',
    body: pace ? paced(pace) : body,
    known,
    preview: () => preview ?? atOnce(previewTable(columns, rows, summaries, ofArrow)),
    info: () => ({ ...cuts.info, ...placesInfo(cuts.info, counts), ...(plain.length > 0 && { plain }) }),
    release() {
      memory.clear()
      if (memory.size <= MOST_SPARE) spare.give(memory)
    },
  }
}

function notFlat(column: string): InvalidInputError {
  return new InvalidInputError(
    `Column '${column}' holds lists or objects: these records are JSON. Wrap them with table() to make a table of them.`,
    {
      code: 'nested-cells',
      fields: { column },
    },
  )
}

/** Where the batches are, for tables whose batches are remembered at all; one of a single batch is found without it. */
function placesInfo(info: JsonObject, { all }: PieceCounts): JsonObject {
  return 'batches' in info && all.length > 2 ? { pieces: writePieceCounts(all) } : {}
}

function plainBefore(previous: JsonObject | undefined): string[] {
  const plain = previous?.plain
  return Array.isArray(plain) ? plain.filter((name): name is string => typeof name === 'string') : []
}

/** @throws CorruptionError `table-damaged` when the bytes are not a whole and consistent Arrow stream. */
async function decode(asset: AssetReader): Promise<unknown> {
  const bytes = await asset.bytes()
  // Arrow reads numbers in place, so they must begin on their own size. Copied when they do not, as inside a larger buffer.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  try {
    return tableOfStream(aligned)
  } catch (cause) {
    if (isTidemarkError(cause)) throw cause
    throw new CorruptionError(
      `'${asset.path}' is not a readable Arrow stream. Verify the version, or log the table again.`,
      {
        code: 'table-damaged',
        fields: { path: asset.path },
        cause,
      },
    )
  }
}
