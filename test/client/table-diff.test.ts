import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diffTables } from '../../src/client/table-diff.ts'
import { table } from '../../src/index.ts'
import { allRows, applied, appliedByKey, log, mixedRows, type Row, stored, tableDiff } from './table-diff-support.ts'
import { begin } from './world.ts'

const none = { added: [], removed: [], renamed: [], retyped: [], reordered: false }

/** An edit that can be done to rows of `mixedRows`. */
const edit = fc.oneof(
  fc.record({
    kind: fc.constant('cell' as const),
    at: fc.nat(),
    column: fc.constantFrom('score', 'label', 'text', 'ok', 'tags', 'place', 'at'),
  }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), count: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant('delete' as const), at: fc.nat(), count: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant('move' as const), at: fc.nat(), to: fc.nat() }),
  fc.record({ kind: fc.constant('column' as const), column: fc.constantFrom('score', 'label') }),
)

const others: Row = {
  score: Number.NaN,
  label: 'another',
  text: '',
  ok: null,
  tags: ['new', null],
  place: { x: -1, name: 'far' },
  at: new Date(0),
}

function edited(
  rows: readonly Row[],
  edits: readonly (typeof edit extends fc.Arbitrary<infer E> ? E : never)[],
): Row[] {
  let result = [...rows]
  let next = 1_000_000
  for (const one of edits) {
    const at = 'at' in one && result.length > 0 ? one.at % result.length : 0
    if (one.kind === 'cell' && result.length > 0) result[at] = { ...result[at], [one.column]: others[one.column] }
    if (one.kind === 'insert')
      result.splice(at, 0, ...mixedRows(one.count, at + 7).map((row) => ({ ...row, id: next++ })))
    if (one.kind === 'delete') result.splice(at, one.count)
    if (one.kind === 'move' && result.length > 0) result.splice(one.to % result.length, 0, ...result.splice(at, 1))
    if (one.kind === 'column')
      result = result.map((row, index) => ({
        ...row,
        [one.column]: one.column === 'score' ? index / 7 : `n${index % 5}`,
      }))
  }
  return result
}

