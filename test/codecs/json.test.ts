import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonCodec } from '../../src/codecs/json.ts'
import { joined, piecesOf, readerOf } from './table-support.ts'

async function encode(value: unknown) {
  const encoded = await jsonCodec.encode(value)
  const bytes = joined(await piecesOf(encoded))
  return { encoded, bytes, text: new TextDecoder().decode(bytes) }
}

function decode(text: string | Uint8Array): Promise<unknown> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  return jsonCodec.decode(readerOf(bytes))
}

async function roundTrip(value: unknown): Promise<unknown> {
  const { bytes } = await encode(value)
  return decode(bytes)
}

describe('plain data', () => {
  it('is plain JSON, in the order it was given, short lists on one line', async () => {
    const { text, encoded } = await encode({ lr: 0.001, layers: [64, 64], b: { z: 1, a: [{ x: null }, true, 'ü\n'] } })
    expect(text).toBe(`{
  "lr": 0.001,
  "layers": [64, 64],
  "b": {
    "z": 1,
    "a": [
      {"x": null},
      true,
      "ü\\n"
    ]
  }
}
`)
    expect(encoded).toMatchObject({ kind: 'json', extension: '.json', mediaType: 'application/json', cuts: 'content' })
  })

  it('is read by any JSON parser', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const { text } = await encode(value)
        const plain = JSON.parse(JSON.stringify(value))
        if (!JSON.stringify(value).includes('$tidemark') && !hasNegativeZero(value))
          expect(JSON.parse(text)).toEqual(plain)
        expect(await decode(text)).toEqual(value)
      }),
    )
  })
})

function hasNegativeZero(value: unknown): boolean {
  if (Object.is(value, -0)) return true
  return typeof value === 'object' && value !== null && Object.values(value).some(hasNegativeZero)
}

describe('what JSON has no notation for', () => {
  const cases: [string, unknown][] = [
    ['NaN', Number.NaN],
    ['infinities', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ['negative zero', { a: -0 }],
    ['undefined in a list', [1, undefined, 2]],
    ['undefined alone', undefined],
    ['bigints', { a: 2n ** 200n, b: -1n }],
    ['Dates', [new Date(0), new Date(-8.64e15)]],
    [
      'Maps',
      new Map<unknown, unknown>([
        [{ a: 1 }, new Map([[1n, [Number.NaN]]])],
        ['k', undefined],
      ]),
    ],
    ['Sets', new Set([1, 'a', new Set([-0])])],
    [
      'typed arrays',
      [Float32Array.of(0.1, Number.NaN, -0), Int8Array.of(-1), BigUint64Array.of(2n ** 64n - 1n), new Float64Array(0)],
    ],
    ['bytes', [Uint8Array.of(0, 255, 7), Uint8Array.of(1, 2, 3, 4).buffer, Uint8ClampedArray.of(9)]],
    ['a view at an odd offset', new Uint8Array(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2)],
    ['objects that look like ours', { $tidemark: 'NaN', other: { $tidemark: ['Map', []] } }],
    ['lone surrogates', '\ud800 \udc00'],
    ['no prototype', { a: 1 }],
  ]
  it.each(cases)('%s', async (_, value) => {
    expect(await roundTrip(value)).toStrictEqual(value)
    expect(() =>
      JSON.parse(
        new TextDecoder().decode(
          new TextEncoder().encode(
            JSON.stringify(value ?? null, (_, inner) => (typeof inner === 'bigint' ? 0 : inner)),
          ),
        ),
      ),
    ).not.toThrow()
  })

  it('invalid Dates and DataViews', async () => {
    const date = await roundTrip(new Date(Number.NaN))
    expect(date instanceof Date && Number.isNaN(date.getTime())).toBe(true)
    const view = await roundTrip(new DataView(Uint8Array.of(1, 2, 3).buffer, 1))
    expect(view instanceof DataView && [view.byteLength, view.getUint8(0)]).toEqual([2, 2])
  })

  it('undefined properties are left out, holes of lists are undefined', async () => {
    expect(Object.keys((await roundTrip({ a: undefined, b: 1 })) ?? {})).toEqual(['b'])
    const holes: unknown[] = []
    holes[2] = 'x'
    expect(await roundTrip(holes)).toEqual([undefined, undefined, 'x'])
  })

  it('any of it, in any nesting, comes back equal', async () => {
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.oneof(
          fc.double(),
          fc.string({ unit: 'binary' }),
          fc.boolean(),
          fc.constantFrom(null, -0, Number.NaN),
          fc.bigInt(),
          fc.date({ noInvalidDate: true }),
          fc.uint8Array(),
          fc.float32Array(),
          fc.bigInt64Array(),
        ),
        fc.array(tie('node')),
        fc.dictionary(
          fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('$tidemark', '__proto__', 'constructor', '')),
          tie('node'),
        ),
        fc.array(fc.tuple(tie('node'), tie('node'))).map((entries) => new Map(entries)),
        fc.array(tie('node')).map((values) => new Set(values)),
      ),
    })).node
    await fc.assert(
      fc.asyncProperty(value, async (given) => {
        const { text } = await encode(given)
        expect(() => JSON.parse(text)).not.toThrow()
        expect(await decode(text)).toEqual(given)
        expect((await encode(given)).text).toBe(text)
      }),
      { numRuns: 300 },
    )
  })

  it('__proto__ is a key like any other, both ways', async () => {
    const given: unknown = JSON.parse('{"__proto__": {"polluted": NaN, "x": [1]}, "y": 2}'.replace('NaN', '1'))
    const read = await roundTrip({ ...Object(given), z: Object(given) })
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect(Reflect.get(Object(read), 'polluted')).toBeUndefined()
    const marked = await decode('{"__proto__": {"$tidemark": "NaN"}}')
    expect(Object.getOwnPropertyDescriptor(marked, '__proto__')?.value).toBeNaN()
    expect(Object.getPrototypeOf(marked)).toBe(Object.prototype)
    const entries = await decode('{"$tidemark": ["object", [["__proto__", {"polluted": 1}], ["$tidemark", 1]]]}')
    expect(Object.getPrototypeOf(entries)).toBe(Object.prototype)
  })
})

