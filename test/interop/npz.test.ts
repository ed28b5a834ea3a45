import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { npzCodec } from '../../src/codecs/npz.ts'
import { arrays } from '../../src/index.ts'
import { assetOf } from '../codecs/asset-of.ts'
import { bytesOf, give, temporaryFolder } from './exchange.ts'
import { python, pythonJson } from './python.ts'

const load = `
import json, sys
import numpy as np
with np.load(sys.argv[1], allow_pickle=False) as file:
    print(json.dumps({name: {
        'dtype': file[name].dtype.str, 'shape': file[name].shape, 'c': file[name].flags.c_contiguous,
        'bytes': file[name].tobytes().hex(), 'list': file[name].tolist() if file[name].dtype.kind in 'US' else None,
    } for name in file.files}))
`

function hexOf(data: ArrayBufferView): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')
}

describe('numpy reads what we write', () => {
  it('every type of element', async () => {
    const edges = [0, 1, 2, 127, 250].map((value) => value)
    const given: Record<string, [typed: ArrayBufferView & { length: number }, code: string]> = {
      int8: [Int8Array.from([-128, 127, 0]), '|i1'],
      int16: [Int16Array.from([-32_768, 32_767, 1]), '<i2'],
      uint16: [Uint16Array.from([65_535, 0, 1]), '<u2'],
      int32: [Int32Array.from([-(2 ** 31), 2 ** 31 - 1]), '<i4'],
      uint32: [Uint32Array.from([2 ** 32 - 1, 0]), '<u4'],
      int64: [BigInt64Array.from([-(2n ** 63n), 2n ** 63n - 1n]), '<i8'],
      uint64: [BigUint64Array.from([2n ** 64n - 1n, 0n]), '<u8'],
      float32: [Float32Array.from([0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e-45]), '<f4'],
      float64: [Float64Array.from([0, -0, 0.1, Number.NaN, Number.NEGATIVE_INFINITY, 5e-324]), '<f8'],
      uint8: [Uint8Array.from(edges), '|u1'],
      clamped: [Uint8ClampedArray.from(edges), '|u1'],
    }
    const path = await give(arrays(Object.fromEntries(Object.entries(given).map(([name, [typed]]) => [name, typed]))))
    const expected = Object.fromEntries(
      Object.entries(given).map(([name, [typed, dtype]]) => [
        name,
        { dtype, shape: [typed.length], c: true, bytes: hexOf(typed), list: null },
      ]),
    )
    expect(pythonJson(load, path)).toEqual(expected)
  })

  it('half precision, booleans, complex numbers, text', async () => {
    const path = await give(
      arrays({
        half: { data: Uint16Array.from([0x3c00, 0x7c00, 0x8000]), shape: [3], dtype: 'float16' },
        bool: [true, false, true],
        complex: { data: Float32Array.from([1, 2, -3, 0.5]), shape: [2], dtype: 'complex64' },
        wide: { data: Float64Array.from([1, 2]), shape: [1], dtype: 'complex128' },
        text: ['a', 'bcd', '', 'ü😀'],
        big: [1n, 2n ** 40n],
      }),
    )
    expect(pythonJson(load, path)).toMatchObject({
      half: { dtype: '<f2', bytes: '003c007c0080' },
      bool: { dtype: '|b1', bytes: '010001' },
      complex: { dtype: '<c8', shape: [2], bytes: hexOf(Float32Array.from([1, 2, -3, 0.5])) },
      wide: { dtype: '<c16', shape: [1] },
      text: { dtype: '<U3', list: ['a', 'bcd', '', 'ü😀'] },
      big: { dtype: '<i8', bytes: hexOf(BigInt64Array.from([1n, 2n ** 40n])) },
    })
  })

  it('every number of dimensions, none and empty ones too, in C order', async () => {
    const data = Float32Array.from({ length: 120 }, (_, i) => i)
    const shapes = [[120], [120, 1], [2, 60], [4, 5, 6], [2, 3, 4, 5], [1, 2, 3, 4, 5, 1, 1], [5, 4, 3, 2, 1]]
    const given = Object.fromEntries(shapes.map((shape) => [`x${shape.join('_')}`, { data, shape }]))
    const path = await give(
      arrays({
        ...given,
        none: 5.5,
        empty: new Float64Array(0),
        flat: { data: new Int32Array(0), shape: [3, 0, 2] },
        nested: [
          [1, 2, 3],
          [4, 5, 6],
        ],
      }),
    )
    expect(pythonJson(load, path)).toMatchObject({
      ...Object.fromEntries(
        shapes.map((shape) => [`x${shape.join('_')}`, { dtype: '<f4', shape, c: true, bytes: hexOf(data) }]),
      ),
      none: { dtype: '<f8', shape: [], bytes: hexOf(Float64Array.of(5.5)) },
      empty: { dtype: '<f8', shape: [0] },
      flat: { dtype: '<i4', shape: [3, 0, 2] },
      nested: { dtype: '<f8', shape: [2, 3], bytes: hexOf(Float64Array.of(1, 2, 3, 4, 5, 6)) },
    })
  })

  it('one array without a name, a view on part of a buffer, names of every kind, a thousand members', async () => {
    expect(pythonJson(load, await give(new Float32Array([1, 2])))).toMatchObject({ arr_0: { shape: [2] } })
    const view = new Int16Array(new ArrayBuffer(20), 6, 3).fill(7)
    const names = ['with space', 'ünïcode', '名前', 'dots.in.it', '__proto__', 'constructor', 'A', 'a']
    const given: [string, Int16Array][] = names.map((name) => [name, view])
    const many: [string, Int16Array][] = Array.from({ length: 1000 }, (_, i) => [`n${i}`, Int16Array.of(i)])
    const loaded = pythonJson(load, await give(arrays(Object.fromEntries([...given, ...many]))))
    expect(Object.entries(Object(loaded)).length).toBe(names.length + 1000)
    for (const name of names) expect(Object.getOwnPropertyDescriptor(loaded, name)?.value.bytes).toBe('070007000700')
  })
})

