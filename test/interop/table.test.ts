import { join } from 'node:path'
import { Table, tableFromIPC } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { table } from '../../src/index.ts'
import { bytesOf, give, log, temporaryFolder } from './exchange.ts'
import { python, pythonJson } from './python.ts'

const read = `
import json, sys
import pyarrow as pa
with pa.ipc.open_stream(sys.argv[1]) as reader:
    table = reader.read_all()
table.validate(full=True)
print(json.dumps({
    'rows': table.num_rows,
    'types': {field.name: str(field.type) for field in table.schema},
    'nulls': {field.name: table[field.name].null_count for field in table.schema},
    'values': table.to_pylist(),
}, default=lambda value: value.hex() if isinstance(value, bytes) else value.isoformat()))
`

describe('pyarrow reads what we write', () => {
  it('columns of every type made from values', async () => {
    const rows = [
      { n: 1.5, s: 'ü😀', b: true, t: new Date(86_400_000), big: 2n ** 62n, raw: Uint8Array.of(1, 255), none: null },
      { n: null, s: null, b: null, t: null, big: null, raw: null, none: null },
      { n: -0, s: '', b: false, t: new Date(-1), big: -1n, raw: new Uint8Array(0), none: null },
    ]
    expect(pythonJson(read, await give(rows))).toEqual({
      rows: 3,
      types: {
        n: 'double',
        s: 'string',
        b: 'bool',
        t: 'timestamp[ms, tz=UTC]',
        big: 'int64',
        raw: 'binary',
        none: 'null',
      },
      nulls: { n: 1, s: 1, b: 1, t: 1, big: 1, raw: 1, none: 3 },
      values: [
        { n: 1.5, s: 'ü😀', b: true, t: '1970-01-02T00:00:00+00:00', big: 2 ** 62, raw: '01ff', none: null },
        { n: null, s: null, b: null, t: null, big: null, raw: null, none: null },
        { n: -0, s: '', b: false, t: '1969-12-31T23:59:59.999000+00:00', big: -1, raw: '', none: null },
      ],
    })
  })

  it('typed columns, lists and structs', async () => {
    const path = await give(
      table({
        i8: Int8Array.of(-1, 2),
        u16: Uint16Array.of(1, 65_535),
        f32: Float32Array.of(0.5, 1e30),
        i64: BigInt64Array.of(-1n, 2n),
        list: [[1, 2], null],
        deep: [
          { a: 1, b: ['x'] },
          { a: null, b: [] },
        ],
        vectors: [Float32Array.of(1, 2), Float32Array.of(3)],
      }),
    )
    expect(pythonJson(read, path)).toMatchObject({
      types: {
        i8: 'int8',
        u16: 'uint16',
        f32: 'float',
        i64: 'int64',
        list: expect.stringMatching(/^list<.*double/),
        deep: expect.stringMatching(/^struct<a: double, b: list<.*string/),
        vectors: expect.stringMatching(/^list<.*float/),
      },
      nulls: { list: 1, deep: 0 },
    })
  })

  it.each([
    ['no columns', table([]), { rows: 0, types: {} }],
    ['no rows', table({ a: new Int32Array(0), b: [] }), { rows: 0, types: { a: 'int32', b: 'null' } }],
    ['one row', [{ 'a b': 1, '': 'x' }], { rows: 1, types: { 'a b': 'double', '': 'string' } }],
  ])('a table with %s', async (_name, value, expected) => {
    expect(pythonJson(read, await give(value))).toMatchObject(expected)
  })

  it('many batches, which pandas sees as one frame', async () => {
    const rows = Array.from({ length: 50_000 }, (_, i) => ({
      id: i,
      label: `label-${i % 7}`,
      score: i % 10 === 0 ? null : i / 3,
      ok: i % 3 === 0,
      when: new Date(1_600_000_000_000 + i),
      words: `row ${i} ${'ä'.repeat(i % 5)}`,
    }))
    const path = await give(rows)
    const seen = pythonJson(
      `
import json, sys
import pyarrow as pa
with pa.ipc.open_stream(sys.argv[1]) as reader:
    batches = list(reader)
table = pa.Table.from_batches(batches)
table.validate(full=True)
frame = table.to_pandas()
print(json.dumps({
    'batches': len(batches), 'rows': len(frame), 'ids': bool((frame['id'] == range(len(frame))).all()), 'nulls': int(frame['score'].isna().sum()),
    'sum': float(frame['score'].sum()), 'ok': int(frame['ok'].sum()), 'labels': frame['label'].value_counts().sort_index().to_dict(),
    'last': frame['when'].iloc[-1].isoformat(), 'words': frame['words'].str.len().sum().item(),
}))
`,
      path,
    )
    expect(seen).toEqual({
      batches: expect.any(Number),
      rows: rows.length,
      ids: true,
      nulls: 5000,
      sum: expect.closeTo(rows.reduce((sum, { score }) => sum + (score ?? 0), 0)),
      ok: rows.filter(({ ok }) => ok).length,
      labels: Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`label-${i}`, Math.ceil((50_000 - i) / 7)])),
      last: rows[49_999].when.toISOString().replace('Z', '000+00:00'),
      words: rows.reduce((sum, { words }) => sum + words.length, 0),
    })
    expect(Object(seen).batches).toBeGreaterThan(5)
  })
})