function nested(levels: number): unknown[] {
  return levels === 1 ? [] : [nested(levels - 1)]
}

describe('refuses', () => {
  class Layer {
    activation = 'relu'
  }
  class Fancy extends Map {}
  const cyclic: Record<string, unknown> = { list: [] }
  cyclic.list = [{ back: cyclic }]
  const deep: unknown[] = []
  let inner = deep
  for (let level = 0; level < 10_000; level += 1) {
    const next: unknown[] = []
    inner.push(next)
    inner = next
  }
  const cases: [string, unknown, string, string][] = [
    ['functions', { layers: [1, 2, { activation: () => 0 }] }, 'unsupported-value', 'value.layers[2].activation'],
    ['symbols', { 'a b': Symbol('x') }, 'unsupported-value', 'value["a b"]'],
    ['symbols as keys', { a: { [Symbol('x')]: 1 } }, 'unsupported-value', 'value.a'],
    ['regular expressions', [/x/], 'unsupported-value', 'value[0]'],
    ['class instances', { a: new Layer() }, 'unsupported-value', 'value.a is a Layer'],
    ['subclasses', new Fancy(), 'unsupported-value', 'a Fancy'],
    ['values with toJSON', { a: new URL('https://example.org') }, 'unsupported-value', 'value.a is a URL'],
    ['boxed numbers', Object(1), 'unsupported-value', 'a Number'],
    ['Maps of them', new Map([['k', () => 0]]), 'unsupported-value', 'value.get("k")'],
    ['cycles', cyclic, 'cyclic-value', 'value.list[0].back'],
    ['endless nesting', deep, 'too-deep', 'value[0][0]'],
    ['one level too many', nested(257), 'too-deep', 'more than 256 levels'],
  ]
  it.each(cases)('%s', async (_, value, code, named) => {
    await expect(encode(value)).rejects.toMatchObject({
      name: 'InvalidInputError',
      code,
      message: expect.stringContaining(named),
    })
  })

  it('takes the same object twice, which is no cycle', async () => {
    const shared = { a: [1] }
    expect(await roundTrip([shared, shared])).toEqual([shared, shared])
  })

  // As many as fit on the stack of a web worker, with room to spare.
  it('takes 256 levels', async () => {
    let value: unknown = 1
    for (let level = 0; level < 256; level += 1) value = level % 2 ? [value] : { a: value }
    expect(JSON.stringify(await roundTrip(value))).toBe(JSON.stringify(value))
  })
})

describe('damage', () => {
  const texts: [string, string | Uint8Array][] = [
    ['nothing', ''],
    ['cut off', '{"a": [1, 2'],
    ['more after the end', '{} {}'],
    ['not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['an unknown mark', '{"$tidemark": ["RegExp", "x"]}'],
    ['a mark with other keys', '{"$tidemark": "NaN", "a": 1}'],
    ['a mark with the wrong content', '{"$tidemark": ["Map", [[1, 2, 3]]]}'],
    ['no number', '{"$tidemark": ["bigint", "x"]}'],
    ['no base64', '{"$tidemark": ["Uint8Array", "*"]}'],
    ['no Date', '{"$tidemark": ["Date", "someday"]}'],
    ['a text where numbers belong', '{"$tidemark": ["Float32Array", [1, "two"]]}'],
    ['a hundred thousand levels', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ]
  it.each(texts)('%s is named', async (_, text) => {
    await expect(decode(text)).rejects.toMatchObject({
      name: 'CorruptionError',
      code: 'json-damaged',
      message: expect.stringContaining('train.arrow'),
    })
  })

  it('is not the mark that an editor put in front', async () => {
    expect(await decode('\ufeff{"a": "\ufeffb"}')).toEqual({ a: '\ufeffb' })
  })

  it('anywhere gives an error or a value, never a crash', async () => {
    const { bytes } = await encode({ a: new Map([[1, Float32Array.of(1)]]), b: [10n, new Date(0), { $tidemark: 1 }] })
    for (let at = 0; at < bytes.byteLength; at += 1) {
      for (const bit of [1, 4, 64]) {
        const damaged = bytes.slice()
        damaged[at] = (damaged[at] ?? 0) ^ bit
        await decode(damaged).catch((error: unknown) => expect(error).toMatchObject({ code: 'json-damaged' }))
      }
    }
  })
})

describe('the preview', () => {
  it('is the text, cut with a note of its length', async () => {
    const short = await jsonCodec.encode({ a: 1 })
    await piecesOf(short)
    expect(short.preview()).toEqual({ kind: 'json', text: '{"a": 1}' })
    const long = await jsonCodec.encode(Array.from({ length: 100_000 }, (_, index) => `🌷${index}`))
    await piecesOf(long)
    const text = String(long.preview()?.text)
    expect(text.length).toBeLessThan(1600)
    expect(text).toMatch(/\n… \d+ characters in all$/)
    expect(new TextDecoder().decode(new TextEncoder().encode(text))).toBe(text)
  })
})
