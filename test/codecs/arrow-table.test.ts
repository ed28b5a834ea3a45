import * as arrow from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { tableOfStream } from '../../src/codecs/arrow/arrow-table.ts'
import { tableOfBytes } from '../../src/codecs/table/table-bytes.ts'
import { valuesOf } from './table-support.ts'

const texts = ['iris', null, '', 'a text that is longer than twelve bytes']
const dictionary = () => new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())
const list = (type: arrow.DataType) => new arrow.List(new arrow.Field('item', type, true))
const pair = new arrow.Struct([
  new arrow.Field('a', new arrow.Int32(), true),
  new arrow.Field('b', new arrow.Utf8(), true),
])

const columns: Record<string, arrow.Vector> = {
  nothing: arrow.vectorFromArray([null, null, null, null], new arrow.Null()),
  yes: arrow.vectorFromArray([true, null, false, true], new arrow.Bool()),
  small: arrow.vectorFromArray([1, -1, null, 127], new arrow.Int8()),
  large: arrow.vectorFromArray([1n, null, -(2n ** 63n), 2n ** 63n - 1n], new arrow.Int64()),
  half: arrow.vectorFromArray([1, null, 0.5, -2], new arrow.Float16()),
  real: arrow.vectorFromArray([1.5, Number.NaN, null, Number.NEGATIVE_INFINITY], new arrow.Float64()),
  text: arrow.vectorFromArray(texts, new arrow.Utf8()),
  longText: arrow.vectorFromArray(texts, new arrow.LargeUtf8()),
  view: arrow.vectorFromArray(texts, new arrow.Utf8View()),
  bytes: arrow.vectorFromArray([new Uint8Array(3), null, new Uint8Array(0), Uint8Array.of(9)], new arrow.Binary()),
  fixed: arrow.vectorFromArray([Uint8Array.of(1, 2), null, Uint8Array.of(3, 4), null], new arrow.FixedSizeBinary(2)),
  decimal: arrow.vectorFromArray([Uint32Array.of(1, 0, 0, 0), null, null, null], new arrow.Decimal(2, 9)),
  day: arrow.vectorFromArray([new Date(0), null, new Date(864e5), null], new arrow.DateDay()),
  time: arrow.vectorFromArray([1, 2, null, 4], new arrow.TimeMillisecond()),
  stamp: arrow.vectorFromArray([new Date(1), null, new Date(2), null], new arrow.TimestampMillisecond('UTC')),
  span: arrow.vectorFromArray([1n, null, 3n, 4n], new arrow.DurationSecond()),
  month: arrow.vectorFromArray([1, null, 14, 25], new arrow.IntervalYearMonth()),
  word: arrow.vectorFromArray(['a', 'b', null, 'a'], dictionary()),
  words: arrow.vectorFromArray([['a'], [], null, ['b', null]], list(dictionary())),
  list: arrow.vectorFromArray([[1, null], null, [], [4]], list(new arrow.Int32())),
  three: arrow.vectorFromArray(
    [[1, 2], null, [3, 4], [5, 6]],
    new arrow.FixedSizeList(2, new arrow.Field('item', new arrow.Int16(), true)),
  ),
  pair: arrow.vectorFromArray([{ a: 1, b: 'x' }, null, { a: null, b: 'y' }, { a: 4, b: null }], pair),
  pairs: arrow.vectorFromArray([[{ a: 1, b: 'x' }], null, [], [null]], list(pair)),
  map: arrow.vectorFromArray(
    [new Map([['k', 1]]), null, new Map(), new Map([['l', 2]])],
    new arrow.Map_(
      new arrow.Field(
        'entries',
        new arrow.Struct<{ key: arrow.Utf8; value: arrow.Float64 }>([
          new arrow.Field('key', new arrow.Utf8()),
          new arrow.Field<arrow.Utf8 | arrow.Float64>('value', new arrow.Float64(), true),
        ]),
      ),
    ),
  ),
}