// Each expression gives a pyarrow array; `n` values with nulls among them where the type has nulls.
const columns = {
  null: 'pa.nulls(n)',
  bool: 'some([True, False])',
  ...Object.fromEntries(
    ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64'].map((type) => [
      type,
      `some([0, 1, 100], pa.${type}())`,
    ]),
  ),
  float16: 'pa.array(np.arange(n, dtype="float16"))',
  float32: 'some([0.5, -0.0, float("nan"), float("inf")], pa.float32())',
  float64: 'some([0.1, -0.0, float("nan"), float("-inf")], pa.float64())',
  decimal128: 'some([Decimal("1.25"), Decimal("-99999999.99")], pa.decimal128(38, 2))',
  decimal256: 'some([Decimal("1.25"), Decimal("-99999999.99")], pa.decimal256(70, 2))',
  date32: 'some([date(2020, 2, 29), date(1900, 1, 1)], pa.date32())',
  date64: 'some([date(2020, 2, 29), date(1900, 1, 1)], pa.date64())',
  time32_s: 'some([time(1, 2, 3)], pa.time32("s"))',
  time32_ms: 'some([time(1, 2, 3, 4000)], pa.time32("ms"))',
  time64_us: 'some([time(1, 2, 3, 4)], pa.time64("us"))',
  time64_ns: 'some([1, 2**45], pa.time64("ns"))',
  ...Object.fromEntries(
    ['s', 'ms', 'us', 'ns'].flatMap((unit) => [
      [`timestamp_${unit}`, `some([0, -1, 2**30], pa.timestamp("${unit}"))`],
      [`timestamp_${unit}_zone`, `some([0, -1, 2**30], pa.timestamp("${unit}", tz="Europe/Paris"))`],
      [`duration_${unit}`, `some([0, -1, 2**40], pa.duration("${unit}"))`],
    ]),
  ),
  interval: 'some([pa.scalar((1, 2, 3), pa.month_day_nano_interval()).as_py()], pa.month_day_nano_interval())',
  string: 'some(["", "a", "ü😀", "x" * 300])',
  large_string: 'some(["", "a", "ü😀", "x" * 300], pa.large_string())',
  string_view: 'some(["", "a", "ü😀", "x" * 300, "thirteen chars"], pa.string_view())',
  binary: 'some([b"", b"\\x00\\xff"])',
  large_binary: 'some([b"", b"\\x00\\xff" * 99], pa.large_binary())',
  binary_view: 'some([b"", b"\\x00\\xff", b"y" * 40], pa.binary_view())',
  fixed_binary: 'some([b"abc", b"\\x00\\x01\\x02"], pa.binary(3))',
  list: 'some([[1, None, 3], [], [4]], pa.list_(pa.int32()))',
  large_list: 'some([["a"], [], ["b", None]], pa.large_list(pa.string()))',
  fixed_list: 'some([[1, 2], [3, None]], pa.list_(pa.int16(), 2))',
  struct:
    'some([{"a": 1, "b": ["x"]}, {"a": None, "b": None}], pa.struct([("a", pa.int8()), ("b", pa.list_(pa.string()))]))',
  map: 'some([[("k", 1), ("l", None)], []], pa.map_(pa.string(), pa.int32()))',
  dictionary: 'some(["red", "green", "red"]).dictionary_encode()',
  dictionary_int8:
    'pa.DictionaryArray.from_arrays(some([0, 1, 2], pa.int8()), pa.array(["a", "b", "c"]), ordered=True)',
  dictionary_of_numbers: 'some([1.5, 2.5]).dictionary_encode()',
  nested_lists: 'some([[[1], [], None], []], pa.list_(pa.list_(pa.int64())))',
  list_of_structs: 'some([[{"x": 1.0}], [], [{"x": None}]], pa.list_(pa.struct([("x", pa.float64())])))',
  sparse_union:
    'pa.UnionArray.from_sparse(pa.array([i % 2 for i in range(n)], pa.int8()), [pa.array(range(n)), pa.array(["x"] * n)])',
  dense_union:
    'pa.UnionArray.from_dense(pa.array([i % 2 for i in range(n)], pa.int8()), pa.array([i // 2 for i in range(n)], pa.int32()), [pa.array(range(n)), pa.array(["x"] * n)])',
  uuid: 'some([bytes(range(16))], pa.binary(16)).cast(pa.uuid())',
  json: 'some(["{}", "[1]"]).cast(pa.json_())',
  tensor:
    'pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.float32(), [2, 2]), pa.array([[float(i)] * 4 for i in range(n)], pa.list_(pa.float32(), 4)))',
}

