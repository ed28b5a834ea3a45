import * as arrow from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { detect } from '../../src/codecs/detect.ts'
import { byArrow, decodeTable, encodeTable, sameBytes, valuesOf } from './table-support.ts'

// Here apache-arrow's own builders are the counterpart: what they make must come back as it was.
const { vectorFromArray } = arrow

function every(index: number, value: unknown): unknown {
  return index % 3 === 1 ? null : value
}

const list = (type: arrow.DataType) => new arrow.List(new arrow.Field('item', type, true))
const count = 50
const of = (make: (index: number) => unknown) => Array.from({ length: count }, (_, index) => every(index, make(index)))

const entries = [
  new arrow.Field('key', new arrow.Utf8(), false),
  new arrow.Field('value', new arrow.Int32(), true),
] as const
const mapType = new arrow.Map_(
  new arrow.Field('entries', new arrow.Struct<{ key: arrow.Utf8; value: arrow.Int32 }>([...entries]), false),
)

const vectors: Record<string, () => arrow.Vector> = {
  null: () =>
    vectorFromArray(
      of(() => null),
      new arrow.Null(),
    ),
  bool: () =>
    vectorFromArray(
      of((i) => i % 2 === 0),
      new arrow.Bool(),
    ),
  int8: () =>
    vectorFromArray(
      of((i) => i - 20),
      new arrow.Int8(),
    ),
  uint64: () =>
    vectorFromArray(
      of((i) => BigInt(i) * 2n ** 57n),
      new arrow.Uint64(),
    ),
  float16: () =>
    vectorFromArray(
      of((i) => i / 4),
      new arrow.Float16(),
    ),
  utf8: () =>
    vectorFromArray(
      of((i) => 'ü'.repeat(i)),
      new arrow.Utf8(),
    ),
  largeUtf8: () =>
    vectorFromArray(
      of((i) => `large ${i}`),
      new arrow.LargeUtf8(),
    ),
  utf8View: () =>
    vectorFromArray(
      of((i) => 'view of text '.repeat(i % 4)),
      new arrow.Utf8View(),
    ),
  binary: () =>
    vectorFromArray(
      of((i) => new Uint8Array(i).fill(i)),
      new arrow.Binary(),
    ),
  largeBinary: () =>
    vectorFromArray(
      of((i) => new Uint8Array(i).fill(i)),
      new arrow.LargeBinary(),
    ),
  binaryView: () =>
    vectorFromArray(
      of((i) => new Uint8Array(i).fill(i)),
      new arrow.BinaryView(),
    ),
  fixedBinary: () =>
    vectorFromArray(
      of((i) => new Uint8Array(3).fill(i)),
      new arrow.FixedSizeBinary(3),
    ),
  decimal: () =>
    vectorFromArray(
      of((i) => Uint32Array.of(i, 1, 0, 0)),
      new arrow.Decimal(2, 30, 128),
    ),
  dateDay: () =>
    vectorFromArray(
      of((i) => new Date(i * 86_400_000)),
      new arrow.DateDay(),
    ),
  dateMs: () =>
    vectorFromArray(
      of((i) => new Date(i * 86_400_000)),
      new arrow.DateMillisecond(),
    ),
  timestampNs: () =>
    vectorFromArray(
      of((i) => i * 1000),
      new arrow.TimestampNanosecond('Europe/Vienna'),
    ),
  timestampS: () =>
    vectorFromArray(
      of((i) => i * 1000),
      new arrow.TimestampSecond(),
    ),
  timeMs: () =>
    vectorFromArray(
      of((i) => i),
      new arrow.TimeMillisecond(),
    ),
  timeNs: () =>
    vectorFromArray(
      of((i) => BigInt(i)),
      new arrow.TimeNanosecond(),
    ),
  duration: () =>
    vectorFromArray(
      of((i) => BigInt(i)),
      new arrow.DurationMicrosecond(),
    ),
  yearMonth: () =>
    vectorFromArray(
      of((i) => Int32Array.of(i, 2)),
      new arrow.IntervalYearMonth(),
    ),
  dayTime: () =>
    vectorFromArray(
      of((i) => Int32Array.of(i, 2)),
      new arrow.IntervalDayTime(),
    ),
  list: () =>
    vectorFromArray(
      of((i) => Array.from({ length: i % 4 }, (_, k) => (k % 2 ? null : k))),
      list(new arrow.Int32()),
    ),
  largeList: () =>
    vectorFromArray(
      of((i) => [i, i]),
      new arrow.LargeList(new arrow.Field('item', new arrow.Int32(), true)),
    ),
  nestedList: () =>
    vectorFromArray(
      of((i) => [[`${i}`], []]),
      list(list(new arrow.Utf8())),
    ),
  fixedList: () =>
    vectorFromArray(
      of((i) => [i, i + 1, i + 2]),
      new arrow.FixedSizeList(3, new arrow.Field('item', new arrow.Float32(), true)),
    ),
  struct: () =>
    vectorFromArray(
      of((i) => ({ a: i, b: `b${i}`, c: [i % 2 === 0] })),
      new arrow.Struct([
        new arrow.Field('a', new arrow.Int32(), true),
        new arrow.Field('b', new arrow.Utf8(), true),
        new arrow.Field('c', list(new arrow.Bool()), true),
      ]),
    ),
  map: () =>
    vectorFromArray(
      of((i) => new Map([[`k${i}`, i]])),
      mapType,
    ),
  dictionary: () =>
    vectorFromArray(
      of((i) => `label ${i % 4}`),
      new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8()),
    ),
  dictionaryOfInts: () =>
    vectorFromArray(
      of((i) => i % 4),
      new arrow.Dictionary(new arrow.Int32(), new arrow.Uint16()),
    ),
  denseUnion: () => unionOf('dense'),
  sparseUnion: () => unionOf('sparse'),
}

