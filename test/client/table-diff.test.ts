import { isDeepStrictEqual } from 'node:util'
import * as arrow from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diffTables } from '../../src/client/diff/table-diff.ts'
import { Artifact, file, type TableDiffOptions, table, text } from '../../src/index.ts'
import { allRows, applied, appliedByKey, log, mixedRows, type Row, stored, tableDiff } from './table-diff-support.ts'
import { begin, untyped } from './world.ts'

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
      { numRuns: 6 },
    )
  }, 300_000)

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
      { numRuns: 6 },
    )
  }, 300_000)

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
      { numRuns: 100 },
    )
  }, 300_000)

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
  }, 300_000)

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

describe('tables at their edges', () => {
  const compare = async (old: unknown, fresh: unknown, options: TableDiffOptions = {}) => {
    const never = () => false
    return diffTables({ before: await stored(old, never), after: await stored(fresh, never) }, options)
  }

  it('to and from a table without rows, and without columns', async () => {
    const rows = [{ a: 1 }, { a: 2 }]
    const empty = { a: new Float64Array(0) }
    expect(await compare(empty, rows)).toMatchObject({ rowsBefore: 0, rowsAfter: 2, added: 2, columns: none })
    expect(await compare(rows, empty)).toMatchObject({ removed: 2, rows: [{ values: { a: 1 } }, { values: { a: 2 } }] })
    expect(await compare(empty, empty)).toMatchObject({ added: 0, removed: 0, rows: [] })
    expect(await compare([], rows)).toMatchObject({ added: 2, columns: { added: [{ name: 'a', type: 'Float64' }] } })
    expect(await compare(rows, [])).toMatchObject({
      removed: 2,
      columns: { removed: [{ name: 'a', type: 'Float64' }] },
    })
    expect(await compare(empty, rows, { key: 'a' })).toMatchObject({ key: ['a'], added: 2 })
    expect(await compare({ a: [] }, rows)).toMatchObject({
      columns: { retyped: [{ name: 'a', before: 'Null', after: 'Float64' }] },
      added: 2,
    })
  })

  it('NaN is like NaN and not like null; 0 and -0 differ', async () => {
    const other = new Float64Array(1)
    new BigUint64Array(other.buffer)[0] = 0x7ff800000000000fn
    expect(other[0]).toBeNaN()
    expect(await compare({ a: Float64Array.of(Number.NaN, 0) }, { a: Float64Array.of(other[0], -0) })).toMatchObject({
      changed: 1,
      rows: [{ after: 1, cells: { a: { before: 0, after: -0 } } }],
    })
    const bits = { a: other }
    expect(await compare({ a: Float64Array.of(Number.NaN) }, bits)).toMatchObject({ changed: 0 })
    expect(await compare({ a: [Number.NaN, 1] }, { a: [null, 1] })).toMatchObject({
      rows: [{ before: 0, cells: { a: { before: Number.NaN, after: null } } }],
    })
  })

  it('a text that begins with U+FEFF, as first headers of CSV files do, is another text', async () => {
    const names = await compare([{ '\ufeffid': 1 }], [{ id: 1 }])
    expect(names.columns.renamed).toMatchObject([{ from: '\ufeffid', to: 'id' }])
    const [before, after] = [
      [{ id: '\ufeffx' }, { id: 'x' }],
      [{ id: '\ufeffx' }, { id: 'y' }],
    ]
    const cells = await compare(before, after, { key: 'id' })
    expect(cells.rows).toMatchObject([
      { change: 'removed', key: { id: 'x' } },
      { change: 'added', key: { id: 'y' } },
    ])
  })

  it('nested cells are compared and given whole', async () => {
    const old = [
      { id: 1, tags: ['a', 'b'], place: { x: 1, deep: { y: null } } },
      { id: 2, tags: [], place: { x: 2, deep: { y: 3 } } },
    ]
    const fresh = [old[0], { id: 2, tags: [null, 'c'], place: { x: 2, deep: { y: 4 } } }]
    expect((await compare(old, fresh)).rows).toEqual([
      {
        change: 'changed',
        before: 1,
        after: 1,
        cells: {
          tags: { before: [], after: [null, 'c'] },
          place: { before: { x: 2, deep: { y: 3 } }, after: { x: 2, deep: { y: 4 } } },
        },
      },
    ])
  })

  it('a column of another type is compared by what its cells mean', async () => {
    const found = await compare(
      { a: [1, 2, 3], b: ['x', 'y', 'z'], t: [new Date(0), new Date(1), null] },
      {
        a: BigInt64Array.of(1n, 2n, 4n),
        b: [1, 2, 3],
        t: new arrow.Table({ t: arrow.vectorFromArray([0, 1, null], new arrow.TimestampMicrosecond()) }).getChild('t'),
      },
    )
    expect(found.columns.retyped.map(({ name, before, after }) => [name, before, after])).toEqual([
      ['a', 'Float64', 'Int64'],
      ['b', 'Utf8', 'Float64'],
      ['t', 'Timestamp<MILLISECOND, UTC>', 'Timestamp<MICROSECOND>'],
    ])
    expect(found.cellsByColumn).toEqual({ a: 1, b: 3 })
    expect(found.rows[2]).toMatchObject({ cells: { a: { before: 3, after: 4n }, b: { before: 'z', after: 3 } } })
    const keyed = await compare({ id: [1, 2] }, { id: BigInt64Array.of(2n, 1n) }, { key: 'id' })
    expect(keyed).toMatchObject({ added: 0, removed: 0, changed: 0 })
  })

  it('rows are matched by several columns, and in any order', async () => {
    const row = (a: string, b: number, c: number) => ({ a, b, c })
    const old = [row('x', 1, 1), row('x', 2, 2), row('y', 1, 3)]
    const fresh = [row('y', 1, 3), row('x', 2, 7), row('y', 2, 4)]
    expect(await compare(old, fresh, { key: ['a', 'b'] })).toMatchObject({
      key: ['a', 'b'],
      rows: [
        { change: 'removed', before: 0, key: { a: 'x', b: 1 }, values: { a: 'x', b: 1, c: 1 } },
        { change: 'changed', before: 1, after: 1, key: { a: 'x', b: 2 }, cells: { c: { before: 2, after: 7 } } },
        { change: 'added', after: 2, key: { a: 'y', b: 2 } },
      ],
    })
  })

  it('a key that is repeated or missing is told', async () => {
    const old = [{ id: 1 }, { id: 2 }]
    const twice = [{ id: 1 }, { id: 2 }, { id: 2 }]
    await expect(compare(old, twice, { key: 'id' })).rejects.toMatchObject({
      code: 'key-repeated',
      message: expect.stringContaining('2 stands in rows 1 and 2'),
    })
    await expect(compare(twice, old, { key: 'id' })).rejects.toMatchObject({ code: 'key-repeated' })
    await expect(compare(old, twice, { key: 'ID' })).rejects.toMatchObject({
      code: 'key-column-missing',
      message: expect.stringContaining("Did you mean 'id'?"),
    })
    await expect(compare(old, [{ other: 'x' }], { key: 'id' })).rejects.toMatchObject({ code: 'key-column-missing' })
  })

  it('dictionaries: the same codes for other values are other cells, and new values at the end change nothing', async () => {
    const coded = (values: readonly (string | null)[], known: readonly string[]) => {
      const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), 0)
      const dictionary = arrow.vectorFromArray([...known], new arrow.Utf8())
      const indices = Int32Array.from(values, (value) => known.indexOf(value ?? known[0]))
      const nullBitmap = arrow.vectorFromArray([...values], new arrow.Utf8()).data[0].nullBitmap
      const data = arrow.makeData({ type, dictionary, data: indices, length: values.length, nullBitmap })
      return new arrow.Table({ c: new arrow.Vector([data]) })
    }
    const before = coded(['a', 'b', null, 'a'], ['a', 'b'])
    expect(await compare(before, coded(['a', 'b', null, 'a'], ['a', 'b', 'new']))).toMatchObject({ changed: 0 })
    expect(await compare(before, coded(['a', 'b', null, 'a'], ['b', 'a']))).toMatchObject({ changed: 0 })
    const swapped = coded(['b', 'a', null, 'b'], ['b', 'a'])
    expect(await compare(before, swapped)).toMatchObject({ changed: 3, cellsByColumn: { c: 3 } })
    expect(await compare(before, { c: ['a', 'b', null, 'x'] })).toMatchObject({
      columns: { retyped: [{ name: 'c', after: 'Utf8' }] },
      rows: [{ before: 3, cells: { c: { before: 'a', after: 'x' } } }],
    })
  })
})

