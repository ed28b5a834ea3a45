import type { JsonObject } from '../codec.ts'
import { readLengths } from './table-boundary.ts'

/** Where the batches of a stored table are, in pieces of its body: the pieces before the first batch, then for each batch its rows and pieces. */
export interface TablePlaces {
  readonly head: number
  readonly rows: readonly number[]
  readonly pieces: readonly number[]
}

/** From the codec's notes; `undefined` where they do not tell, or do not agree with each other and with the number of pieces there are. */
export function readPlaces(info: JsonObject | undefined, pieces: number): TablePlaces | undefined {
  const rows = readLengths(info?.batches)
  const counts = rows && readPieceCounts(info?.pieces, rows.length + 1)
  if (rows === undefined || counts === undefined) return undefined
  const [head = 0, ...batches] = counts
  return counts.reduce((sum, count) => sum + count, 0) === pieces ? { head, rows, pieces: batches } : undefined
}

function readPieceCounts(text: unknown, expected: number): number[] | undefined {
  if (typeof text !== 'string') return undefined
  const counts: number[] = []
  for (const run of text.split(' ')) {
    const match = /^([1-9]\d{0,8})(?:x([1-9]\d{0,8}))?$/.exec(run)
    const times = Number(match?.[2] ?? 1)
    if (match === null || counts.length + times > expected) return undefined
    for (let time = 0; time < times; time += 1) counts.push(Number(match[1]))
  }
  return counts.length === expected ? counts : undefined
}
