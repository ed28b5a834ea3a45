import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { ComparableTable } from '../../src/client/diff/table-stored.ts'
import { arrowLayouts } from '../../src/codecs/arrow/arrow-column.ts'
import { streamTable } from '../../src/codecs/table/table-body.ts'
import { scanTable } from '../../src/codecs/table/table-scan.ts'
import { readTable } from '../../src/codecs/table/table-source.ts'
import type { Experiment, LoggedArtifact, RowChange, RowMatch, TableDiff, TableDiffOptions } from '../../src/index.ts'
import { table } from '../../src/index.ts'
import { collect } from '../codecs/asset-of.ts'

export type Row = Record<string, unknown>

/** Logs a table as the next version. */
export function log(experiment: Experiment, value: unknown, name = 'train'): Promise<LoggedArtifact> {
  return experiment.uploadArtifact(name, Array.isArray(value) ? table(value) : value)
}

/** What changed in the only table of two versions. */
export async function tableDiff(
  before: LoggedArtifact,
  after: LoggedArtifact,
  options?: TableDiffOptions,
): Promise<TableDiff> {
  const { changed } = await before.diff(after)
  const found = await changed[0]?.table(options)
  if (changed.length !== 1 || found === undefined) throw new Error(`expected one changed table, not ${changed.length}`)
  return found
}

/** All rows that differ, as they stream; and that they are counted as they are listed. */
export async function allRows(before: LoggedArtifact, after: LoggedArtifact, options: RowMatch = {}) {
  const { changed } = await before.diff(after)
  const rows: RowChange[] = []
  for await (const row of changed[0]?.rows(options) ?? []) rows.push(row)
  const counted = await changed[0]?.table({ ...options, limit: Number.POSITIVE_INFINITY })
  if (counted && !isDeepStrictEqual(counted.rows, rows)) throw new Error('listed and streamed rows differ')
  return { rows, counted }
}

/** The old rows with what a diff by position says done to them. */
export function applied(old: readonly Row[], { rows, rowsAfter }: Pick<TableDiff, 'rows' | 'rowsAfter'>): Row[] {
  const kept: (Row | undefined)[] = old.map((row) => ({ ...row }))
  const inserted = new Map<number, Row>()
  const landed = new Map<Row, number>()
  for (const row of rows) {
    if (row.change === 'removed') {
      if (!isDeepStrictEqual(kept[row.before], row.values))
        throw new Error(`row ${row.before} was not ${JSON.stringify(row.values)}`)
      kept[row.before] = undefined
    } else if (row.change === 'added') inserted.set(row.after, row.values)
    else {
      const target = kept[row.before]
      if (target === undefined) throw new Error(`row ${row.before} is gone and changed`)
      for (const [name, { before, after }] of Object.entries(row.cells)) {
        if (!isDeepStrictEqual(target[name], before)) throw new Error(`row ${row.before} had no such ${name}`)
        target[name] = after
      }
      landed.set(target, row.after)
    }
  }
  const rest = kept.filter((row) => row !== undefined)
  const result = Array.from({ length: rowsAfter }, (_, at) => inserted.get(at) ?? rest.shift() ?? {})
  for (const [row, at] of landed) if (result[at] !== row) throw new Error(`a changed row is not at ${at}`)
  return result
}

/** The old rows by their key with what a diff by key says done to them. */
export function appliedByKey(old: readonly Row[], { rows }: Pick<TableDiff, 'rows'>, key: string): Map<unknown, Row> {
  const kept = new Map(old.map((row) => [row[key], { ...row }]))
  for (const row of rows) {
    const one = row.key?.[key]
    if (row.change === 'removed') kept.delete(one)
    else if (row.change === 'added') kept.set(one, { ...row.values })
    else {
      const target = kept.get(one)
      if (target === undefined) throw new Error(`no row has the key ${String(one)}`)
      for (const [name, { after }] of Object.entries(row.cells)) target[name] = after
    }
  }
  return kept
}

/** Rows of many types; the same for the same seed. */
export function mixedRows(count: number, seed = 1): Row[] {
  let state = seed
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return Array.from({ length: count }, (_, id) => ({
    id,
    score: random() < 0.05 ? null : random() < 0.05 ? Number.NaN : random(),
    label: `label ${Math.floor(random() * 12)}`,
    text: `${random().toString(36).slice(2)} ${random().toString(36).slice(2)}`,
    ok: random() < 0.1 ? null : random() < 0.5,
    at: new Date(1.6e12 + Math.floor(random() * 1e9)),
    tags: Array.from({ length: Math.floor(random() * 3) }, () => `t${Math.floor(random() * 5)}`),
    place: { x: Math.floor(random() * 9), name: random() < 0.3 ? null : `p${Math.floor(random() * 4)}` },
  }))
}

/** A table in batches of a few rows each, in memory: as many batches as a large one has. */
export async function stored(value: unknown, begins: (row: number) => boolean): Promise<ComparableTable> {
  const plan = { plain: new Set<string>(), dictionaries: [] }
  const { columns, rows, metadata } = await readTable(value, plan)
  const starts = [0, ...Array.from({ length: rows }, (_, row) => row).filter((row) => row > 0 && begins(row)), rows]
  const ofArrow = await arrowLayouts(columns)
  const bytes = await collect(streamTable({ columns, dictionaries: plan.dictionaries, ofArrow, metadata, starts }))
  return storedBytes(bytes)
}

export async function storedBytes(bytes: Uint8Array): Promise<ComparableTable> {
  const asset = {
    size: bytes.length,
    range: async (start: number, end: number) => bytes.subarray(start, end),
    async *stream() {
      // Cut where nothing begins or ends.
      for (let at = 0; at < bytes.length; at += 1009) yield bytes.subarray(at, at + 1009)
    },
  }
  const { messages, batches } = await scanTable('a table', asset, (part) =>
    createHash('sha256').update(part).digest('hex'),
  )
  return {
    what: 'a table',
    messages,
    tokens: batches.map(({ pieces }) => pieces.map(({ token }) => token)),
    batches: batches.map(({ rows, start, pieces }) => ({
      rows,
      pieces: async () => pieces,
      read: async (wanted) =>
        wanted.map((piece) => {
          const from = start + pieces.slice(0, piece).reduce((sum, { size }) => sum + size, 0)
          return bytes.subarray(from, from + pieces[piece].size)
        }),
    })),
  }
}
