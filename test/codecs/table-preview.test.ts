import * as arrow from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { encodeTable, makeRows } from './table-support.ts'

async function preview(value: unknown) {
  return (await encodeTable(value)).preview
}

async function summary(value: unknown, column = 0): Promise<unknown> {
  const columns = (await preview(value))?.columns
  return Array.isArray(columns) ? columns[column] : undefined
}

describe('the preview of a table', () => {
  it('has its schema, row count, a summary of each column and the first rows', async () => {
    expect(
      await preview([
        { n: 1, s: 'b', ok: true, at: new Date(0) },
        { n: 2, s: 'a', ok: null, at: new Date(1000) },
        { n: null, s: 'b', ok: false, at: null },
      ]),
    ).toEqual({
      kind: 'table',
      rows: 3,
      columnCount: 4,
      columns: [
        { name: 'n', type: 'Float64', nulls: 1, min: 1, max: 2, mean: 1.5, distinct: 2 },
        {
          name: 's',
          type: 'Utf8',
          nulls: 0,
          min: 'a',
          max: 'b',
          distinct: 2,
          top: [
            { value: 'b', count: 2 },
            { value: 'a', count: 1 },
          ],
        },
        { name: 'ok', type: 'Bool', nulls: 1, true: 1, false: 1 },
        {
          name: 'at',
          type: 'Timestamp<MILLISECOND, UTC>',
          nulls: 1,
          min: '1970-01-01T00:00:00.000Z',
          max: '1970-01-01T00:00:01.000Z',
          distinct: 2,
        },
      ],
      head: [
        [1, 'b', true, '1970-01-01T00:00:00.000Z'],
        [2, 'a', null, '1970-01-01T00:00:01.000Z'],
        [null, 'b', false, null],
      ],
    })
  })

  it('shows intervals by their parts, as get gives them', async () => {
    const type = new arrow.IntervalDayTime()
    const interval = arrow.vectorFromArray([Int32Array.of(2, -500), null], type)
    expect(await preview(new arrow.Table({ interval }))).toMatchObject({ head: [[[2, -500]], [null]] })
  })

  it('of an empty table, and of nothing but nulls, has no numbers', async () => {
    expect(await preview([])).toEqual({ kind: 'table', rows: 0, columnCount: 0, columns: [], head: [] })
    expect(await preview({ a: [], b: new Float64Array(0) })).toEqual({
      kind: 'table',
      rows: 0,
      columnCount: 2,
      columns: [
        { name: 'a', type: 'Null', nulls: 0 },
        { name: 'b', type: 'Float64', nulls: 0, distinct: 0 },
      ],
      head: [],
    })
    expect(await summary([{ a: null }])).toEqual({ name: 'a', type: 'Null', nulls: 1 })
  })

  it('is JSON whatever the numbers are', async () => {
    expect(await summary({ a: Float64Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY) })).toMatchObject({
      nan: 1,
      min: 1,
      max: 'Infinity',
      mean: 'Infinity',
      distinct: 3,
    })
    expect(await summary({ a: [Number.NaN] })).toEqual({ name: 'a', type: 'Float64', nulls: 0, nan: 1, distinct: 1 })
    expect(await summary({ a: BigInt64Array.of(-5n, 2n ** 40n) })).toMatchObject({ min: -5, max: 2 ** 40 })
    expect(await summary({ a: BigUint64Array.of(2n ** 63n) })).toMatchObject({ min: '9223372036854775808' })
    const half = arrow.vectorFromArray([0.5, null, 2], new arrow.Float16())
    expect(await summary({ a: half })).toMatchObject({ nulls: 1, min: 0.5, max: 2, mean: 1.25 })
  })

  it('counts distinct values exactly up to a thousand', async () => {
    const values = Array.from({ length: 5000 }, (_, index) => index)
    expect(await summary({ a: values.map((value) => value % 1000) })).toMatchObject({ distinct: 1000 })
    expect(await summary({ a: values })).toMatchObject({ distinctAtLeast: 1001 })
    expect(await summary({ a: values.map((value) => `v${value % 1000}`) })).toMatchObject({
      distinct: 1000,
      min: 'v0',
      max: 'v999',
    })
    expect(await summary({ a: values.map(String) })).toEqual({
      name: 'a',
      type: 'Utf8',
      nulls: 0,
      distinctAtLeast: 1001,
    })
    const coded = arrow.vectorFromArray(['b', 'a', null, 'b'], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8()))
    expect(await summary({ a: coded })).toMatchObject({
      nulls: 1,
      distinct: 2,
      top: [
        { value: 'b', count: 2 },
        { value: 'a', count: 1 },
      ],
    })
  })

  it('sees only the rows of a slice', async () => {
    const table = new arrow.Table({
      a: arrow.vectorFromArray([1, null, 3, 4, null], new arrow.Int32()),
      b: arrow.vectorFromArray([true, false, true, null, true], new arrow.Bool()),
    })
    const sliced = table.slice(1, 4)
    expect(await summary(sliced)).toEqual({
      name: 'a',
      type: 'Int32',
      nulls: 1,
      min: 3,
      max: 4,
      mean: 3.5,
      distinct: 2,
    })
    expect(await summary(sliced, 1)).toEqual({ name: 'b', type: 'Bool', nulls: 1, true: 1, false: 1 })
  })

  it('stays small: long text is cut, many columns only counted', async () => {
    const long = await preview([{ a: '🌷'.repeat(1000), b: ['x'.repeat(500), 2].map(String), c: new Uint8Array(9) }])
    expect(JSON.stringify(long).length).toBeLessThan(1500)
    expect(JSON.stringify(await preview(makeRows(10_000))).length).toBeLessThan(4096)
    const wide = await preview([
      Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`column ${index}`, index])),
    ])
    expect(wide).toMatchObject({ columnCount: 5000 })
    expect(JSON.stringify(wide).length).toBeLessThan(16_384)
  })

  it('is exact at both ends of whole numbers that no JavaScript number holds', async () => {
    const first = 2n ** 53n + 1n
    const near = BigInt64Array.of(first + 2n, first, -first, 5n, -first - 2n)
    expect(await summary({ a: near })).toMatchObject({ min: `${-first - 2n}`, max: `${first + 2n}` })
    const table = new arrow.Table({
      a: arrow.vectorFromArray([null, 2n ** 63n + 1n, 2n ** 63n + 3n], new arrow.Uint64()),
    })
    expect(await summary(table)).toMatchObject({ nulls: 1, min: `${2n ** 63n + 1n}`, max: `${2n ** 63n + 3n}` })
  })

  it('tells times before 1970 by the millisecond they are in', async () => {
    const type = new arrow.TimestampMicrosecond()
    const data = arrow.makeData({ type, data: BigInt64Array.of(-1n, -1_500n), length: 2 })
    expect(await preview(new arrow.Table({ a: new arrow.Vector([data]) }))).toMatchObject({
      columns: [{ min: '1969-12-31T23:59:59.998Z', max: '1969-12-31T23:59:59.999Z' }],
      head: [['1969-12-31T23:59:59.999Z'], ['1969-12-31T23:59:59.998Z']],
    })
  })

  it('counts texts that begin alike apart, in dictionaries and out of them', async () => {
    const long = 'the same beginning '.repeat(8)
    const texts = [`${long}a`, `${long}b`, `${long}b`]
    const shown = `${long.slice(0, 80)}…`
    const wanted = {
      distinct: 2,
      top: [
        { value: shown, count: 2 },
        { value: shown, count: 1 },
      ],
    }
    expect(await summary({ a: texts })).toMatchObject(wanted)
    expect(
      await summary({ a: arrow.vectorFromArray(texts, new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())) }),
    ).toMatchObject(wanted)
    expect(await summary({ a: arrow.vectorFromArray(texts, new arrow.LargeUtf8()) })).toMatchObject({
      ...wanted,
      min: shown,
    })
  })

  it('counts what is used of a large dictionary', async () => {
    const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())
    const dictionary = arrow.vectorFromArray(
      Array.from({ length: 3000 }, (_, at) => `v${at}`),
      new arrow.Utf8(),
    )
    const coded = (indices: Int32Array) =>
      new arrow.Table({
        a: new arrow.Vector([arrow.makeData({ type, dictionary, data: indices, length: indices.length })]),
      })
    expect(await summary(coded(Int32Array.of(7, 7, 2000)))).toMatchObject({
      distinct: 2,
      top: [
        { value: 'v7', count: 2 },
        { value: 'v2000', count: 1 },
      ],
    })
    expect(await summary(coded(Int32Array.from({ length: 3000 }, (_, at) => at)))).toMatchObject({
      distinctAtLeast: 1001,
    })
  })

  it('counts the texts of a dictionary that is too large to stay one', async () => {
    const few = (at: number) => (at < 5000 ? `v${at}` : null)
    const column = arrow.vectorFromArray(
      Array.from({ length: 6000 }, (_, at) => few(at)),
      new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()),
    )
    expect(await summary({ a: column })).toEqual({ name: 'a', type: 'Utf8', nulls: 1000, distinctAtLeast: 1001 })
  })

  it('summarises texts that come as views', async () => {
    const views = new arrow.Table({
      v: arrow.vectorFromArray(['b', null, 'a text of more than twelve bytes', 'b'], new arrow.Utf8View()),
    })
    expect(await summary(views)).toEqual({
      name: 'v',
      type: 'Utf8View',
      nulls: 1,
      min: 'a text of more than twelve bytes',
      max: 'b',
      distinct: 2,
      top: [
        { value: 'b', count: 2 },
        { value: 'a text of more than twelve bytes', count: 1 },
      ],
    })
  })
})
