import { Readable } from 'node:stream'
import { Float64, makeData, RecordBatch, Table, tableFromIPC, tableToIPC, Vector } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { detect } from '../../src/codecs/detect.ts'
import { arrays, file, folder, glob, image, json, table, text, unwrap } from '../../src/codecs/values.ts'

class Tensor {
  readonly shape = [2, 2]
  readonly dtype = 'float32'
  dataSync() {
    return new Float32Array(4)
  }
}

class OnnxTensor {
  readonly dims = [2, 2]
  readonly type = 'float32'
  get data(): never {
    throw new Error('on the GPU: detection must not read it')
  }
}

class Frame {
  toArrow() {
    return undefined
  }
}

class Canvas {
  width = 2
  height = 2
  getContext() {
    return {}
  }
}

class Offscreen {
  width = 2
  height = 2
  convertToBlob() {
    return Promise.resolve(new Blob([]))
  }
}

class Bitmap {
  width = 2
  height = 2
  get [Symbol.toStringTag]() {
    return 'ImageBitmap'
  }
}

class Img {
  width = 2
  height = 2
  naturalWidth = 2
}

class DirectoryHandle {
  readonly kind = 'directory'
  readonly name = 'photos'
  async *values() {
    yield* []
  }
  [Symbol.asyncIterator]() {
    return this.values()
  }
}

class FileHandle {
  readonly kind = 'file'
  readonly name = 'a.png'
  async getFile() {
    return new File([], 'a.png')
  }
}

class FileListLike {
  readonly length = 1
  readonly 0 = new File(['x'], 'a.txt')
  item() {
    return this[0]
  }
  get [Symbol.toStringTag]() {
    return 'FileList'
  }
}

class Items {
  readonly length = 2
  readonly 0 = { kind: 'string', getAsFile: () => null }
  readonly 1 = { kind: 'file', getAsFile: () => new File(['x'], 'dropped.txt') }
}

const arrow = new Table({ x: new Vector([makeData({ type: new Float64(), data: new Float64Array([1, 2]) })]) })
const record = {
  id: 1,
  name: 'a',
  ok: true,
  none: null,
  missing: undefined,
  big: 1n,
  at: new Date(0),
  bytes: new Uint8Array(2),
  vector: new Float32Array(2),
}
const pixels = { width: 1, height: 1, data: new Uint8ClampedArray(4) }