describe('the difference of two tables', () => {
  it('done to the old rows gives the new ones, by position', async () => {
    const { experiment } = await begin()
    const base = mixedRows(5000)
    const before = await log(experiment, base)
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 8 }), async (edits) => {
        const wanted = edited(base, edits)
        const after = await experiment.uploadArtifact('train', table(wanted), { base: before })
        const { rows, counted } = await allRows(before, after)
        const got = applied(base, { rows, rowsAfter: wanted.length })
        expect(isDeepStrictEqual(got, wanted)).toBe(true)
        const { added = 0, removed = 0 } = counted ?? {}
        expect(added - removed).toBe(wanted.length - base.length)
      }),
      { numRuns: 10 },
    )
  }, 60_000)

  it('done to the old rows gives the new ones, by key', async () => {
    const { experiment } = await begin()
    const base = mixedRows(5000)
    const before = await log(experiment, base)
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 8 }), fc.boolean(), async (edits, shuffle) => {
        const wanted = edited(base, edits)
        if (shuffle) wanted.reverse()
        const after = await experiment.uploadArtifact('train', table(wanted), { base: before })
        const { rows } = await allRows(before, after, { key: 'id' })
        const got = appliedByKey(base, { rows }, 'id')
        expect(got.size).toBe(wanted.length)
        expect(wanted.every((row) => isDeepStrictEqual(got.get(row.id), row))).toBe(true)
      }),
      { numRuns: 10 },
    )
  }, 60_000)

  it('is right for many small batches, by position and by key, with columns rewritten and rows moved', async () => {
    const base = mixedRows(300)
    const cut = (rows: readonly Row[]) => stored(rows, (row) => Number(rows[row]?.id) % 7 === 0)
    const before = await cut(base)
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 12 }), async (edits) => {
        const wanted = edited(base, edits)
        const tables = { before, after: await cut(wanted) }
        const placed = await diffTables(tables, { limit: Number.POSITIVE_INFINITY })
        expect(isDeepStrictEqual(applied(base, placed), wanted)).toBe(true)
        const keyed = await diffTables(tables, { key: 'id', limit: Number.POSITIVE_INFINITY })
        const got = appliedByKey(base, keyed, 'id')
        expect(got.size).toBe(wanted.length)
        expect(wanted.every((row) => isDeepStrictEqual(got.get(row.id), row))).toBe(true)
        // Rows that only moved are the same rows.
        expect(keyed.added - keyed.removed).toBe(wanted.length - base.length)
      }),
      { numRuns: 150 },
    )
  }, 60_000)

  it('of small tables with few values is right, whatever they are', async () => {
    const { experiment } = await begin()
    const table = fc.array(
      fc.record({ a: fc.constantFrom('x', 'y', null), b: fc.constantFrom(1, 2, Number.NaN, null) }),
      {
        maxLength: 12,
      },
    )
    let name = 0
    await fc.assert(
      fc.asyncProperty(table, table, async (old, fresh) => {
        name += 1
        // A typed first row, so that a column of nothing but nulls keeps its type.
        const [one, two] = [old, fresh].map((rows) => [{ a: 'first', b: 0 }, ...rows.map((row) => ({ ...row }))])
        const before = await log(experiment, one, `small${name}`)
        const after = await log(experiment, two, `small${name}`)
        const { rows } = await allRows(before, after)
        expect(isDeepStrictEqual(applied(one, { rows, rowsAfter: two.length }), two)).toBe(true)
      }),
      { numRuns: 60 },
    )
  }, 60_000)

  it('a row inserted in the middle of 100,000 is one row added, one deleted is one removed', async () => {
    const { experiment } = await begin()
    const rows = Array.from({ length: 100_000 }, (_, id) => ({ id, score: Math.sin(id), label: `l${id % 20}` }))
    const fresh = { id: -1, score: 0.5, label: 'x' }
    const before = await log(experiment, rows)
    const after = await log(experiment, rows.toSpliced(50_000, 0, fresh))
    expect(await tableDiff(before, after)).toEqual({
      key: null,
      columns: none,
      rowsBefore: 100_000,
      rowsAfter: 100_001,
      added: 1,
      removed: 0,
      changed: 0,
      cells: 0,
      cellsByColumn: {},
      rows: [{ change: 'added', after: 50_000, values: fresh }],
    })
    expect(await tableDiff(after, before, { key: 'id' })).toMatchObject({
      key: ['id'],
      removed: 1,
      added: 0,
      changed: 0,
      rows: [{ change: 'removed', before: 50_000, key: { id: -1 }, values: fresh }],
    })
  })

  it('finds the inserted row although a column was rewritten too, and where no value tells rows apart', async () => {
    const { experiment } = await begin()
    const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, score: Math.sin(id), ok: id % 3 === 0 }))
    const before = await log(experiment, rows)
    const rewritten = rows.map((row) => ({ ...row, score: row.score * 2 + 1 }))
    const after = await log(experiment, rewritten.toSpliced(7000, 0, { id: -1, score: 0, ok: false }))
    expect(await tableDiff(before, after, { limit: 0 })).toMatchObject({
      added: 1,
      removed: 0,
      changed: 20_000,
      cellsByColumn: { score: 20_000 },
      rows: [],
    })
    const flags = Array.from({ length: 20_000 }, (_, at) => ({ ok: at % 3 === 0, bad: Math.sin(at * at) > 0 }))
    const old = await log(experiment, flags, 'flags')
    const fresh = await log(experiment, flags.toSpliced(9000, 0, { ok: true, bad: true }), 'flags')
    expect(await tableDiff(old, fresh)).toMatchObject({ added: 1, removed: 0, changed: 0 })
  })

  it('a row deleted here and another inserted there are not rows that changed', async () => {
    const { experiment } = await begin()
    const rows = Array.from({ length: 20_000 }, (_, at) => ({ score: Math.sin(at), text: `text ${at * at}` }))
    const before = await log(experiment, rows)
    const after = await log(experiment, rows.toSpliced(9000, 1).toSpliced(9010, 0, { score: 7, text: 'new' }))
    expect(await tableDiff(before, after)).toMatchObject({ added: 1, removed: 1, changed: 0 })
  })

  it('tells columns that were added, removed, renamed, retyped and moved', async () => {
    const { experiment } = await begin()
    const rows = Array.from({ length: 3000 }, (_, id) => ({
      id,
      score: Math.sin(id),
      label: `l${id % 20}`,
      old: `o${id}`,
    }))
    const before = await log(experiment, rows)
    const changed = await log(
      experiment,
      table({
        label: rows.map(({ label }) => label),
        id: Int32Array.from(rows, ({ id }) => id),
        loss: rows.map(({ score }, at) => (at === 5 ? 9 : score)),
        fresh: rows.map(() => new Date(0)),
      }),
    )
    expect(await tableDiff(before, changed)).toMatchObject({
      columns: {
        added: [{ name: 'fresh', type: 'Timestamp<MILLISECOND, UTC>' }],
        removed: [{ name: 'old', type: 'Utf8' }],
        renamed: [{ from: 'score', to: 'loss', type: 'Float64' }],
        retyped: [{ name: 'id', before: 'Float64', after: 'Int32' }],
        reordered: true,
      },
      added: 0,
      removed: 0,
      changed: 1,
      rows: [{ change: 'changed', before: 5, after: 5, cells: { loss: { before: Math.sin(5), after: 9 } } }],
    })
  })
})
