import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createNpyReader, type DecodedArray, npyParts } from '../../src/codecs/npz/npy.ts'
import { float16ToFloat32, float32ToFloat16 } from '../../src/codecs/npz/npy-float16.ts'
import { npyArrayOf } from '../../src/codecs/npz/npy-values.ts'
import { npzCodec } from '../../src/codecs/npz.ts'
import { writeZip } from '../../src/codecs/zip/zip-writer.ts'
import { isTidemarkError } from '../../src/errors.ts'
import { assetOf, atOddOffset, collect } from './asset-of.ts'

const folder = new URL('../fixtures/npz/', import.meta.url)
const fixture = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)))

async function encode(value: unknown): Promise<Uint8Array> {
  return collect((await npzCodec.encode(value)).body)
}

async function decode(bytes: Uint8Array): Promise<Record<string, DecodedArray>> {
  const value = await npzCodec.decode(assetOf(bytes, 'some.npz'))
  if (!isArrays(value)) throw new Error('decode gave no arrays')
  return value
}

async function decodeNpy(bytes: Uint8Array): Promise<DecodedArray> {
  const reader = createNpyReader(bytes.length, 'array')
  reader.push(bytes)
  return reader.finish()
}

function isArrays(value: unknown): value is Record<string, DecodedArray> {
  return typeof value === 'object' && value !== null
}

const roundTrip = async (value: unknown) => decode(await encode(value))

describe('files of numpy', () => {
  const float = (least: number, most: number) => [0, -0, 1.5, -2.25, Infinity, -Infinity, NaN, most, least]
  const int = (bits: number) => [0, 1, 2, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 7]
  const uint = (bits: number) => [0, 1, 2, 0, 2 ** bits - 1, 7]
  const expected: Record<string, DecodedArray['data']> = {
    int8: Int8Array.from(int(8)),
    uint8: Uint8Array.from(uint(8)),
    int16: Int16Array.from(int(16)),
    uint16: Uint16Array.from(uint(16)),
    int32: Int32Array.from(int(32)),
    uint32: Uint32Array.from(uint(32)),
    int64: BigInt64Array.from([0n, 1n, 2n, -(2n ** 63n), 2n ** 63n - 1n, 7n]),
    uint64: BigUint64Array.from([0n, 1n, 2n, 0n, 2n ** 64n - 1n, 7n]),
    float16: Float32Array.from(float(2 ** -24, 65504)),
    float32: Float32Array.from(float(2 ** -149, (2 - 2 ** -23) * 2 ** 127)),
    float64: Float64Array.from(float(Number.MIN_VALUE, Number.MAX_VALUE)),
    bool: Uint8Array.from([1, 0, 1]),
    complex64: Float32Array.from([1, 2, -0, -0.5]),
    complex128: Float64Array.from([1, 2, -0, -0.5]),
    text: ['a', 'bcd', '', 'ü😀'],
    bytes: ['a', 'bcd', ''],
  }

  test.each(['dtypes.npz', 'dtypes-compressed.npz', 'dtypes-big-endian.npz'])('%s', async (name) => {
    const arrays = await decode(fixture(name))
    expect(Object.keys(arrays).sort()).toEqual(Object.keys(expected).sort())
    for (const [key, data] of Object.entries(expected)) {
      expect(arrays[key].dtype).toBe(key === 'text' || key === 'bytes' ? 'string' : key)
      expect(arrays[key].data).toEqual(data)
    }
  })

  test('shapes and orders', async () => {
    const arrays = await decode(fixture('shapes.npz'))
    const grid = Float32Array.from({ length: 24 }, (_, i) => i)
    expect(arrays.zero_d).toEqual({ data: Float64Array.of(5.5), shape: [], dtype: 'float64' })
    expect(arrays.one).toEqual({ data: grid, shape: [24], dtype: 'float32' })
    expect(arrays.two).toEqual({ data: grid, shape: [4, 6], dtype: 'float32' })
    expect(arrays.four).toEqual({ data: grid, shape: [2, 3, 1, 4], dtype: 'float32' })
    expect(arrays.none).toEqual({ data: new Int32Array(0), shape: [0], dtype: 'int32' })
    expect(arrays.empty).toEqual({ data: new Float64Array(0), shape: [3, 0, 2], dtype: 'float64' })
    expect(arrays.fortran_two).toEqual(arrays.two)
    expect(arrays.fortran_three).toEqual({ data: grid, shape: [2, 3, 4], dtype: 'float32' })
    expect(arrays.sliced).toEqual({
      data: Float32Array.of(5, 4, 3, 2, 1, 0, 17, 16, 15, 14, 13, 12),
      shape: [2, 6],
      dtype: 'float32',
    })
    expect(arrays.text_zero_d).toEqual({ data: ['word'], shape: [], dtype: 'string' })
    expect(arrays.text_fortran).toEqual({ data: ['a', 'b', 'c', 'dd'], shape: [2, 2], dtype: 'string' })
    expect(arrays.zero_width).toEqual({ data: ['', ''], shape: [2], dtype: 'string' })
  })

  test('names with folders, as TF.js and numpy give them', async () => {
    const named = { 'dense/kernel': [1], 'dense/bias/0': [2], 'a:0': [3] }
    expect(Object.keys(await decode(await encode(named)))).toEqual(Object.keys(named))
  })

  test('arrays without names, and with hostile ones', async () => {
    expect(Object.keys(await decode(fixture('unnamed.npz')))).toEqual(['arr_0', 'arr_1'])
    const hostile = await decode(fixture('hostile-names.npz'))
    expect(Object.getOwnPropertyNames(hostile)).toEqual(['__proto__', 'constructor', 'a/b'])
    expect(Object.getPrototypeOf(hostile)).toBe(Object.prototype)
  })

  test.each([1, 2, 3])('version %i of the format', async (version) => {
    const array = await decodeNpy(fixture(`version-${version}.npy`))
    expect(array).toEqual({ data: Int16Array.of(0, 1, 2, 3, 4, 5), shape: [2, 3], dtype: 'int16' })
  })

  test.each([
    ['object.npz', 'npz-object-dtype'],
    ['structured.npz', 'npy-dtype'],
    ['datetime.npz', 'npy-dtype'],
    ['longdouble.npz', 'npy-dtype'],
  ])('%s is refused', async (name, code) => {
    await expect(decode(fixture(name))).rejects.toMatchObject({ code, category: 'UnsupportedError' })
  })
})