const kinds = [
  'bool',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float16',
  'float32',
  'float64',
  'complex64',
  'complex128',
]

const save = `
import json, sys
import numpy as np
random = np.random.default_rng(int(sys.argv[2]))
given = {}
for kind in ${JSON.stringify(kinds)}:
    for shape in [(), (7,), (0,), (3, 4), (2, 3, 4), (2, 0, 3)]:
        raw = random.integers(0, 2 if kind == 'bool' else 256, size=int(np.prod(shape)) * np.dtype(kind).itemsize, dtype=np.uint8)
        array = np.frombuffer(raw.tobytes(), dtype=kind).reshape(shape)
        for order in 'CF':
            for end in '<>':
                name = f'{kind}_{"x".join(map(str, shape))}_{order}_{"big" if end == ">" else "little"}'
                # np.array keeps the shape of a 0-d array, where asfortranarray does not.
                given[name] = np.array(array, order=order).astype(np.dtype(kind).newbyteorder(end))
given['text'] = np.array([['a', 'bcd'], ['', 'ü😀']], order='F')
given['bytes'] = np.array([b'a', b'bcd'])
getattr(np, sys.argv[3])(sys.argv[1], **given)
print(json.dumps({name: {'shape': list(array.shape), 'bytes': array.astype(array.dtype.newbyteorder('<')).tobytes('C').hex()}
                  for name, array in given.items() if array.dtype.kind not in 'US'}))
`

interface Member {
  data: unknown
  shape: number[]
  dtype: string
}

function isMembers(value: unknown): value is Record<string, Member> {
  return typeof value === 'object' && value !== null
}

async function decode(path: string): Promise<Record<string, Member>> {
  const members = await npzCodec.decode(assetOf(await bytesOf(path), path))
  if (!isMembers(members)) throw new TypeError('not a record of arrays')
  return members
}

describe('we read what numpy writes', () => {
  it.each(['savez', 'savez_compressed'])(
    '%s: every type, both byte orders, C and Fortran, every shape',
    async (how) => {
      const path = join(await temporaryFolder(), 'numpy.npz')
      const expected: Record<string, { shape: number[]; bytes: string }> = Object(pythonJson(save, path, '7', how))
      const members = await decode(path)
      expect(Object.keys(members).length).toBe(Object.keys(expected).length + 2)
      for (const [name, { shape, bytes }] of Object.entries(expected)) {
        const { data, dtype } = members[name]
        expect([name, members[name].shape]).toEqual([name, shape])
        expect(name.startsWith(dtype)).toBe(true)
        // Half floats come as float32, which holds each of them; numpy itself says below that they are the same numbers.
        if (dtype !== 'float16' && ArrayBuffer.isView(data)) expect([name, hexOf(data)]).toEqual([name, bytes])
      }
      expect(members.text).toMatchObject({ shape: [2, 2], dtype: 'string', data: ['a', 'bcd', '', 'ü😀'] })
    },
  )

  it('what was read, logged again, is the same to numpy', async () => {
    const path = join(await temporaryFolder(), 'numpy.npz')
    python(save, path, '8', 'savez')
    const again = await give(arrays(await decode(path)))
    expect(
      pythonJson(
        `
import json, sys
import numpy as np
before, after = np.load(sys.argv[1]), np.load(sys.argv[2])
# A signalling NaN becomes a quiet one on its way through float32: equal as numbers, so they are compared as numbers.
print(json.dumps([name for name in before.files if before[name].shape != after[name].shape or before[name].dtype.kind not in ('S', after[name].dtype.kind)
    or not np.array_equal(before[name].astype('U') if before[name].dtype.kind == 'S' else before[name], after[name], equal_nan=before[name].dtype.kind in 'fc')]))
`,
        path,
        again,
      ),
    ).toEqual([])
  })

  it('refuses objects, which would have to be unpickled, and records', async () => {
    const folder = await temporaryFolder()
    python(
      `
import sys
import numpy as np
np.savez(sys.argv[1] + '/object.npz', fine=np.arange(2), bad=np.array([{'a': 1}, print], dtype=object))
np.savez(sys.argv[1] + '/records.npz', records=np.zeros(2, dtype=[('x', '<i4'), ('y', '<f8')]))
np.savez(sys.argv[1] + '/dates.npz', dates=np.array(['2020-01-01'], dtype='datetime64[s]'))
`,
      folder,
    )
    await expect(decode(join(folder, 'object.npz'))).rejects.toMatchObject({ code: 'npz-object-dtype' })
    await expect(decode(join(folder, 'records.npz'))).rejects.toMatchObject({ category: 'UnsupportedError' })
    await expect(decode(join(folder, 'dates.npz'))).rejects.toMatchObject({ category: 'UnsupportedError' })
  })
})
