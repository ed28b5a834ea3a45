import { Schema } from '../arrow/arrow.ts'
import { BatchBody } from '../arrow/arrow-body.ts'
import { type ArrowLayouts, type Column, type ColumnPlan, isDecoded } from '../arrow/arrow-column.ts'
import { type Range, rangesOf } from '../arrow/arrow-data.ts'
import { endOfStream, recordBatchMessage } from '../arrow/arrow-message.ts'
import { schemaMessage } from '../arrow/arrow-schema-writer.ts'
import { PieceCounts } from './table-piece-counts.ts'
import { PieceMerger } from './table-pieces.ts'
import type { TableRecall } from './table-recall.ts'

export interface TableStream {
  readonly columns: readonly Column[]
  readonly dictionaries: ColumnPlan['dictionaries']
  /** `arrowLayouts` of the columns. */
  readonly ofArrow?: ArrowLayouts
  readonly metadata: ReadonlyMap<string, string>
  readonly starts: readonly number[]
  /** Filled while the stream is made. */
  readonly counts?: PieceCounts
  readonly recall?: TableRecall
}

/**
 * The Arrow IPC stream in pieces, each a chunk of its own: the schema; the dictionaries; for every batch its message and each column; the end
 * of the stream with the last. Neighbours under 4 KiB within one batch share a piece. A piece is valid until the next.
 */
export function* streamTable(table: TableStream): Generator<Uint8Array> {
  const { recall } = table
  const merger = new PieceMerger()
  const counts = table.counts ?? new PieceCounts()
  const batches = table.starts.length - 1
  // A table of one batch may be so small that it is one piece in all.
  const alone = batches <= 1 && table.dictionaries.length === 0
  const skipped = recall?.skipped ?? []
  if (skipped.length > 0) {
    counts.known([1, ...skipped])
  } else {
    const first = merger.add(opening(table))
    if (alone) yield* counts.count(first)
    else yield* counts.count(watched(withRest(first, merger), recall))
  }

  const body = new BatchBody(table.ofArrow)
  for (const dictionary of table.dictionaries) {
    if (table.ofArrow) yield* counts.count(table.ofArrow.streamDictionary(dictionary, body, merger))
    yield* counts.count(merger.flush())
  }
  if (!alone && skipped.length === 0) counts.end()
  for (let batch = skipped.length; batch < batches; batch += 1) {
    const from = table.starts[batch] ?? 0
    const to = table.starts[batch + 1] ?? from
    if (to === from && from === 0) continue
    const ranges = table.columns.map(({ chunks, starts }) => rangesOf(chunks, starts, from, to))
    const pieces = streamBatch(table, ranges, to - from, body, merger)
    if (batch === batches - 1) {
      yield* counts.count(pieces)
      continue
    }
    const whole = withRest(pieces, merger)
    yield* counts.count(recall ? recall.batch(batch, whole) : whole)
    counts.end()
  }
  yield* counts.count(merger.add(endOfStream))
  yield* counts.count(merger.flush())
  counts.end()
}

/** Makes ready what is remembered of the table, if it helps: dictionaries are of the whole table, so what a batch's bytes are is not told by its rows alone. */
export function recalled(table: TableStream, recall: TableRecall | undefined): TableRecall | undefined {
  if (table.dictionaries.length > 0 || table.columns.some(({ layout }) => isDecoded(layout))) return undefined
  recall?.begin(table.columns, table.starts, opening(table))
  return recall
}

function opening({ columns, metadata }: TableStream): Uint8Array {
  const fields = columns.map(({ field }) => field)
  return schemaMessage(new Schema(fields, new Map(metadata)))
}

function watched(pieces: Iterable<Uint8Array>, recall: TableRecall | undefined): Iterable<Uint8Array> {
  return recall ? recall.opening(pieces) : pieces
}

function* withRest(pieces: Iterable<Uint8Array>, merger: PieceMerger): Generator<Uint8Array> {
  yield* pieces
  yield* merger.flush()
}

function* streamBatch(
  { columns }: TableStream,
  ranges: readonly Range[][],
  rows: number,
  body: BatchBody,
  merger: PieceMerger,
): Generator<Uint8Array> {
  body.clear()
  const ends = columns.map(({ layout }, index) => {
    body.column(layout, ranges[index], rows)
    return body.at
  })
  yield* merger.add(recordBatchMessage(body.shape(rows)))
  let at = 0
  for (const end of ends) {
    yield* merger.add(body.bytes.subarray(at, end))
    at = end
  }
}