const prelude = `
import json, sys
from datetime import date, time
from decimal import Decimal
import numpy as np
import pyarrow as pa
n = 20_000
def some(values, type=None):
    return pa.array([None if i % 11 == 5 else values[i % len(values)] for i in range(n)], type)
def keep(table, path, how='stream', **options):
    open_writer = pa.ipc.new_stream if how == 'stream' else pa.ipc.new_file
    with open_writer(path, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=7000)
def load(path):
    with pa.ipc.open_stream(path) as reader:
        table = reader.read_all()
    table.validate(full=True)
    return table
`

/** As data frames give themselves: an object that turns into Arrow. */
class Frame {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  toIPC(): Uint8Array {
    return this.#bytes
  }
}

// A dictionary may be written as plain values, and NaN is not equal to itself.
const compare = `${prelude}
def plain(column):
    column = column.combine_chunks()
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
def same(a, b):
    if pa.types.is_dictionary(a.type) and not pa.types.is_dictionary(b.type):
        a = plain(a)
    if pa.types.is_floating(a.type):
        return np.array_equal(a.to_numpy(), b.to_numpy(), equal_nan=True) and a.null_count == b.null_count
    return a.to_pylist() == b.to_pylist()
different = []
for i in range(1, len(sys.argv), 2):
    before, after = load(sys.argv[i]), load(sys.argv[i + 1])
    different += [name for name in before.column_names if before.schema.field(name) != after.schema.field(name) or not same(before[name], after[name])]
    if before.column_names != after.column_names or before.schema.metadata != after.schema.metadata:
        different.append('schema')
print(json.dumps(different))
`

