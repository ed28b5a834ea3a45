import * as arrow from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exactCell } from '../../src/codecs/table/table-exact.ts'
import { TableReader } from '../../src/codecs/table/table-reader.ts'
import { RowHashes } from '../../src/codecs/table/table-row-hash.ts'
import { sameCell } from '../../src/codecs/table/table-same.ts'
import { isTidemarkError } from '../../src/errors.ts'
import { stored, storedBytes } from '../client/table-diff-support.ts'
import { encodeTable, makeRows } from './table-support.ts'

async function columnOf(value: unknown, name: string, begins: (row: number) => boolean = () => false) {
  const reader = new TableReader(await stored({ [name]: value }, begins))
  return readAll(reader, 0)
}

async function readAll(reader: TableReader, column: number): Promise<unknown[]> {
  const cells: unknown[] = []
  for (let index = 0; index < reader.batches.length; index += 1) {
    const batch = await reader.open(index)
    await batch.load([column])
    for (let row = 0; row < batch.rows; row += 1) cells.push(exactCell(batch.column(column), row))
  }
  return cells
}

const vector = <Type extends arrow.DataType>(type: Type, data: Partial<arrow.Data<Type>> & { data?: unknown }) =>
  new arrow.Vector([arrow.makeData(Object.assign({ type }, data))])

describe('cells in full', () => {
  it.each<[string, unknown, unknown[]]>([
    ['numbers', [1.5, null, Number.NaN, -0], [1.5, null, Number.NaN, -0]],
    ['small integers', Int8Array.of(-1, 2), [-1, 2]],
    ['large integers', BigUint64Array.of(2n ** 64n - 1n), [2n ** 64n - 1n]],
    ['halves', arrow.vectorFromArray([0.5, null], new arrow.Float16()), [0.5, null]],
    ['text', ['a', '', null, '🌷'.repeat(100)], ['a', '', null, '🌷'.repeat(100)]],
    ['bytes', [Uint8Array.of(1, 2), null], [Uint8Array.of(1, 2), null]],
    ['booleans', [true, null, false], [true, null, false]],
    ['dates', [new Date(5), null], [new Date(5), null]],
    ['days', arrow.vectorFromArray([new Date(86_400_000)], new arrow.DateDay()), [new Date(86_400_000)]],
    ['lists', [[1, null], [], null], [[1, null], [], null]],
    ['structs', [{ a: 1, b: { c: 'x' } }, null], [{ a: 1, b: { c: 'x' } }, null]],
    ['nothing', [null, null], [null, null]],
    [
      'microseconds',
      vector(new arrow.TimestampMicrosecond(), { data: BigInt64Array.of(-1n, 1_600_000_000_123_456n), length: 2 }),
      ['1969-12-31T23:59:59.999999Z', '2020-09-13T12:26:40.123456Z'],
    ],
    [
      'nanoseconds',
      vector(new arrow.TimestampNanosecond(), { data: BigInt64Array.of(1n, 2n ** 62n), length: 2 }),
      ['1970-01-01T00:00:00.000000001Z', '2116-02-20T23:53:38.427387904Z'],
    ],
    ['times', vector(new arrow.TimeMillisecond(), { data: Int32Array.of(7), length: 1 }), [7]],
    [
      'decimals',
      vector(new arrow.Decimal(2, 10, 128), { data: Uint32Array.of(12345, 0, 0, 0), length: 1 }),
      ['123.45'],
    ],
    [
      'maps',
      arrow.vectorFromArray(
        [new Map([['a', 1]])],
        new arrow.Map_<arrow.Utf8, arrow.Int32>(
          new arrow.Field(
            'entries',
            new arrow.Struct<{ key: arrow.Utf8; value: arrow.Int32 }>([
              new arrow.Field('key', new arrow.Utf8()),
              new arrow.Field('value', new arrow.Int32()),
            ]),
          ),
        ),
      ),
      [[['a', 1]]],
    ],
    [
      'dictionaries',
      arrow.vectorFromArray(['b', 'a', null, 'b'], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())),
      ['b', 'a', null, 'b'],
    ],
  ])('%s', async (_, value, cells) => {
    expect(await columnOf(value, 'c')).toEqual(cells)
    expect(await columnOf(value, 'c', (row) => row % 2 === 1)).toEqual(cells)
  })

  it('are equal, and hash alike, just when they hold the same', async () => {
    const cell = fc.oneof(
      fc.constant(null),
      fc.record({
        n: fc.constantFrom(1, 2, Number.NaN, null),
        t: fc.array(fc.constantFrom('a', 'b', null), { maxLength: 3 }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(cell, { minLength: 2, maxLength: 8 }), async (cells) => {
        const typed = [{ n: 0, t: ['x'] }, ...cells.map((one) => one && { ...one })]
        const reader = new TableReader(await stored({ c: typed }, () => false))
        const batch = await reader.open(0)
        await batch.load([0])
        const column = batch.column(0)
        const hashes = new RowHashes(typed.length)
        hashes.add(column, 0, typed.length, 0)
        for (let a = 0; a < typed.length; a += 1) {
          for (let b = 0; b < typed.length; b += 1) {
            const same =
              JSON.stringify(typed[a]) === JSON.stringify(typed[b]) && noNumber(typed[a]) === noNumber(typed[b])
            expect(sameCell(column, a, column, b)).toBe(same)
            expect(hashes.equal(a, hashes, b)).toBe(same)
          }
        }
      }),
    )
  })
})

/** JSON writes NaN as null. */
const noNumber = (value: { n: number | null } | null) => Number.isNaN(value?.n)

describe('a stored table', () => {
  it('reads batch by batch what was written', async () => {
    const rows = makeRows(5000)
    const { bytes } = await encodeTable(rows)
    const reader = new TableReader(await storedBytes(bytes))
    expect(reader.rows).toBe(5000)
    const texts = await readAll(reader, 3)
    expect(texts.every((text, row) => text === rows[row].text)).toBe(true)
  })

  it('damaged anywhere is an error or a table, never a crash or a hang', async () => {
    const { bytes } = await encodeTable(makeRows(40))
    const file = arrow.tableToIPC(arrow.tableFromIPC(bytes), 'file')
    const read = async (damaged: Uint8Array) => {
      try {
        const reader = new TableReader(await storedBytes(damaged))
        for (let column = 0; column < reader.fields.length; column += 1) await readAll(reader, column)
      } catch (error) {
        if (!isTidemarkError(error)) throw error
        expect(['table-damaged', 'arrow-compressed', 'arrow-type-unsupported']).toContain(error.code)
      }
    }
    for (const whole of [bytes, file]) {
      for (let at = 0; at < whole.length; at += 1) {
        const damaged = whole.slice()
        damaged[at] ^= 1 << (at % 8)
        await read(damaged)
        if (at % 16 === 0) await read(whole.slice(0, at))
      }
    }
  }, 300_000)
})
