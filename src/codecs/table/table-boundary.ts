import { DataType } from '../arrow/arrow.ts'
import type { Column } from '../arrow/arrow-column.ts'
import { lastAtOrBefore } from '../arrow/arrow-data.ts'
import type { JsonObject } from '../codec.ts'
import type { Steps } from '../steps.ts'
import { hashRows, hashSample } from './table-hash.ts'
import type { TableRecall } from './table-recall.ts'
import { targetRows } from './table-size.ts'

/** So many rows, evenly spread, tell which column tells rows apart. */
const SAMPLE_ROWS = 1024
/** A column with nearly as many distinct values as the best is as good. */
const NEARLY = 0.95
/** The column of the version before is kept while it has this share of the best column's distinct values. */
const STILL_USEFUL = 0.25
/** When fewer of the batches than this have a length they had before, the boundary column was rewritten. */
const STILL_THERE = 0.5
/** Row counts of batches remembered at most: about two bytes each. */
const REMEMBERED_BATCHES = 8192

/** Where the batches of a table begin, and what to remember so that the next version's begin at the same rows. */
export interface Cuts {
  /** First row of each batch, and the number of rows at the end. */
  readonly starts: readonly number[]
  readonly info: JsonObject
}

/**
 * Cuts a table's rows where a hash of one column says so. A row begins a batch by its own value, so an inserted or deleted row moves no cut
 * but those beside it.
 *
 * The column is the one with the most distinct values in a sample; where several tell rows apart equally well, keys come before
 * measurements, which are the likelier to be rewritten as a whole. It is kept from version to version while it is there and useful. When it
 * was dropped or rewritten and the number of rows is the same, the batches keep their row counts instead, so that all other columns stay as they
 * are.
 */
export function* cutRows(
  columns: readonly Column[],
  rows: number,
  previous: JsonObject | undefined,
  recall: TableRecall | undefined,
): Steps<Cuts> {
  const target = targetRows(columns, rows, previous?.rows)
  const chosen = chooseBoundary(columns, rows, previous?.boundary)
  const before = readLengths(previous?.batches)
  yield
  const natural = yield* naturalCuts(chosen?.column, rows, target, recall)
  const kept = before !== undefined && sum(before) === rows && previous?.rows === target
  const stale = kept && shared(lengths(natural), before) < STILL_THERE
  const starts = stale ? startsFrom(before) : natural
  const reason = stale ? 'rows-kept' : (chosen?.reason ?? 'no-column')
  const info = { boundary: chosen?.column.name ?? null, reason, rows: target }
  if (starts.length > REMEMBERED_BATCHES) return { starts, info }
  return { starts, info: { ...info, batches: writeLengths(lengths(starts)) } }
}

function* naturalCuts(
  column: Column | undefined,
  rows: number,
  target: number,
  recall: TableRecall | undefined,
): Steps<readonly number[]> {
  if (column === undefined) return fixedCuts(rows, target)
  const make = function* () {
    return boundaryCuts(yield* hashRows(column, rows), rows, target)
  }
  return yield* recall ? recall.cuts(column, target, make) : make()
}

function chooseBoundary(
  columns: readonly Column[],
  rows: number,
  previous: unknown,
): { column: Column; reason: string } | undefined {
  const count = Math.min(rows, SAMPLE_ROWS)
  const sample = Array.from({ length: count }, (_, index) => Math.floor((index * rows) / count))
  const scored = columns.map((column) => ({ column, distinct: new Set(hashSample(column, sample)).size }))
  const most = scored.reduce((best, { distinct }) => Math.max(best, distinct), 0)
  const same = scored.find(({ column }) => column.name === previous)
  if (same && same.distinct >= most * STILL_USEFUL) return { column: same.column, reason: 'as-before' }
  const good = scored.filter(({ distinct }) => distinct >= most * NEARLY)
  const best = good.sort((a, b) => rank(a.column, sample) - rank(b.column, sample))[0]
  if (best === undefined) return undefined
  const reason = typeof previous !== 'string' ? 'most-distinct' : same ? 'no-longer-distinct' : 'column-gone'
  return { column: best.column, reason }
}

/** Keys first, then what is rarely computed anew, then the rest. */
function rank(column: Column, sample: readonly number[]): number {
  const { field } = column
  if (DataType.isInt(field.type) || isWhole(column, sample)) return 0
  if (DataType.isTimestamp(field.type) || DataType.isDate(field.type)) return 1
  if (DataType.isUtf8(field.type) || DataType.isLargeUtf8(field.type) || DataType.isUtf8View(field.type)) return 2
  if (DataType.isDictionary(field.type)) return 3
  return DataType.isFloat(field.type) ? 4 : 5
}

/** Plain JavaScript ids are stored as Float64. */
function isWhole({ chunks, starts }: Column, sample: readonly number[]): boolean {
  return sample.every((row) => {
    const chunk = lastAtOrBefore(starts, row)
    const values = chunks[chunk]?.values
    return values instanceof Float64Array && Number.isInteger(values[row - (starts[chunk] ?? 0)])
  })
}

/** At least a quarter and at most four times the target between two cuts. */
function boundaryCuts(hashes: Int32Array, rows: number, target: number): number[] {
  const least = Math.max(1, target >> 2)
  const most = target * 4
  // Cuts are sought only past the least length, so that the mean length is the target.
  const threshold = Math.floor(2 ** 32 / Math.max(1, target - least))
  const starts = [0]
  let start = 0
  for (let row = least; row < rows; row += 1) {
    if ((hashes[row] ?? 0) >>> 0 >= threshold && row - start < most) continue
    starts.push(row)
    start = row
    row += least - 1
  }
  starts.push(rows)
  return starts
}

function fixedCuts(rows: number, target: number): number[] {
  const starts: number[] = []
  for (let row = 0; row < rows; row += target) starts.push(row)
  starts.push(rows)
  return starts
}

function lengths(starts: readonly number[]): number[] {
  return starts.slice(1).map((end, index) => end - (starts[index] ?? 0))
}

function startsFrom(counts: readonly number[]): number[] {
  const starts = [0]
  let at = 0
  for (const count of counts) {
    at += count
    starts.push(at)
  }
  return starts
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}

/** Which share of the lengths were there before. */
function shared(now: readonly number[], before: readonly number[]): number {
  const left = new Map<number, number>()
  for (const count of before) left.set(count, (left.get(count) ?? 0) + 1)
  let found = 0
  for (const count of now) {
    const rest = left.get(count) ?? 0
    if (rest === 0) continue
    left.set(count, rest - 1)
    found += 1
  }
  return now.length === 0 ? 1 : found / now.length
}

/** Lengths in base 36, separated by spaces: short, and an edit changes only its own place. */
function writeLengths(counts: readonly number[]): string {
  return counts.map((count) => count.toString(36)).join(' ')
}

export function readLengths(text: unknown): number[] | undefined {
  if (typeof text !== 'string' || text === '') return undefined
  const counts = text.split(' ').map((part) => Number.parseInt(part, 36))
  return counts.every((count) => Number.isSafeInteger(count) && count > 0) ? counts : undefined
}