describe('values', () => {
  test('the bytes of an array are those of numpy.save', async () => {
    const array = { data: Int16Array.of(0, 1, 2, 3, 4, 5), shape: [2, 3] }
    expect(Buffer.compare(Buffer.concat(npyParts(await npyArrayOf(array, 'array'))), fixture('version-1.npy'))).toBe(0)
  })

  const typed = fc.oneof(
    fc.int8Array(),
    fc.uint8Array(),
    fc.uint8ClampedArray(),
    fc.int16Array(),
    fc.uint16Array(),
    fc.int32Array(),
    fc.uint32Array(),
    fc.float32Array(),
    fc.float64Array(),
    fc.bigInt64Array(),
    fc.bigUint64Array(),
  )

  test('any typed arrays under any names come back bit for bit, and are left as they were', async () => {
    const name = fc
      .string({ minLength: 1, unit: 'grapheme' })
      // '.' and '..' are places, and refused.
      .filter((text) => text.normalize('NFC') === text && !/[/\\\p{Cc}\p{Cs}]|^\.{1,2}$/u.test(text))
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, typed), async (record) => {
        const before = Object.values(record).map((array) => array.slice())
        const decoded = await roundTrip(record)
        expect(Object.keys(decoded)).toEqual(Object.keys(record))
        for (const [key, array] of Object.entries(record)) {
          expect(Buffer.compare(bytesOf(decoded[key].data), bytesOf(array))).toBe(0)
          expect(decoded[key].shape).toEqual([array.length])
        }
        expect(Object.values(record)).toEqual(before)
      }),
    )
  })

  test('any shape comes back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(4), { maxLength: 5 }), async (shape) => {
        const count = shape.reduce((product, size) => product * size, 1)
        const data = Float32Array.from({ length: count }, (_, i) => i / 3)
        expect(await roundTrip({ t: { data, shape } })).toEqual({ t: { data, shape, dtype: 'float32' } })
      }),
    )
  })

  test('what was decoded can be encoded again', async () => {
    const arrays = await decode(fixture('dtypes.npz'))
    expect(await roundTrip(arrays)).toEqual(arrays)
  })

  test('a view at an odd place is only itself', async () => {
    const view = new Int16Array(atOddOffset(new Uint8Array([0, 1, 0, 2, 0, 3, 0, 4])).buffer, 4, 2)
    expect((await roundTrip(view)).arr_0.data).toEqual(view)
  })

  test.each([
    ['a number', 1.5, { data: Float64Array.of(1.5), shape: [], dtype: 'float64' }],
    ['a boolean', true, { data: Uint8Array.of(1), shape: [], dtype: 'bool' }],
    ['a bigint', -5n, { data: BigInt64Array.of(-5n), shape: [], dtype: 'int64' }],
    [
      'nested numbers',
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { data: Float64Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3], dtype: 'float64' },
    ],
    ['nested booleans', [[true], [false]], { data: Uint8Array.of(1, 0), shape: [2, 1], dtype: 'bool' }],
    ['large bigints', [1n, 2n ** 63n], { data: BigUint64Array.of(1n, 2n ** 63n), shape: [2], dtype: 'uint64' }],
    ['strings', ['a', 'ü😀', ''], { data: ['a', 'ü😀', ''], shape: [3], dtype: 'string' }],
    ['nothing', [], { data: new Float64Array(0), shape: [0], dtype: 'float64' }],
    ['rows of nothing', [[], []], { data: new Float64Array(0), shape: [2, 0], dtype: 'float64' }],
    [
      'plain data with a dtype',
      { data: [1, 2], shape: [2], dtype: 'int32' },
      { data: Int32Array.of(1, 2), shape: [2], dtype: 'int32' },
    ],
    [
      'plain integers as int64',
      { data: [1, -2], shape: [2], dtype: 'int64' },
      { data: BigInt64Array.of(1n, -2n), shape: [2], dtype: 'int64' },
    ],
    [
      'halves as bits',
      { data: Uint16Array.of(0x3c00), dims: [1], type: 'float16' },
      { data: Float32Array.of(1), shape: [1], dtype: 'float16' },
    ],
    [
      'halves as floats',
      { data: Float32Array.of(0.5), shape: [1], dtype: 'float16' },
      { data: Float32Array.of(0.5), shape: [1], dtype: 'float16' },
    ],
    [
      'bools as bytes',
      { data: Uint8Array.of(1, 0), shape: [2], dtype: 'bool' },
      { data: Uint8Array.of(1, 0), shape: [2], dtype: 'bool' },
    ],
    [
      'a clamped array',
      { data: Uint8ClampedArray.of(9), shape: [1], dtype: 'uint8_clamped' },
      { data: Uint8Array.of(9), shape: [1], dtype: 'uint8' },
    ],
    [
      'complex numbers',
      { data: Float32Array.of(1, 2), shape: [1], dtype: 'complex64' },
      { data: Float32Array.of(1, 2), shape: [1], dtype: 'complex64' },
    ],
  ])('%s', async (_, value, expected) => {
    expect(await roundTrip({ x: value })).toEqual({ x: expected })
  })

  test('one array, several without names, and a Map', async () => {
    expect(Object.keys(await roundTrip(Float32Array.of(1)))).toEqual(['arr_0'])
    expect(Object.keys(await roundTrip([Float32Array.of(1), Int8Array.of(1)]))).toEqual(['arr_0', 'arr_1'])
    expect(await roundTrip(new Map([['w', [1]]]))).toEqual({
      w: { data: Float64Array.of(1), shape: [1], dtype: 'float64' },
    })
    expect(await roundTrip({})).toEqual({})
  })

  test('tensors of TF.js, ONNX Runtime and ndarray', async () => {
    class TensorflowTensor {
      shape = [2, 2]
      dtype = 'float32'
      data = async () => Float32Array.of(1, 2, 3, 4)
    }
    class OnnxTensor {
      dims = [2]
      type = 'int64'
      get data(): never {
        throw new Error('The data is not on CPU.')
      }
      getData = async () => BigInt64Array.of(1n, 2n)
    }
    class View2d {
      // A transposed 2 x 3 view that starts at element 1, and another that runs backwards.
      data = Int32Array.of(9, 1, 2, 3, 4, 5, 6)
      shape = [3, 2]
      stride = [1, 3]
      offset = 1
      dtype = 'int32'
    }
    class Backwards extends View2d {
      override shape = [3]
      override stride = [-2]
      override offset = 6
    }
    const decoded = await roundTrip({
      tf: new TensorflowTensor(),
      onnx: new OnnxTensor(),
      nd: new View2d(),
      back: new Backwards(),
    })
    expect(decoded.tf).toEqual({ data: Float32Array.of(1, 2, 3, 4), shape: [2, 2], dtype: 'float32' })
    expect(decoded.onnx).toEqual({ data: BigInt64Array.of(1n, 2n), shape: [2], dtype: 'int64' })
    expect(decoded.nd).toEqual({ data: Int32Array.of(1, 4, 2, 5, 3, 6), shape: [3, 2], dtype: 'int32' })
    expect(decoded.back.data).toEqual(Int32Array.of(6, 4, 2))
  })

  test('ndarrays of stdlib, and the names ndarray gives to its types', async () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6)
    const decoded = await roundTrip({
      // Column-major, as stdlib has it; TF.js says only the first stride.
      turned: { data, shape: [2, 3], strides: [1, 2], offset: 0, dtype: 'float32' },
      flow: { data, shape: [2, 3], strides: [3], dtype: 'float32' },
      long: { data: BigInt64Array.of(1n, -1n), shape: [2], stride: [-1], offset: 1, dtype: 'bigint64' },
      bytes: { data: Buffer.from([1, 2, 3, 4]), shape: [2, 2], stride: [1, 2], offset: 0, dtype: 'buffer' },
      complex: { data: Float32Array.of(1, 2, 3, 4), shape: [2], stride: [-1], offset: 1, dtype: 'complex64' },
    })
    expect(decoded.turned.data).toEqual(Float32Array.of(1, 3, 5, 2, 4, 6))
    expect(decoded.flow.data).toEqual(data)
    expect(decoded.long).toEqual({ data: BigInt64Array.of(-1n, 1n), shape: [2], dtype: 'int64' })
    expect(decoded.bytes).toEqual({ data: Uint8Array.of(1, 3, 2, 4), shape: [2, 2], dtype: 'uint8' })
    expect(decoded.complex).toEqual({ data: Float32Array.of(3, 4, 1, 2), shape: [2], dtype: 'complex64' })
  })

  test('a preview tells shapes and ranges, and stays small', async () => {
    const encoded = await npzCodec.encode({
      w: { data: Float32Array.of(1, NaN, -3, 4), shape: [2, 2] },
      ids: BigInt64Array.of(5n, 2n ** 60n),
      far: Float64Array.of(1, Infinity),
      words: ['a'],
    })
    const size = (await collect(encoded.body)).length
    expect(encoded.size).toBe(size)
    expect(encoded.preview()).toEqual({
      kind: 'npz',
      count: 4,
      arrays: [
        { name: 'w', dtype: 'float32', shape: [2, 2], min: -3, max: 4, mean: 2 / 3, nans: 1 },
        { name: 'ids', dtype: 'int64', shape: [2], min: 5, max: '1152921504606846976' },
        { name: 'far', dtype: 'float64', shape: [2], min: 1, max: 'Infinity', mean: 1 },
        { name: 'words', dtype: 'string', shape: [1] },
      ],
    })
    const many = await npzCodec.encode(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`a${i}`, [i]])))
    await collect(many.body)
    expect(many.preview()).toMatchObject({ count: 300, arrays: { length: 100 } })
  })

  test('the data of a typed array is not copied', async () => {
    const data = new Float32Array(1_000_000)
    const encoded = await npzCodec.encode({ data })
    let shared = 0
    for await (const piece of encoded.body) if (piece.buffer === data.buffer) shared += piece.length
    expect(shared).toBe(4_000_000)
  })
})