describe('we read what pyarrow writes', () => {
  it('every type: logged, downloaded, the same to pyarrow', async () => {
    const folder = await temporaryFolder()
    const names = Object.keys(columns)
    const written = Object.entries(columns).map(
      ([name, expression]) => `keep(pa.table({'${name}': ${expression}}), sys.argv[1] + '/${name}.arrow')`,
    )
    python([prelude, ...written].join('\n'), folder)
    const pairs: string[] = []
    for (const name of names) {
      const before = join(folder, `${name}.arrow`)
      const bytes = await bytesOf(before)
      const logged = await log(new Frame(bytes))
      await logged.download(join(folder, name))
      const decoded = await logged.get()
      if (!(decoded instanceof Table)) throw new TypeError('not a table')
      expect(decoded.numRows).toBe(20_000)
      expect(String(decoded.schema)).toBe(String(tableFromIPC(bytes).schema))
      pairs.push(before, join(folder, name, 'thing.arrow'))
    }
    expect(pythonJson(compare, ...pairs)).toEqual([])
  })

  it('all of them as one table, and as a file with its magic ARROW1', async () => {
    const folder = await temporaryFolder()
    const [stream, file] = [join(folder, 'before.arrow'), join(folder, 'before.file.arrow')]
    const all = Object.entries(columns).map(([name, expression]) => `'${name}': ${expression}`)
    python(
      `${prelude}\ntable = pa.table({${all.join(', ')}})\ntable = table.replace_schema_metadata({'made': 'by pyarrow'})\nkeep(table, sys.argv[1])\nkeep(table, sys.argv[2], 'file')`,
      stream,
      file,
    )
    for (const source of [stream, file]) {
      const logged = await log(new Frame(await bytesOf(source)))
      await logged.download(folder, { overwrite: 'overwrite' })
      expect(pythonJson(compare, stream, join(folder, 'thing.arrow'))).toEqual([])
    }
  })

  it.each(['lz4', 'zstd'])('buffers compressed with %s are refused with the way out', async (compression) => {
    const path = join(await temporaryFolder(), 'compressed.arrow')
    python(`${prelude}\nkeep(pa.table({'x': some([1, 2])}), sys.argv[1], compression='${compression}')`, path)
    await expect(log(new Frame(await bytesOf(path)))).rejects.toMatchObject({
      code: 'arrow-compressed',
      message: expect.stringMatching(/compress/),
    })
  })

  it('types that apache-arrow does not know are refused by a typed error', async () => {
    const folder = await temporaryFolder()
    for (const [name, expression] of [
      ['run_end', 'pa.compute.run_end_encode(pa.array([1, 1, 2]))'],
      ['list_view', 'pa.array([[1], [2, 3]], pa.list_view(pa.int32()))'],
    ]) {
      const path = join(folder, `${name}.arrow`)
      python(`${prelude}\nimport pyarrow.compute\nkeep(pa.table({'x': ${expression}}), sys.argv[1])`, path)
      await expect(log(new Frame(await bytesOf(path)))).rejects.toMatchObject({
        code: expect.stringMatching(/^[a-z-]+$/),
      })
    }
  })

  it('what pandas gives: an index, categories, missing values', async () => {
    const folder = await temporaryFolder()
    const [before, after] = [join(folder, 'before.arrow'), join(folder, 'thing.arrow')]
    python(
      `${prelude}
import pandas as pd
frame = pd.DataFrame({'c': pd.Categorical(['a', 'b', None, 'a']), 'f': [1.0, None, 3.0, 4.0], 's': ['x', None, '', 'y'], 'w': pd.date_range('2020', periods=4, tz='UTC')},
    index=pd.Index([10, 20, 30, 40], name='key'))
keep(pa.Table.from_pandas(frame), sys.argv[1])`,
      before,
    )
    await (await log(new Frame(await bytesOf(before)))).download(folder)
    expect(
      pythonJson(
        `${prelude}
before, after = load(sys.argv[1]).to_pandas(), load(sys.argv[2]).to_pandas()
print(json.dumps({'same': before.equals(after), 'index': after.index.name, 'types': [str(t) for t in before.dtypes] == [str(t) for t in after.dtypes]}))`,
        before,
        after,
      ),
    ).toEqual({ same: true, index: 'key', types: true })
  })
})
