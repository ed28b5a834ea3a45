import { readFileSync } from 'node:fs'
import { type Table, tableFromIPC, tableToIPC } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tableCodec } from '../../src/codecs/table.ts'
import { asArrowGives } from './as-arrow-gives.ts'
import { byArrow, decodeTable, encodeTable, makeRows, sameBytes, valuesOf } from './table-support.ts'

describe('records', () => {
  it('come back row by row and column by column', async () => {
    const rows = [
      {
        id: 1,
        label: 'iris',
        ok: true,
        at: new Date(0),
        big: 5n,
        raw: Uint8Array.of(1, 2),
        tags: ['a', 'b'],
        meta: { x: 1 },
      },
      {
        id: Number.NaN,
        label: 'ünïcödé 🌷',
        ok: null,
        at: new Date(-5),
        big: -(2n ** 63n),
        raw: new Uint8Array(0),
        tags: [],
        meta: { y: 'z' },
      },
      { id: -0, label: null, ok: false, big: null, raw: null, tags: null, meta: null, late: 7 },
    ]
    const { bytes } = await encodeTable(rows)
    const table = await decodeTable(bytes)
    expect(String(table.schema)).toBe(
      'Schema<{ 0: id: Float64, 1: label: Utf8, 2: ok: Bool, 3: at: Timestamp<MILLISECOND, UTC>, 4: big: Int64, 5: raw: Binary, 6: tags: List<Utf8>, 7: meta: Struct<{x:Float64, y:Utf8}>, 8: late: Float64 }>',
    )
    expect(valuesOf(table)).toEqual({
      id: [1, Number.NaN, -0],
      label: ['iris', 'ünïcödé 🌷', null],
      ok: [true, null, false],
      at: [0, -5, null],
      big: [5n, -(2n ** 63n), null],
      raw: [Uint8Array.of(1, 2), new Uint8Array(0), null],
      tags: [['a', 'b'], [], null],
      meta: [{ x: 1, y: null }, { x: null, y: 'z' }, null],
      late: [null, null, 7],
    })
  })

  it('of any shape come back equal', async () => {
    const cell = fc.constantFrom('number', 'string', 'boolean', 'bigint', 'date', 'list', 'object', 'null')
    const table = fc
      .tuple(fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), cell, { maxKeys: 6 }), fc.nat(40))
      .chain(([shape, count]) =>
        fc.array(
          fc.record(Object.fromEntries(Object.entries(shape).map(([name, kind]) => [name, arbitraryOf(kind)])), {
            requiredKeys: [],
          }),
          {
            minLength: count,
            maxLength: count,
          },
        ),
      )
    await fc.assert(
      fc.asyncProperty(table, async (rows) => {
        const { bytes } = await encodeTable(rows)
        const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
        const expected: Record<string, unknown[]> = Object.create(null)
        for (const name of names)
          expected[name] = rows.map((row) => asRead(Object.hasOwn(row, name) ? row[name] : null))
        for (const read of [byArrow(bytes), await decodeTable(bytes)]) {
          expect(read.schema.fields.map(({ name }) => name)).toEqual(names)
          expect(read.numRows).toBe(names.length === 0 ? rows.length : rows.length)
          expect(valuesOf(read)).toEqual(expected)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('become the same bytes every time, and from columns the same as from rows', async () => {
    const rows = makeRows(10_000)
    const first = await encodeTable(rows)
    const again = await encodeTable(structuredClone(rows))
    expect(sameBytes(again.bytes, first.bytes)).toBe(true)
    const columns = Object.fromEntries(Object.keys(rows[0] ?? {}).map((name) => [name, rows.map((row) => row[name])]))
    expect(sameBytes((await encodeTable(columns)).bytes, first.bytes)).toBe(true)
  })

  it('may have a column without a name', async () => {
    for (const rows of [[{ '': 1, a: 'x' }, { '': 2 }], [{ a: 1, null: 2, '': 3 }]]) {
      const table = await decodeTable((await encodeTable(rows)).bytes)
      const names = Object.keys(rows[0] ?? {})
      expect(table.schema.fields.map(({ name }) => name)).toEqual(names)
      expect(names.map((name) => table.getChild(name)?.get(0))).toEqual(Object.values(rows[0] ?? {}))
    }
  })

  it('may be empty, have no columns, or nothing but nulls', async () => {
    const none = await decodeTable((await encodeTable([])).bytes)
    expect([none.numRows, none.numCols]).toEqual([0, 0])
    const bare = await decodeTable((await encodeTable([{}, {}])).bytes)
    expect([bare.numRows, bare.numCols]).toEqual([2, 0])
    const columns = await decodeTable((await encodeTable({ a: [], b: new Float32Array(0) })).bytes)
    expect([columns.numRows, columns.schema.fields.map(({ name }) => name)]).toEqual([0, ['a', 'b']])
    const nulls = await decodeTable((await encodeTable([{ a: null }, { a: undefined }])).bytes)
    expect(String(nulls.schema.fields[0]?.type)).toBe('Null')
    expect(valuesOf(nulls)).toEqual({ a: [null, null] })
  })

  it('may have columns named like members of every object', async () => {
    const rows = [JSON.parse('{"__proto__": 1, "constructor": "a"}'), { toString: 'b' }, { constructor: 'c' }]
    const { bytes } = await encodeTable(rows)
    const values = valuesOf(await decodeTable(bytes))
    expect(values.constructor).toEqual(['a', null, 'c'])
    expect(values.toString).toEqual([null, 'b', null])
    expect(Object.getOwnPropertyDescriptor(values, '__proto__')?.value).toEqual([1, null, null])
  })

  it.each([
    ['short', [{ s: 'fine' }, { s: 'a\ud800b' }], 'rows[1].s'],
    ['alone', [{ s: '\udc00' }], 'rows[0].s'],
    ['long', [{ s: `${'x'.repeat(100)}\ud83d` }], 'rows[0].s'],
    ['among many', [...Array.from({ length: 200 }, () => ({ s: 'x' })), { s: '\ud83d' }], 'rows[200].s'],
    ['in a list', [{ s: ['a', '\ud800'] }], 's'],
    ['as the name of a column', [{ 'a\ud800': 1 }], 'a'],
  ])('with half a surrogate pair, %s, are refused: they could not be read back', async (_, rows, path) => {
    await expect(encodeTable(rows)).rejects.toMatchObject({
      code: 'lone-surrogate',
      message: expect.stringContaining(path),
    })
  })

  it('beyond the first plane come back', async () => {
    const texts = ['😀', `${'x'.repeat(100)}😀`, '日本', '\u{10ffff}a', '\ufffd']
    const { bytes } = await encodeTable(texts.map((s) => ({ [`${texts[0]}`]: s })))
    expect(valuesOf(byArrow(bytes))['😀']).toEqual(texts)
  })

  it('that begin with U+FEFF are stored with it', async () => {
    const texts = ['\ufeffid', 'id', '\ufeff\ufeff']
    const table = await decodeTable((await encodeTable({ s: texts })).bytes)
    const { values, valueOffsets } = table.getChild('s')?.data[0] ?? {}
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
    expect(texts.map((_, row) => decoder.decode(values.subarray(valueOffsets[row], valueOffsets[row + 1])))).toEqual(
      texts,
    )
    expect(valuesOf(table).s).toEqual(texts.map(asArrowGives))
  })
})

function arbitraryOf(kind: string): fc.Arbitrary<unknown> {
  const values: Record<string, fc.Arbitrary<unknown>> = {
    number: fc.double(),
    string: fc.string({ unit: 'binary' }),
    boolean: fc.boolean(),
    bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    date: fc.date({ noInvalidDate: true }),
    list: fc.array(fc.option(fc.string({ unit: 'binary' }))),
    object: fc.record({ p: fc.option(fc.integer()), q: fc.array(fc.boolean()) }),
    null: fc.constant(null),
  }
  return fc.option(values[kind] ?? fc.constant(null), { freq: 5 })
}

function asRead(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : asArrowGives(value ?? null)
}

describe('columns', () => {
  it('keep the type of their typed arrays, views and odd offsets included', async () => {
    const odd = new Uint8Array(new ArrayBuffer(11), 3, 5).fill(7)
    const columns = {
      i8: Int8Array.of(-1, 2, 3, 4, 5),
      u8: odd,
      clamped: Uint8ClampedArray.of(1, 2, 3, 4, 5),
      i16: Int16Array.of(0, 1, -2, 3, 4, 5).subarray(1),
      u16: Uint16Array.of(1, 2, 3, 4, 5),
      i32: Int32Array.of(1, 2, 3, 4, -5),
      u32: Uint32Array.of(1, 2, 3, 4, 4e9),
      i64: BigInt64Array.of(1n, 2n, 3n, 4n, -5n),
      u64: BigUint64Array.of(1n, 2n, 3n, 4n, 2n ** 64n - 1n),
      f32: Float32Array.of(1, 2, 3, 4, 0.5),
      f64: new Float64Array(new ArrayBuffer(48), 8, 5).fill(0.1),
    }
    const { bytes } = await encodeTable(columns)
    const table = await decodeTable(bytes)
    expect(table.schema.fields.map(({ type }) => String(type))).toEqual([
      'Int8',
      'Uint8',
      'Uint8',
      'Int16',
      'Uint16',
      'Int32',
      'Uint32',
      'Int64',
      'Uint64',
      'Float32',
      'Float64',
    ])
    expect(valuesOf(table)).toEqual(
      Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, [...values]])),
    )
    expect(odd).toEqual(new Uint8Array(5).fill(7))
  })

  it('of typed arrays in each row become lists of that type', async () => {
    const { bytes } = await encodeTable([{ v: Float32Array.of(1, 2) }, { v: null }, { v: new Float32Array(0) }])
    const table = await decodeTable(bytes)
    expect(String(table.schema.fields[0]?.type)).toBe('List<Float32>')
    expect(valuesOf(table).v).toEqual([[1, 2], null, []])
  })
})

describe('refuses', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic.self = [cyclic]
  const cases: [string, unknown, string, string][] = [
    ['two types in one column', [{ a: 1 }, { a: null }, { a: 'x' }], 'mixed-column', 'rows[2].a'],
    ['two types in one list', [{ a: [1] }, { a: [2, '3'] }], 'mixed-column', 'rows[1].a[1]'],
    ['a function', [{ a: 1 }, { a: 1, f: () => 1 }], 'unsupported-value', 'rows[1].f'],
    ['a class instance inside', [{ a: { b: [new Map()] } }], 'unsupported-value', 'rows[0].a.b[0]'],
    ['a symbol', [{ a: Symbol('x') }], 'unsupported-value', 'rows[0].a'],
    ['a cycle', [{ a: 0 }, { a: null, b: cyclic }], 'cyclic-value', 'rows[1].b'],
    ['a bigint beyond 64 bits', [{ a: 1n }, { a: 2n ** 63n }], 'bigint-out-of-range', 'rows[1].a'],
    ['a row that is no record', [{ a: 1 }, 5], 'not-a-record', 'rows[1]'],
    ['a row that is null', [null], 'not-a-record', 'rows[0]'],
    ['columns of two lengths', { a: [1, 2], b: new Int8Array(3) }, 'ragged-columns', "'b'"],
    ['a column that is none', { a: 5 }, 'not-a-column', "'a'"],
    ['a number', 5, 'not-a-table', 'a number'],
    ['null', null, 'not-a-table', 'null'],
  ]
  it.each(cases)('%s', async (_, value, code, named) => {
    await expect(encodeTable(value)).rejects.toMatchObject({
      name: 'InvalidInputError',
      code,
      message: expect.stringContaining(named),
    })
  })

  it('accepts whole numbers and fractions in one column', async () => {
    const { bytes } = await encodeTable([{ a: 1 }, { a: 1.5 }, { a: null }])
    expect(valuesOf(byArrow(bytes)).a).toEqual([1, 1.5, null])
  })
})