function unionOf(mode: 'dense' | 'sparse'): arrow.Vector {
  const fields = [new arrow.Field('i', new arrow.Int32(), true), new arrow.Field('s', new arrow.Utf8(), true)]
  const rows = Array.from({ length: count }, (_, index) => index)
  const typeIds = Int8Array.from(rows, (row) => (row % 3 === 0 ? 5 : 9))
  if (mode === 'sparse') {
    const children = [
      vectorFromArray(rows, new arrow.Int32()).data[0],
      vectorFromArray(
        rows.map((row) => `s${row}`),
        new arrow.Utf8(),
      ).data[0],
    ].flatMap((data) => data ?? [])
    const type = new arrow.SparseUnion([5, 9], fields)
    return new arrow.Vector([new arrow.Data(type, 0, count, 0, [undefined, undefined, undefined, typeIds], children)])
  }
  const ints = rows.filter((row) => row % 3 === 0)
  const texts = rows.filter((row) => row % 3 !== 0).map((row) => `s${row}`)
  const seen = [0, 0]
  const offsets = Int32Array.from(rows, (row) => (row % 3 === 0 ? seen[0]++ : seen[1]++))
  const children = [
    vectorFromArray(ints, new arrow.Int32()).data[0],
    vectorFromArray(texts, new arrow.Utf8()).data[0],
  ].flatMap((data) => data ?? [])
  const type = new arrow.DenseUnion([5, 9], fields)
  return new arrow.Vector([new arrow.Data(type, 0, count, 0, [offsets, undefined, undefined, typeIds], children)])
}

describe.each(Object.keys(vectors))('an Arrow column of type %s', (name) => {
  const vector = vectors[name]?.() ?? new arrow.Vector([])
  const whole = new arrow.Table({
    first: vectorFromArray(
      Array.from({ length: count }, (_, i) => i),
      new arrow.Int32(),
    ),
    x: vector,
  })

  it('comes back value for value and type for type', async () => {
    const { bytes } = await encodeTable(whole)
    for (const read of [byArrow(bytes), await decodeTable(bytes)]) {
      expect(String(read.schema)).toBe(String(whole.schema))
      expect(valuesOf(read)).toEqual(valuesOf(whole))
    }
    expect((await encodeTable(byArrow(bytes))).bytes).toEqual(bytes)
  })

  it('comes back from slices and from several batches', async () => {
    const slice = whole.slice(7, 31)
    expect(valuesOf(byArrow((await encodeTable(slice)).bytes))).toEqual(valuesOf(slice))
    const { bytes } = await encodeTable(whole)
    const pieces = whole.slice(0, 13).concat(whole.slice(13, 14), whole.slice(14))
    expect(sameBytes((await encodeTable(pieces)).bytes, bytes)).toBe(true)
    expect(sameBytes((await encodeTable(pieces.batches)).bytes, bytes)).toBe(true)
  })

  it('has a preview of JSON', async () => {
    const { preview } = await encodeTable(whole)
    expect(JSON.parse(JSON.stringify(preview))).toEqual(preview)
    expect(JSON.stringify(preview).length).toBeLessThan(4096)
  })
})