describe('detect', () => {
  it.each<[string, unknown, string, boolean]>([
    ['an Arrow table', arrow, 'table', false],
    ['an Arrow table read back', tableFromIPC(tableToIPC(arrow)), 'table', false],
    ['a record batch', arrow.batches[0], 'table', false],
    ['record batches', arrow.batches, 'table', false],
    ['a data frame that gives Arrow', new Frame(), 'table', false],
    ['flat records', [record, { id: 2 }], 'table', false],
    ['one flat record', [{ a: 1 }], 'table', false],
    ['null-prototype records', [Object.assign(Object.create(null), { a: 1 })], 'table', false],
    ['an empty array', [], 'json', false],
    ['records without a cell', [{}, {}], 'json', false],
    ['a nested record', [{ a: 1 }, { a: { b: 1 } }], 'json', false],
    ['a record with a list', [{ a: [1] }], 'json', false],
    ['an array of numbers', [1, 2, 3], 'json', false],
    [
      'nested numbers',
      [
        [1, 2],
        [3, 4],
      ],
      'json',
      false,
    ],
    ['mixed elements', [{ a: 1 }, 2], 'json', false],
    ['a dict', { lr: 0.1, layers: [64] }, 'json', false],
    ['a dict called like a tensor', { data: [1, 2], shape: 'round' }, 'json', false],
    ['a dict with width and height', { width: 1, height: 2 }, 'json', false],
    ['a dict with a list of what was dropped', { dropped: [], kept: ['a'] }, 'json', false],
    ['a dict about a video', { videoWidth: 1280, displayWidth: 640, naturalWidth: 1 }, 'json', false],
    ['a dict with a then', Object.fromEntries([['then', 1]]), 'json', false],
    ['a null-prototype dict', Object.create(null), 'json', false],
    ['a number', 1, 'json', false],
    ['NaN', Number.NaN, 'json', false],
    ['a bigint', 1n, 'json', false],
    ['a boolean', false, 'json', false],
    ['null', null, 'json', false],
    ['a Date', new Date(0), 'json', false],
    ['a Map', new Map(), 'json', false],
    ['a Set', new Set(), 'json', false],
    ['Float32Array', new Float32Array(2), 'npz', false],
    ['Uint8ClampedArray', new Uint8ClampedArray(2), 'npz', false],
    ['Int8Array', new Int8Array(2), 'npz', false],
    ['BigInt64Array', new BigInt64Array(2), 'npz', false],
    ['a TF.js tensor', new Tensor(), 'npz', false],
    ['an ONNX tensor', new OnnxTensor(), 'npz', false],
    ['a plain tensor', { data: new Float32Array(4), shape: [2, 2] }, 'npz', false],
    ['a plain tensor of a list', { data: [1, 2], dims: [2], type: 'float32' }, 'npz', false],
    ['a 0-d tensor', { data: new Float32Array(1), shape: [] }, 'npz', false],
    ['pixels', pixels, 'png', false],
    ['a canvas', new Canvas(), 'png', false],
    ['an OffscreenCanvas', new Offscreen(), 'png', false],
    ['an ImageBitmap', new Bitmap(), 'png', false],
    ['an <img>', new Img(), 'png', false],
    ['an Uint8Array', new Uint8Array(2), 'file', false],
    ['a Buffer', Buffer.from('x'), 'file', false],
    ['a DataView', new DataView(new ArrayBuffer(2)), 'file', false],
    ['an ArrayBuffer', new ArrayBuffer(2), 'file', false],
    ['a SharedArrayBuffer', new SharedArrayBuffer(2), 'file', false],
    ['a Blob', new Blob(['x']), 'file', false],
    ['a File', new File(['x'], 'a.txt'), 'file', false],
    ['a ReadableStream', new Blob(['x']).stream(), 'file', false],
    ['a Node stream', Readable.from([Buffer.from('x')]), 'file', false],
    ['a Response', new Response('x'), 'file', true],
    ['an async generator', new DirectoryHandle().values(), 'file', false],
    ['a URL', new URL('https://example.com/a.csv'), 'file', true],
    ['a file URL', new URL('file:///a.csv'), 'file', true],
    ['a file handle', new FileHandle(), 'file', true],
    ['a directory handle', new DirectoryHandle(), 'zip', true],
    ['a FileList', new FileListLike(), 'zip', true],
    ['an array of File', [new File(['x'], 'a.txt')], 'zip', true],
    ['dropped items', new Items(), 'zip', true],
    ['a string', './photos', 'string', true],
    ['table(...)', table([{ a: { b: 1 } }]), 'table', false],
    ['table(columns)', table({ a: [1], b: new Float64Array(1) }), 'table', false],
    ['json(...)', json([{ a: 1 }]), 'json', false],
    [
      'arrays(...)',
      arrays([
        [1, 2],
        [3, 4],
      ]),
      'npz',
      false,
    ],
    ['image(...)', image({ data: new Uint8Array(3), shape: [1, 1, 3] }), 'png', false],
    ['text(...)', text('./photos'), 'text', false],
    ['file(bytes)', file(new Uint8Array(2)), 'file', false],
    ['file(path)', file('a.csv'), 'file', true],
    ['folder(...)', folder('./photos'), 'zip', true],
    ['glob(...)', glob('*.jpg'), 'zip', true],
  ])('%s', (_, value, kind, source) => {
    expect(detect(value)).toMatchObject({ kind, source })
  })

  it('knows values of another realm', async () => {
    const { runInNewContext } = await import('node:vm')
    const of = (code: string) => detect(runInNewContext(code)).kind
    expect(of('({ a: 1 })')).toBe('json')
    expect(of('[{ a: 1, at: new Date() }]')).toBe('table')
    expect(of('new Uint8Array(2)')).toBe('file')
    expect(of('new Float64Array(2)')).toBe('npz')
    expect(of('new Map()')).toBe('json')
  })

  class Settings {
    lr = 1
  }
  it.each<[string, unknown, string]>([
    ['a promise', Promise.resolve(1), 'Await it'],
    ['a function', () => 1, 'registerArtifact'],
    ['undefined', undefined, 'null'],
    ['a symbol', Symbol('x'), 'text'],
    ['a class instance', new Settings(), 'Settings'],
    ['a RegExp', /x/, 'RegExp'],
    ['an Error', new Error('x'), 'Error'],
    ['a WeakMap', new WeakMap(), 'WeakMap'],
    ['a boxed string', new String('x'), 'String'],
    ['a generator', [1].values(), 'Spread it'],
  ])('refuses %s, saying what helps', (_, value, advice) => {
    expect(() => detect(value)).toThrow(
      expect.objectContaining({ code: 'unsupported-value', category: 'InvalidInputError' }),
    )
    expect(() => detect(value)).toThrow(advice)
  })

  it('takes dropped items out of their list at once', () => {
    expect(detect(new Items()).value).toMatchObject({ dropped: [{ file: { name: 'dropped.txt' } }] })
    expect(unwrap(folder(new Items())).value).toMatchObject({ dropped: [{ file: { name: 'dropped.txt' } }] })
  })

  it('never reads the elements of typed data', () => {
    expect(detect({ data: new Float32Array(10), dims: new Uint32Array([2, 5]) }).kind).toBe('npz')
    expect(new RecordBatch({ x: makeData({ type: new Float64(), data: new Float64Array(1) }) })).toSatisfy(
      (b) => detect(b).kind === 'table',
    )
  })
})