const all = new arrow.Table(columns)

/** What apache-arrow's own reader makes of the bytes, and what ours does. */
function bothOf(bytes: Uint8Array): [arrow.Table, arrow.Table] {
  return [tableOfStream(bytes), arrow.tableFromIPC(bytes)]
}

describe('a stream', () => {
  it.each(Object.keys(columns))('with a column of each type, as apache-arrow reads it: %s', (name) => {
    const [ours, theirs] = bothOf(arrow.tableToIPC(all.select([name])))
    expect(String(ours.schema)).toBe(String(theirs.schema))
    expect(valuesOf(ours)).toEqual(valuesOf(theirs))
    expect(ours.getChild(name)?.nullCount).toBe(theirs.getChild(name)?.nullCount)
    expect(ours.toString()).toBe(theirs.toString())
  })

  it('is a table of apache-arrow like any other', () => {
    const [ours] = bothOf(arrow.tableToIPC(all))
    expect(ours).toBeInstanceOf(arrow.Table)
    expect(ours.slice(1, 3).numRows).toBe(2)
    expect(arrow.tableFromIPC(arrow.tableToIPC(ours)).toString()).toBe(all.toString())
    expect(valuesOf(ours.concat(ours)).text).toEqual([...texts, ...texts])
  })

  it('of no rows, and of no columns', () => {
    for (const table of [all.slice(0, 0), new arrow.Table(new arrow.Schema([]))]) {
      const [ours, theirs] = bothOf(arrow.tableToIPC(table))
      expect(ours.numRows).toBe(0)
      expect(String(ours.schema)).toBe(String(theirs.schema))
      expect(ours.toArray()).toEqual([])
    }
  })

  it('of several batches, whose dictionary grows or is replaced', () => {
    const batch = (words: string[], type: arrow.Dictionary) =>
      new arrow.Table({ word: arrow.vectorFromArray(words, type) }).batches[0]
    const grown = dictionary()
    const first = batch(['a', 'b'], grown)
    for (const second of [batch(['a', 'b', 'c'], grown), batch(['z', 'y'], grown)]) {
      const writer = new arrow.RecordBatchStreamWriter()
      writer.write(first)
      writer.write(second)
      const [ours, theirs] = bothOf(writer.finish().toUint8Array(true))
      expect(ours.batches.length).toBe(2)
      expect(valuesOf(ours)).toEqual(valuesOf(theirs))
    }
  })

  it('without its end, or with more behind it, is refused', () => {
    const bytes = arrow.tableToIPC(all)
    expect(() => tableOfStream(bytes.subarray(0, -8))).toThrow(RangeError)
    expect(() => tableOfStream(Uint8Array.of(...bytes, ...new Uint8Array(8)))).toThrow('left over')
  })
})

describe('bytes that another library gave', () => {
  it.each(['stream', 'file'] as const)('as a %s, from any offset', async (format) => {
    const bytes = arrow.tableToIPC(all, format)
    const shifted = new Uint8Array(bytes.length + 3).subarray(3)
    shifted.set(bytes)
    expect(valuesOf(await tableOfBytes(shifted, 'toIPC'))).toEqual(valuesOf(arrow.tableFromIPC(bytes)))
  })

  it('may lack the end of the stream', async () => {
    const table = await tableOfBytes(arrow.tableToIPC(all).subarray(0, -8), 'toIPC')
    expect(table.numRows).toBe(4)
  })

  it('are refused when they are no table, naming the method', async () => {
    const bytes = arrow.tableToIPC(all)
    for (const wrong of [new Uint8Array(0), new Uint8Array(64), bytes.subarray(0, bytes.length - 100)])
      await expect(tableOfBytes(wrong, 'toIPC')).rejects.toMatchObject({
        code: 'not-a-table',
        message: expect.stringContaining('toIPC()'),
      })
  })
})
