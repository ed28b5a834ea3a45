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
})
