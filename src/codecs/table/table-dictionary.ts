import type { BatchBody } from '../arrow/arrow-body.ts'
import type { ColumnPlan } from '../arrow/arrow-column.ts'
import type { Range } from '../arrow/arrow-data.ts'
import { dictionaryBatchMessage } from '../arrow/arrow-message.ts'
import type { PieceMerger } from './table-pieces.ts'

/** A dictionary is written in parts of so many values: appending to it leaves all parts but the last as they were. */
const DICTIONARY_PART = 4096

/** The batches of one dictionary, in pieces. */
export function* streamDictionary(
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