describe('the flights of vega-datasets', () => {
  const file = readFileSync(new URL('../../node_modules/vega-datasets/data/flights-200k.arrow', import.meta.url))

  it('come back value for value and type for type', async () => {
    const flights = tableFromIPC(file)
    const { bytes, preview } = await encodeTable(flights)
    const read = await decodeTable(bytes)
    expect(String(read.schema)).toBe(String(flights.schema))
    expect(read.numRows).toBe(flights.numRows)
    for (const { name } of flights.schema.fields) {
      expect(sameBytes(bytesIn(read, name), bytesIn(flights, name))).toBe(true)
    }
    expect(preview).toMatchObject({ kind: 'table', rows: flights.numRows })
  })

  it('become the same bytes whichever batches they came in', async () => {
    const whole = tableFromIPC(file)
    const cut = whole.slice(0, 70_001).concat(whole.slice(70_001, 70_002), whole.slice(70_002))
    expect(cut.batches.length).toBeGreaterThan(1)
    const { bytes } = await encodeTable(whole)
    expect(sameBytes((await encodeTable(cut)).bytes, bytes)).toBe(true)
    const rewritten = tableFromIPC(tableToIPC(cut))
    expect(sameBytes((await encodeTable(rewritten)).bytes, bytes)).toBe(true)
  })
})

function bytesIn(table: Table, name: string): Uint8Array {
  const values: unknown = table.getChild(name)?.toArray()
  if (!ArrayBuffer.isView(values)) throw new Error(`no column ${name}`)
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

describe('what is stored', () => {
  it('names its kind, extension and media type, and cuts where it says', async () => {
    const encoded = await tableCodec.encode([{ a: 1 }])
    expect(encoded).toMatchObject({
      kind: 'table',
      extension: '.arrow',
      mediaType: 'application/vnd.apache.arrow.stream',
      cuts: 'given',
    })
  })

  it('of a small table is one piece', async () => {
    const { pieces } = await encodeTable([{ a: 1, b: 'x' }])
    expect(pieces).toHaveLength(1)
  })

  it('reads from any offset of a larger buffer', async () => {
    const { bytes } = await encodeTable(makeRows(100))
    for (let offset = 0; offset < 8; offset += 1) {
      const room = new Uint8Array(bytes.byteLength + 8)
      room.set(bytes, offset)
      const before = room.slice()
      const table = await decodeTable(room.subarray(offset, offset + bytes.byteLength))
      expect(valuesOf(table)).toEqual(valuesOf(byArrow(bytes)))
      expect(room).toEqual(before)
    }
  })
})