describe('dictionaries', () => {
  const words = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `word ${from + index}`)
  const coded = (values: readonly unknown[]) =>
    new arrow.Table({ w: vectorFromArray(values, new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())) })

  it('of several batches become one, the same whichever batches they came in', async () => {
    const first = coded(words(0, 10))
    const second = coded(words(5, 20))
    const both = new arrow.Table(
      first.schema,
      [...first.batches, ...second.batches].map((batch) => new arrow.RecordBatch(first.schema, batch.data)),
    )
    const { bytes } = await encodeTable(both)
    const read = byArrow(bytes)
    expect(valuesOf(read).w).toEqual([...words(0, 10), ...words(5, 20)])
    expect(String(read.schema.fields[0]?.type)).toBe('Dictionary<Int32, Utf8>')
    expect(read.getChild('w')?.data[0]?.dictionary?.length).toBe(20)
  })

  it('that grow from batch to batch are written once', async () => {
    const writer = new arrow.RecordBatchStreamWriter()
    const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), 3)
    const builder = arrow.makeBuilder({ type, nullValues: [null] })
    for (const word of words(0, 5)) builder.append(word)
    const one = builder.flush()
    for (const word of words(3, 9)) builder.append(word)
    const two = builder.flush()
    const schema = new arrow.Schema([new arrow.Field('w', type, true)])
    for (const data of [one, two]) {
      writer.write(
        new arrow.RecordBatch(
          schema,
          arrow.makeData({
            type: new arrow.Struct(schema.fields),
            children: [data],
            length: data.length,
            nullCount: 0,
          }),
        ),
      )
    }
    writer.finish()
    const table = arrow.tableFromIPC(writer.toUint8Array(true))
    const { bytes } = await encodeTable(table)
    expect(valuesOf(byArrow(bytes)).w).toEqual([...words(0, 5), ...words(3, 9)])
  })

  it('that save nothing become plain values and stay so; those that do stay, in parts', async () => {
    const many = await encodeTable(coded(words(0, 6000)))
    expect(String(byArrow(many.bytes).schema.fields[0]?.type)).toBe('Utf8')
    expect(many.info?.plain).toEqual(['w'])
    expect(valuesOf(byArrow(many.bytes)).w).toEqual(words(0, 6000))
    const few = await encodeTable(coded(words(0, 100)), { previous: many.info ?? {} })
    expect(String(byArrow(few.bytes).schema.fields[0]?.type)).toBe('Utf8')
    const frequent = coded(words(0, 100_000).map((_, index) => `word ${index % 5000}`))
    const { bytes } = await encodeTable(frequent)
    expect(String(byArrow(bytes).schema.fields[0]?.type)).toBe('Dictionary<Int32, Utf8>')
    expect(valuesOf(byArrow(bytes))).toEqual(valuesOf(frequent))
    expect(valuesOf(await decodeTable(bytes))).toEqual(valuesOf(frequent))
  })
})

