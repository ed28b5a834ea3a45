import { Message, Schema } from 'apache-arrow'
import { BatchBody } from './arrow-body.ts'
import type { Column, ColumnPlan } from './arrow-column.ts'
import { type Range, rangesOf } from './arrow-data.ts'
import { dictionaryBatchMessage, endOfStream, framed, recordBatchMessage } from './arrow-message.ts'
import { PieceMerger } from './table-pieces.ts'

/** A dictionary is written in parts of so many values: appending to it leaves all parts but the last as they were. */
const DICTIONARY_PART = 4096

export interface TableStream {
  readonly columns: readonly Column[]
  readonly dictionaries: ColumnPlan['dictionaries']
  readonly metadata: ReadonlyMap<string, string>
  readonly starts: readonly number[]
  /** Filled while the stream is made. */
  readonly counts?: PieceCounts
}

/** How many pieces the schema with the dictionaries took, and each batch: so that a reader finds a batch without reading those before it. */
export class PieceCounts {
  readonly all: number[] = []
  #current = 0;

  *count(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
    for (const piece of pieces) {
      this.#current += 1
      yield piece
    }
  }

  end(): void {
    this.all.push(this.#current)
    this.#current = 0
  }
}

/**
 * The Arrow IPC stream in pieces, each a chunk of its own: the schema; the dictionaries; for every batch its message and each column; the end
 * of the stream with the last. Neighbours under 4 KiB within one batch share a piece. A piece is valid until the next.
 */
export function* streamTable(table: TableStream): Generator<Uint8Array> {
  const merger = new PieceMerger()
  const counts = table.counts ?? new PieceCounts()
  const schema = new Schema(
    table.columns.map(({ field }) => field),
    new Map(table.metadata),
  )
  yield* counts.count(merger.add(framed(Message.encode(Message.from(schema)))))
  const batches = table.starts.length - 1
  // A table of one batch may be so small that it is one piece in all.
  const alone = batches <= 1 && table.dictionaries.length === 0
  if (!alone) yield* counts.count(merger.flush())

  const body = new BatchBody()
  for (const dictionary of table.dictionaries) {
    yield* counts.count(streamDictionary(dictionary, body, merger))
    yield* counts.count(merger.flush())
  }
  if (!alone) counts.end()
  for (let batch = 0; batch < batches; batch += 1) {
    const from = table.starts[batch] ?? 0
    const to = table.starts[batch + 1] ?? from
    if (to === from && from === 0) continue
    yield* counts.count(streamBatch(table, from, to, body, merger))
    if (batch === batches - 1) continue
    yield* counts.count(merger.flush())
    counts.end()
  }
  yield* counts.count(merger.add(endOfStream))
  yield* counts.count(merger.flush())
  counts.end()
}

function* streamBatch(
  { columns }: TableStream,
  from: number,
  to: number,
  body: BatchBody,
  merger: PieceMerger,
): Generator<Uint8Array> {
  body.clear()
  const ends = columns.map(({ layout, chunks, starts }) => {
    body.column(layout, rangesOf(chunks, starts, from, to), to - from)
    return body.at
  })
  yield* merger.add(recordBatchMessage(body.shape(to - from)))
  let at = 0
  for (const end of ends) {
    yield* merger.add(body.bytes.subarray(at, end))
    at = end
  }
}

function* streamDictionary(
  { plan, values }: ColumnPlan['dictionaries'][number],
  body: BatchBody,
  merger: PieceMerger,
): Generator<Uint8Array> {
  const parts = partsOf(plan.chunks)
  for (const [index, part] of parts.entries()) {
    const rows = part.reduce((sum, { from, to }) => sum + to - from, 0)
    body.clear()
    body.column(values, part, rows)
    yield* merger.add(dictionaryBatchMessage(body.shape(rows), { id: plan.id, isDelta: index > 0 }))
    yield* merger.add(body.bytes.subarray(0, body.at))
    yield* merger.flush()
  }
}

function partsOf(chunks: readonly Range[]): Range[][] {
  const parts: Range[][] = [[]]
  let room = DICTIONARY_PART
  for (const { data, from, to } of chunks) {
    for (let at = from; at < to; ) {
      if (room === 0) {
        parts.push([])
        room = DICTIONARY_PART
      }
      const end = Math.min(to, at + room)
      parts[parts.length - 1]?.push({ data, from: at, to: end })
      room -= end - at
      at = end
    }
  }
  return parts
}