describe('a path of a diff', () => {
  it('is a table, or an Arrow file, or has no rows', async () => {
    const { experiment } = await begin()
    const stream = (rows: Row[]) => arrow.tableToIPC(arrow.tableFromJSON(rows), 'stream')
    const filed = (rows: Row[]) => arrow.tableToIPC(arrow.tableFromJSON(rows), 'file')
    const rows = Array.from({ length: 50 }, (_, id) => ({ id, name: `n${id}` }))
    const other = rows.with(9, { id: 9, name: 'nine' })
    const log = async (first: Row[]) => {
      const artifact = new Artifact('files', 'dataset')
      await artifact.add(file(stream(first), { name: 'stream.arrow' }))
      await artifact.add(file(filed(first), { name: 'file.arrow' }))
      await artifact.add(file(filed(first), { name: 'other.feather' }))
      await artifact.add(table(first), { logicalPath: 'table.arrow' })
      await artifact.add(text(JSON.stringify(first)), { logicalPath: 'rows.txt' })
      return experiment.logArtifact(artifact)
    }
    const { changed } = await (await log(rows)).diff(await log(other))
    expect(changed.map(({ path }) => path)).toEqual([
      'file.arrow',
      'other.feather',
      'rows.txt',
      'stream.arrow',
      'table.arrow',
    ])
    for (const change of changed) {
      if (change.path === 'rows.txt') continue
      expect(await change.table({ key: 'id' })).toMatchObject({
        changed: 1,
        rows: [{ key: { id: 9 }, cells: { name: { before: 'n9', after: 'nine' } } }],
      })
    }
    expect(await changed[2].table()).toBeUndefined()
    await expect(changed[2].rows().next()).rejects.toMatchObject({ code: 'not-a-table' })
  })

  it('that claims to be Arrow and is not is an error that names it', async () => {
    const { experiment } = await begin()
    const log = async (text: string) => {
      const artifact = new Artifact('files', 'dataset')
      await artifact.add(file(new TextEncoder().encode(text), { name: 'bad.arrow' }))
      return experiment.logArtifact(artifact)
    }
    const { changed } = await (await log('not arrow')).diff(await log('not Arrow either'))
    await expect(changed[0].table()).rejects.toMatchObject({
      code: 'table-damaged',
      message: expect.stringContaining("'bad.arrow'"),
    })
  })

  it('refuses options that are not there or of another type', async () => {
    const { experiment } = await begin()
    const { changed } = await (await log(experiment, [{ a: 1 }])).diff(await log(experiment, [{ a: 2 }]))
    const [change] = changed
    await expect(change.table(untyped({ keys: 'a' }))).rejects.toMatchObject({ code: 'unknown-option' })
    await expect(change.table(untyped({ key: 7 }))).rejects.toMatchObject({ code: 'invalid-option' })
    await expect(change.table({ limit: -1 })).rejects.toMatchObject({ code: 'invalid-option' })
    await expect(change.rows(untyped({ limit: 1 })).next()).rejects.toMatchObject({ code: 'unknown-option' })
    await expect(change.table({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' })
  })

  it('takes the key the table was registered with, unless that is no key any more or was refused', async () => {
    const { experiment } = await begin()
    const rows: Row[] = Array.from({ length: 20 }, (_, id) => ({ id, score: id / 2 }))
    const watched = await experiment.registerArtifact('train', rows, { key: 'id', interval: 60_000 })
    const first = watched.latest
    rows.reverse()
    rows[0] = { ...rows[0], score: 7 }
    await watched.flush()
    const second = watched.latest
    rows[1] = { ...rows[0] }
    await watched.flush()
    const third = watched.latest
    if (!first || !second || !third) throw new Error('nothing was logged')
    expect(await tableDiff(first, second)).toMatchObject({ key: ['id'], added: 0, removed: 0, changed: 1 })
    expect(await tableDiff(first, second, { key: null })).toMatchObject({ key: null })
    expect(await tableDiff(second, third)).toMatchObject({ key: null, changed: 1, cells: 2 })
    await expect(tableDiff(second, third, { key: 'id' })).rejects.toMatchObject({ code: 'key-repeated' })
  })
})