describe('an Arrow table', () => {
  it('keeps its metadata, and its fields theirs', async () => {
    const field = new arrow.Field('a', new arrow.Int32(), false, new Map([['unit', 'cm']]))
    const schema = new arrow.Schema([field], new Map([['source', 'field']]))
    const data = arrow.makeData({
      type: new arrow.Struct([field]),
      length: 2,
      children: [vectorFromArray([1, 2], new arrow.Int32()).data[0]].flatMap((x) => x ?? []),
    })
    const { bytes } = await encodeTable(new arrow.Table(schema, [new arrow.RecordBatch(schema, data)]))
    const read = byArrow(bytes)
    expect([...read.schema.metadata]).toEqual([['source', 'field']])
    expect(read.schema.fields[0]?.nullable).toBe(false)
    expect([...(read.schema.fields[0]?.metadata ?? [])]).toEqual([['unit', 'cm']])
  })

  it('without rows keeps its columns', async () => {
    const empty = new arrow.Table(new arrow.Schema([new arrow.Field('a', new arrow.Int32(), true)]), [])
    const read = byArrow((await encodeTable(empty)).bytes)
    expect([String(read.schema), read.numRows]).toEqual(['Schema<{ 0: a: Int32 }>', 0])
  })

  it('is known by what it has, not by its class', async () => {
    const table = new arrow.Table({ a: vectorFromArray(['x', null, 'z'], new arrow.Utf8()) })
    const foreign = {
      schema: {
        fields: table.schema.fields.map(({ name, type, nullable }) => ({
          name,
          type: { ...type, typeId: type.typeId, children: [] },
          nullable,
        })),
      },
      batches: table.batches.map(({ data }) => ({
        schema: { fields: [] },
        data: { ...data, children: data.children.map((child) => ({ ...child })) },
      })),
    }
    expect((await encodeTable(foreign)).bytes).toEqual((await encodeTable(table)).bytes)
  })

  it('with two columns of one name is refused', async () => {
    const field = new arrow.Field('a', new arrow.Int32(), true)
    const table = { schema: { fields: [field, field] }, batches: [] }
    await expect(encodeTable(table)).rejects.toMatchObject({ code: 'duplicate-column' })
  })

  it('may be a list of tables or batches; those of another schema are refused', async () => {
    const integers = new arrow.Table({ a: vectorFromArray([1, null], new arrow.Int32()) })
    const doubles = new arrow.Table({ a: vectorFromArray([1.5], new arrow.Float64()) })
    const others = new arrow.Table({ b: vectorFromArray([3], new arrow.Int32()) })
    for (const parts of [
      [integers, integers],
      [...integers.batches, integers],
    ]) {
      expect(valuesOf(await decodeTable((await encodeTable(parts)).bytes))).toEqual({ a: [1, null, 1, null] })
    }
    const never = new arrow.Schema([new arrow.Field('a', new arrow.Int32(), false)])
    const full = new arrow.RecordBatch(
      never,
      arrow.makeData({
        type: new arrow.Struct(never.fields),
        length: 1,
        children: [arrow.makeData({ type: new arrow.Int32(), data: Int32Array.of(5) })],
      }),
    )
    const both = await decodeTable((await encodeTable([full, integers])).bytes)
    expect([both.schema.fields[0]?.nullable, valuesOf(both)]).toEqual([true, { a: [5, 1, null] }])
    for (const other of [doubles, others, ...doubles.batches, ...others.batches]) {
      await expect(encodeTable([integers, other])).rejects.toMatchObject({ code: 'parts-differ', fields: { part: 1 } })
    }
  })

  it('of flechette with two columns of one name, or columns of it by themselves, are refused', async () => {
    // As flechette 2.2 has them.
    const type = { typeId: 2, bitWidth: 32, signed: true }
    const column = {
      type,
      length: 2,
      data: [{ length: 2, nullCount: 0, type, validity: new Uint8Array(0), values: Int32Array.of(-1, 2) }],
    }
    const of = (...names: string[]) => ({
      schema: { fields: names.map((name) => ({ name, type, nullable: true })) },
      children: names.map(() => column),
      numRows: 2,
    })
    expect(valuesOf(await decodeTable((await encodeTable(of('a', 'b'))).bytes))).toEqual({ a: [-1, 2], b: [-1, 2] })
    await expect(encodeTable(of('a', 'a'))).rejects.toMatchObject({ code: 'duplicate-column' })
    await expect(encodeTable({ a: column })).rejects.toMatchObject({ code: 'not-a-column' })
  })

  it('may come from a method, and Arrow vectors may be columns', async () => {
    class Frame {
      toArrow() {
        return new arrow.Table({ a: vectorFromArray([1, 2], new arrow.Int32()) })
      }
    }
    class Bytes {
      async toArrowIPC() {
        return arrow.tableToIPC(new Frame().toArrow(), 'file')
      }
    }
    const { bytes } = await encodeTable(new Frame())
    expect((await encodeTable(new Bytes())).bytes).toEqual(bytes)
    expect((await encodeTable({ a: vectorFromArray([1, 2], new arrow.Int32()) })).bytes).toEqual(bytes)
  })

  it('may come from a proxy that looks like a plain object and only says what columns it has, as those of nodejs-polars', async () => {
    const arrowTable = new arrow.Table({ a: vectorFromArray([1, 2], new arrow.Int32()) })
    const members: Record<PropertyKey, unknown> = { writeIPCStream: () => arrow.tableToIPC(arrowTable), columns: ['a'] }
    const frame = new Proxy(
      {},
      {
        get: (_, name) => members[name],
        has: (_, name) => name === 'a',
        ownKeys: () => ['a', Symbol('inspect')],
        getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true }),
      },
    )
    expect(detect(frame)).toMatchObject({ kind: 'table' })
    expect((await encodeTable(frame)).bytes).toEqual((await encodeTable(arrowTable)).bytes)
  })

  it('may come from a reader that has not read everything yet, as those of DuckDB', async () => {
    class Reader {
      rows = 0
      async readAll() {
        this.rows = 3
      }
      getColumnsObjectJS() {
        return { a: Array.from({ length: this.rows }, (_, row) => row) }
      }
    }
    expect(valuesOf(await decodeTable((await encodeTable(new Reader())).bytes))).toEqual({ a: [0, 1, 2] })
  })
})