describe('refused', () => {
  test.each([
    ['an irregular array', { x: [[1, 2], [3]] }, 'npz-shape', '[1]'],
    ['an element among arrays', { x: [[1], 2] }, 'npz-shape', '[1]'],
    ['an array among elements', { x: [1, [2]] }, 'npz-shape', '[1]'],
    [
      'mixed kinds',
      {
        x: [
          [1, 2],
          [3, 'four'],
        ],
      },
      'npz-value',
      '[1, 1]',
    ],
    ['null as an element', { x: [1, null] }, 'npz-value', '[1]'],
    ['an object', { x: { a: 1 } }, 'npz-value', "'x'"],
    ['a function', { x: () => 1 }, 'npz-value', "'x'"],
    ['undefined', { x: undefined }, 'npz-value', "'x'"],
    ['data longer than the shape', { x: { data: new Float32Array(5), shape: [2, 2] } }, 'npz-shape', '[2, 2]'],
    ['data shorter than the shape', { x: { data: new Float32Array(3), shape: [2, 2] } }, 'npz-shape', '[2, 2]'],
    [
      'another dtype than the data',
      { x: { data: new Float32Array(1), shape: [1], dtype: 'int32' } },
      'npz-dtype',
      'int32',
    ],
    ['an unknown dtype', { x: { data: new Uint8Array(1), shape: [1], dtype: 'int4' } }, 'npz-dtype', 'int4'],
    ['bools that are not', { x: { data: Uint8Array.of(2), shape: [1], dtype: 'bool' } }, 'npz-dtype', 'bool'],
    ['numbers that are no bools', { x: { data: [0, 1, 2], shape: [3], dtype: 'bool' } }, 'npz-dtype', '[2]'],
    ['half an offset', { x: { data: new Int8Array(4), shape: [1], stride: [1], offset: 0.5 } }, 'npz-shape', "'x'"],
    ['half a stride', { x: { data: new Int8Array(4), shape: [2], stride: [0.5], offset: 0 } }, 'npz-shape', "'x'"],
    ['a fraction as an integer', { x: { data: [1, 1.5], shape: [2], dtype: 'int8' } }, 'npz-dtype', '1.5'],
    ['an integer out of range', { x: { data: [1, 300], shape: [2], dtype: 'int8' } }, 'npz-dtype', '300'],
    ['a bigint beyond 64 bits', { x: [2n ** 64n] }, 'npz-value', '[0]'],
    ['bigints no type holds together', { x: [2n ** 63n, -1n] }, 'npz-value', '[1]'],
    [
      'strides beyond the data',
      { x: Object.create({}, props({ data: new Int8Array(4), shape: [3], stride: [2], offset: 0 })) },
      'npz-shape',
      "'x'",
    ],
    ['a string that ends in NUL', { x: ['a\0'] }, 'npz-string', "'x'"],
    ['an empty name', { '': [1] }, 'npz-name', "''"],
    ['a name that is a folder', { 'a/': [1] }, 'npz-name', "'a/'"],
    ['a name from the root', { '/a': [1] }, 'npz-name', "'/a'"],
    ['a name that leads elsewhere', { 'a/../b': [1] }, 'npz-name', "'a/../b'"],
    ['two spellings of one name', { '\u00e9': [1], 'e\u0301': [2] }, 'npz-name', '\u00e9'],
    ['a name that is no string', new Map([[1, [1]]]), 'npz-name', '1'],
    ['65 dimensions', { x: { data: new Int8Array(1), shape: new Array(65).fill(1) } }, 'npz-shape', '64'],
  ])('%s', async (_, value, code, named) => {
    const encoding = (async () => npzCodec.encode(value))()
    await expect(encoding).rejects.toMatchObject({ code, category: 'InvalidInputError' })
    await expect(encoding).rejects.toThrow(named)
  })

  const header = (text: string, data = 0) => {
    const bytes = new Uint8Array(10 + text.length + data)
    bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length])
    bytes.set(new TextEncoder().encode(text), 10)
    return bytes
  }

  test.each([
    ['no dictionary', header('import os'), 'npy-damaged'],
    [
      'code in the shape',
      header("{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os'),)}"),
      'npy-damaged',
    ],
    [
      'a key twice',
      header("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4),
      'npy-damaged',
    ],
    ['another key', header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': (1,)}", 4), 'npy-damaged'],
    ['no order', header("{'descr': '<f4', 'shape': (1,)}", 4), 'npy-damaged'],
    ['a shape that is no tuple', header("{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", 4), 'npy-damaged'],
    ['a negative size', header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"), 'npy-damaged'],
    [
      'more elements than bytes',
      header("{'descr': '<f4', 'fortran_order': False, 'shape': (9000000000,)}", 4),
      'npy-damaged',
    ],
    ['fewer elements than bytes', header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 5), 'npy-damaged'],
    [
      'a shape beyond numbers',
      header("{'descr': '<f4', 'fortran_order': False, 'shape': (9007199254740991, 9007199254740991)}"),
      'npy-damaged',
    ],
    [
      'endless strings of no length',
      header("{'descr': '<U0', 'fortran_order': False, 'shape': (9007199254740991,)}"),
      'npy-damaged',
    ],
    [
      'a character there is not',
      Uint8Array.from([...header("{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}"), 255, 255, 255, 255]),
      'npy-damaged',
    ],
    ['a header cut short', header("{'descr': '<f4', 'fortran_order'").slice(0, 30), 'npy-damaged'],
    ['nothing', new Uint8Array(0), 'npy-damaged'],
    ['another version', Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 9, 0, 0, 0, 0, 0]), 'npy-version'],
  ])('%s', async (_, bytes, code) => {
    await expect(decodeNpy(atOddOffset(bytes))).rejects.toMatchObject({ code })
  })

  test('a member that is no array', async () => {
    const archive = await collect(writeZip([{ path: 'readme.txt', body: new Uint8Array(3) }]))
    await expect(decode(archive)).rejects.toMatchObject({ code: 'npz-member' })
  })

  test('any damage is noticed or harmless, never another error', async () => {
    const archives = readdirSync(folder)
      .filter((name) => name.endsWith('.npz'))
      .map(fixture)
    const damage = fc.record({
      which: fc.nat(archives.length - 1),
      at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      value: fc.integer({ min: 1, max: 255 }),
    })
    await fc.assert(
      fc.asyncProperty(damage, async ({ which, at, value }) => {
        const archive = archives[which].slice()
        archive[Math.floor(at * archive.length)] ^= value
        await decode(archive).catch((error) => {
          if (!isTidemarkError(error)) throw error
        })
      }),
      { numRuns: 2_000 },
    )
  })

  test('any damage of a header is noticed or harmless, never another error', async () => {
    const original = fixture('version-1.npy')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (edits) => {
          const bytes = original.slice()
          for (const [at, value] of edits) bytes[at] = value
          try {
            await decodeNpy(bytes)
          } catch (error) {
            if (!isTidemarkError(error)) throw error
          }
        },
      ),
      { numRuns: 5_000 },
    )
  })
})

test('every half comes back from float32, and floats round to the nearest half', () => {
  const all = Uint16Array.from({ length: 65_536 }, (_, i) => i)
  expect(float32ToFloat16(float16ToFloat32(all))).toEqual(all)
  const cases = Float32Array.of(
    65519.99,
    65520,
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    2 ** -25,
    1.5 * 2 ** -25,
    1e-10,
    -65520,
  )
  expect([...float32ToFloat16(cases)]).toEqual([0x7bff, 0x7c00, 0x3c00, 0x3c02, 0, 1, 0, 0xfc00])
  expect([...float32ToFloat16([1, 0.1])]).toEqual([0x3c00, 0x2e66])
})

function bytesOf(data: DecodedArray['data'] | Uint8ClampedArray): Uint8Array {
  if (!ArrayBuffer.isView(data)) throw new Error('no typed array')
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

function props(values: Record<string, unknown>): PropertyDescriptorMap {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value, enumerable: true }]))
}
