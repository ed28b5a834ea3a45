import { readdirSync, readFileSync } from 'node:fs'
import { inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { PNG } from 'pngjs'
import { describe, expect, test } from 'vitest'
import { BLOCK, createRunDeflate } from '../../src/codecs/png/png-deflate.ts'
import { type DecodedImage, pngChunk, SIGNATURE } from '../../src/codecs/png/png-format.ts'
import { codeLengths } from '../../src/codecs/png/png-huffman.ts'
import { pngCodec } from '../../src/codecs/png.ts'
import { isTidemarkError } from '../../src/errors.ts'
import { crc32 } from '../../src/platform/crc32.ts'
import { assetOf, atOddOffset, collect, concat } from './asset-of.ts'

const folder = new URL('../fixtures/png/', import.meta.url)
const fixture = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)))
const names = readdirSync(folder).filter((name) => name.endsWith('.png'))

async function encode(value: unknown): Promise<Uint8Array> {
  return collect((await pngCodec.encode(value)).body)
}

async function decode(bytes: Uint8Array): Promise<DecodedImage> {
  const value = await pngCodec.decode(assetOf(bytes, 'some.png'))
  if (!isImage(value)) throw new Error('decode gave no image')
  return value
}

function isImage(value: unknown): value is DecodedImage {
  return typeof value === 'object' && value !== null && 'channels' in value
}

/** CRC-32 of the pixels as RGBA of 16 bits, big-endian: what `expected.json` has. */
function checksum({ channels, data }: DecodedImage): number {
  const wide = (value: number) => (data instanceof Uint16Array ? value : value * 257)
  const bytes = new DataView(new ArrayBuffer((data.length / channels) * 8))
  for (let i = 0, to = 0; i < data.length; i += channels, to += 8) {
    const colour = channels < 3 ? [data[i], data[i], data[i]] : [data[i], data[i + 1], data[i + 2]]
    for (const [c, value] of colour.entries()) bytes.setUint16(to + 2 * c, wide(value))
    bytes.setUint16(to + 6, channels % 2 === 0 ? wide(data[i + channels - 1]) : 65_535)
  }
  return crc32(new Uint8Array(bytes.buffer))
}

describe('images of others', () => {
  const expected: Record<string, number> = JSON.parse(new TextDecoder().decode(fixture('expected.json')))

  test.each(names)('%s', async (name) => {
    const image = await decode(fixture(name))
    expect(checksum(image)).toBe(expected[name])
    expect(image.data).toBeInstanceOf(name.includes('16') ? Uint16Array : Uint8ClampedArray)
  })

  test('every image has an expectation', () => {
    expect(Object.keys(expected).sort()).toEqual(names.sort())
  })

  test('an image of pngjs', async () => {
    const theirs = new PNG({ width: 31, height: 17 })
    for (let i = 0; i < theirs.data.length; i++) theirs.data[i] = i * i
    const image = await decode(new Uint8Array(PNG.sync.write(theirs)))
    expect(image).toMatchObject({ width: 31, height: 17, channels: 4 })
    expect(Buffer.from(image.data.buffer).equals(theirs.data)).toBe(true)
  })
})

describe('values', () => {
  const picture = fc
    .record({
      width: fc.integer({ min: 1, max: 40 }),
      height: fc.integer({ min: 1, max: 40 }),
      channels: fc.constantFrom(1, 2, 3, 4),
      deep: fc.boolean(),
      noise: fc.constantFrom(0, 3, 255, 65_535),
      seed: fc.nat(),
      opaque: fc.boolean(),
    })
    .map(({ width, height, channels, deep, noise, seed, opaque }) => {
      const length = width * height * channels
      const data = deep ? new Uint16Array(length) : new Uint8ClampedArray(length)
      let state = seed
      for (let i = 0; i < length; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        data[i] = (i % (width * channels)) + ((state >>> 16) & noise)
        if (opaque && channels === 4 && i % 4 === 3) data[i] = deep ? 65_535 : 255
      }
      return { width, height, channels, data }
    })

  test('any pixels come back as they were, and the input stays', async () => {
    await fc.assert(
      fc.asyncProperty(picture, async (image) => {
        const before = image.data.slice()
        expect(await decode(await encode(image))).toEqual(image)
        expect(image.data).toEqual(before)
      }),
      { numRuns: 300 },
    )
  })

  test('pngjs sees the same pixels', async () => {
    await fc.assert(
      fc.asyncProperty(picture, async (image) => {
        const theirs = PNG.sync.read(Buffer.from(await encode(image)))
        expect([theirs.width, theirs.height]).toEqual([image.width, image.height])
        if (image.data instanceof Uint16Array) return
        const step = image.channels
        for (let i = 0, to = 0; i < image.data.length; i += step, to += 4) {
          const [r, g, b] = step < 3 ? [image.data[i], image.data[i], image.data[i]] : image.data.subarray(i, i + 3)
          const alpha = step % 2 === 0 ? image.data[i + step - 1] : 255
          if (theirs.data.readUInt32BE(to) !== ((r << 24) | (g << 16) | (b << 8) | alpha) >>> 0)
            throw new Error(`pixel ${i / step} differs`)
        }
      }),
    )
  })

  test('an image of many blocks, and rows longer than a block', async () => {
    const tall = {
      width: 300,
      height: 700,
      channels: 3,
      data: new Uint8ClampedArray(300 * 700 * 3).map((_, i) => (i * i) >> 7),
    }
    expect(Buffer.from((await decode(await encode(tall))).data).equals(Buffer.from(tall.data))).toBe(true)
    const wide = {
      width: 150_000,
      height: 3,
      channels: 2,
      data: new Uint8ClampedArray(900_000).map((_, i) => (i * i) >> 9),
    }
    expect(Buffer.from((await decode(await encode(wide))).data).equals(Buffer.from(wide.data))).toBe(true)
  })

  test('the bytes are the same today and tomorrow, on every runtime', async () => {
    const data = new Uint8ClampedArray(64 * 64 * 4).map((_, i) => (i % 4 === 3 ? 255 : ((i * 7) ^ (i >> 6)) & 255))
    const bytes = await encode({ width: 64, height: 64, data })
    expect([bytes.length, crc32(bytes)]).toEqual([4389, 2390791238])
  })

  test('an opaque RGBA image is stored as RGB and read back as RGBA', async () => {
    const opaque = { width: 2, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255, 4, 5, 6, 255) }
    const bytes = await encode(opaque)
    expect(bytes[25]).toBe(2)
    expect(await decode(bytes)).toEqual({ ...opaque, channels: 4 })
  })

  test('a view at an odd place is only itself', async () => {
    const data = atOddOffset(Uint8Array.of(1, 2, 3, 4))
    expect((await decode(await encode({ width: 2, height: 2, data }))).data).toEqual(Uint8ClampedArray.of(1, 2, 3, 4))
  })

  test.each([
    [
      'uint8, two dimensions',
      { data: Uint8Array.of(1, 2), shape: [2, 1] },
      { width: 1, height: 2, channels: 1, data: Uint8ClampedArray.of(1, 2) },
    ],
    [
      'uint8, three dimensions',
      { data: Uint8Array.of(1, 2, 3), shape: [1, 1, 3] },
      { width: 1, height: 1, channels: 3, data: Uint8ClampedArray.of(1, 2, 3) },
    ],
    [
      'uint16',
      { data: Uint16Array.of(1, 60_000), shape: [1, 2] },
      { width: 2, height: 1, channels: 1, data: Uint16Array.of(1, 60_000) },
    ],
    [
      'floats',
      { data: Float32Array.of(0, 0.5, 1), dims: [1, 3], type: 'float32' },
      { width: 3, height: 1, channels: 1, data: Uint8ClampedArray.of(0, 128, 255) },
    ],
    [
      'int32',
      { data: Int32Array.of(0, 255), shape: [1, 2], dtype: 'int32' },
      { width: 2, height: 1, channels: 1, data: Uint8ClampedArray.of(0, 255) },
    ],
    [
      'bool',
      { data: Uint8Array.of(0, 1), shape: [1, 2], dtype: 'bool' },
      { width: 2, height: 1, channels: 1, data: Uint8ClampedArray.of(0, 255) },
    ],
  ])('a tensor of %s', async (_, tensor, expected) => {
    expect(await decode(await encode(tensor))).toEqual(expected)
  })

  test('a PNG stays as it is, as bytes and as a Blob', async () => {
    const png = fixture('pillow-RGBA.png')
    expect(Buffer.compare(await encode(png), png)).toBe(0)
    expect(Buffer.compare(await encode(new Blob([png])), png)).toBe(0)
    expect((await pngCodec.encode(png)).preview()).toMatchObject({
      kind: 'png',
      width: 60,
      height: 40,
      channels: 4,
      bitDepth: 8,
    })
  })

  test('anything with a 2D context, and a canvas that only encodes itself', async () => {
    const data = Uint8ClampedArray.of(1, 2, 3, 4)
    const canvas = { width: 1, height: 1, getContext: () => ({ getImageData: () => ({ width: 1, height: 1, data }) }) }
    expect((await decode(await encode(canvas))).data).toEqual(data)
    const native = { ...canvas, data: () => Buffer.alloc(4) }
    expect((await decode(await encode(native))).data).toEqual(data)
    const png = fixture('pillow-L.png')
    const webgl = { width: 60, height: 40, getContext: () => null, convertToBlob: async () => new Blob([png]) }
    expect(Buffer.compare(await encode(webgl), png)).toBe(0)
    const element = {
      width: 60,
      height: 40,
      getContext: () => null,
      toBlob: (done: (blob: Blob) => void) => done(new Blob([png])),
    }
    expect(Buffer.compare(await encode(element), png)).toBe(0)
  })

  test('a preview has a small picture that others can read', async () => {
    const noise = new Uint8ClampedArray(500 * 300 * 4).map((_, i) => (i * 2654435761) >>> 13)
    for (const image of [
      { width: 500, height: 300, data: noise },
      { width: 3, height: 2, data: new Uint16Array(6).fill(65_535) },
    ]) {
      const encoded = await pngCodec.encode(image)
      await collect(encoded.body)
      const preview = encoded.preview()
      const thumbnail = Buffer.from(String(preview?.thumbnail), 'base64')
      expect(String(preview?.thumbnail).length).toBeLessThanOrEqual(2_000)
      const { width, height } = PNG.sync.read(thumbnail)
      expect(Math.max(width, height)).toBeLessThanOrEqual(48)
    }
  })
})

describe('refused', () => {
  const tainted = {
    width: 1,
    height: 1,
    getContext: () => ({
      getImageData: () => {
        throw new DOMException('The canvas has been tainted by cross-origin data.', 'SecurityError')
      },
    }),
  }

  test.each([
    ['no pixels', { width: 0, height: 5, data: new Uint8Array(0) }, 'image-empty'],
    ['half a pixel', { width: 1.5, height: 2, data: new Uint8Array(3) }, 'image-empty'],
    ['too few samples', { width: 2, height: 2, data: new Uint8Array(3) }, 'image-shape'],
    ['five channels', { width: 1, height: 1, data: new Uint8Array(5) }, 'image-shape'],
    ['more pixels than a canvas', { width: 100_000, height: 100_000, data: new Uint8Array(4) }, 'image-too-large'],
    ['floats that are no tensor', { width: 1, height: 1, data: new Float32Array(4) }, 'image-value'],
    ['a float above 1', { data: Float32Array.of(0, 1.001), shape: [1, 2] }, 'image-range'],
    ['a float that is not a number', { data: Float32Array.of(0, NaN), shape: [1, 2] }, 'image-range'],
    ['an int32 above 255', { data: Int32Array.of(256), shape: [1, 1] }, 'image-range'],
    ['a tensor of one dimension', { data: new Uint8Array(4), shape: [4] }, 'image-shape'],
    ['a tensor with the channels first', { data: new Uint8Array(3 * 8 * 8), shape: [3, 8, 8] }, 'image-shape'],
    ['int64', { data: new BigInt64Array(1), shape: [1, 1] }, 'image-dtype'],
    ['bytes that are no PNG', new Uint8Array(100), 'image-not-png'],
    ['a PNG that is damaged', fixture('pillow-L.png').slice(0, -20), 'png-damaged'],
    ['a word', 'picture', 'image-value'],
  ])('%s', async (_, value, code) => {
    await expect(encode(value)).rejects.toMatchObject({ code, category: 'InvalidInputError' })
  })

  test('a canvas whose pixels the browser keeps back', async () => {
    await expect(encode(tainted)).rejects.toMatchObject({ code: 'image-tainted', category: 'PermissionError' })
  })

  const header = (width: number, height: number, ...rest: number[]) => {
    const bytes = new Uint8Array(13)
    new DataView(bytes.buffer).setUint32(0, width)
    new DataView(bytes.buffer).setUint32(4, height)
    bytes.set(rest, 8)
    return pngChunk('IHDR', bytes)
  }
  const pixels = (bytes: Uint8Array) => pngChunk('IDAT', createRunDeflate().block(bytes, true).slice())
  const end = pngChunk('IEND', new Uint8Array(0))

  test.each([
    ['nothing', new Uint8Array(0)],
    ['no end', concat([SIGNATURE, header(1, 1, 8, 0, 0, 0, 0)])],
    ['no header', concat([SIGNATURE, end])],
    ['two headers', concat([SIGNATURE, header(1, 1, 8, 0, 0, 0, 0), header(1, 1, 8, 0, 0, 0, 0), end])],
    ['no pixels', concat([SIGNATURE, header(1, 1, 8, 0, 0, 0, 0), end])],
    ['no width', concat([SIGNATURE, header(0, 1, 8, 0, 0, 0, 0), end])],
    ['a depth there is not', concat([SIGNATURE, header(1, 1, 4, 2, 0, 0, 0), end])],
    ['no palette', concat([SIGNATURE, header(1, 1, 8, 3, 0, 0, 0), pixels(Uint8Array.of(0, 0)), end])],
    [
      'a colour beyond the palette',
      concat([
        SIGNATURE,
        header(1, 1, 8, 3, 0, 0, 0),
        pngChunk('PLTE', new Uint8Array(3)),
        pixels(Uint8Array.of(0, 1)),
        end,
      ]),
    ],
    ['a filter there is not', concat([SIGNATURE, header(1, 1, 8, 0, 0, 0, 0), pixels(Uint8Array.of(5, 1)), end])],
    [
      'more pixels than the size',
      concat([SIGNATURE, header(1, 1, 8, 0, 0, 0, 0), pixels(Uint8Array.of(0, 1, 0, 1)), end]),
    ],
    ['fewer pixels than the size', concat([SIGNATURE, header(1, 2, 8, 0, 0, 0, 0), pixels(Uint8Array.of(0, 1)), end])],
    [
      'a size its bytes cannot hold',
      concat([SIGNATURE, header(16_384, 16_384, 16, 6, 0, 0, 0), pixels(Uint8Array.of(0, 1)), end]),
    ],
    [
      'a needed part nobody knows',
      concat([SIGNATURE, header(1, 1, 8, 0, 0, 0, 0), pngChunk('ABCD', new Uint8Array(0)), end]),
    ],
    [
      'pixels that are not deflated',
      concat([SIGNATURE, header(1, 1, 8, 0, 0, 0, 0), pngChunk('IDAT', new Uint8Array(9)), end]),
    ],
  ])('%s', async (_, bytes) => {
    await expect(decode(bytes)).rejects.toMatchObject({ code: 'png-damaged', category: 'CorruptionError' })
  })

  test('an image larger than can be held', async () => {
    const bytes = concat([SIGNATURE, header(2 ** 31 - 1, 2 ** 31 - 1, 8, 6, 0, 0, 0), end])
    await expect(decode(bytes)).rejects.toMatchObject({ code: 'image-too-large', category: 'UnsupportedError' })
  })

  test('every changed byte is noticed', async () => {
    const images = names.filter((name) => name.includes('3x5') || name.startsWith('pillow')).map(fixture)
    const damage = fc.record({
      which: fc.nat(images.length - 1),
      at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      value: fc.integer({ min: 1, max: 255 }),
    })
    await fc.assert(
      fc.asyncProperty(damage, async ({ which, at, value }) => {
        const bytes = images[which].slice()
        bytes[Math.floor(at * bytes.length)] ^= value
        await expect(decode(bytes)).rejects.toMatchObject({ code: 'png-damaged' })
      }),
      { numRuns: 1_500 },
    )
  })

  test('damage with matching checksums is noticed or harmless, never another error', async () => {
    const filtered = Uint8Array.from({ length: 20 * 21 }, (_, i) => (i % 21 === 0 ? i % 5 : i))
    const stream = createRunDeflate().block(filtered, true).slice()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(stream.length - 1), fc.nat(255)), { maxLength: 5 }), async (edits) => {
        const changed = stream.slice()
        for (const [at, value] of edits) changed[at] = value
        const bytes = concat([SIGNATURE, header(20, 20, 8, 0, 0, 0, 0), pngChunk('IDAT', changed), end])
        await decode(bytes).catch((error) => {
          if (!isTidemarkError(error)) throw error
        })
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('deflate with runs', () => {
  test('zlib inflates any bytes, in any blocks, to what they were, checksum included', () => {
    const runs = fc.array(
      fc.tuple(fc.nat(255), fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 250, max: 1_100 }))),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(runs, fc.integer({ min: 1, max: 5_000 }), (parts, size) => {
        const bytes = concat(parts.map(([value, length]) => new Uint8Array(length).fill(value)))
        const deflate = createRunDeflate()
        const blocks: Uint8Array[] = []
        for (let at = 0; at === 0 || at < bytes.length; at += size) {
          blocks.push(deflate.block(bytes.subarray(at, at + size), at + size >= bytes.length).slice())
        }
        expect(Buffer.compare(inflateSync(concat(blocks)), bytes)).toBe(0)
      }),
      { numRuns: 500 },
    )
  })

  test('a whole block of noise, and one of a single value', () => {
    const noise = new Uint8Array(BLOCK)
    for (let i = 0, state = 1; i < BLOCK; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      noise[i] = state >>> 24
    }
    for (const bytes of [noise, new Uint8Array(BLOCK), new Uint8Array(BLOCK).map((_, i) => 31 - Math.clz32(i + 1))]) {
      expect(Buffer.compare(inflateSync(createRunDeflate().block(bytes, true)), bytes)).toBe(0)
    }
  })

  test('code lengths are a complete prefix code within the limit, and no longer than needed', () => {
    const frequencies = fc.array(fc.oneof(fc.constant(0), fc.nat(10), fc.nat(100_000)), {
      minLength: 2,
      maxLength: 286,
    })
    fc.assert(
      fc.property(frequencies, (list) => {
        const lengths = codeLengths(Uint32Array.from(list), 12)
        const used = list.filter((count) => count > 0).length
        expect(lengths.filter((length) => length > 0).length).toBe(used)
        expect(Math.max(...lengths)).toBeLessThanOrEqual(12)
        const taken = lengths.reduce((sum, length) => sum + (length > 0 ? 2 ** -length : 0), 0)
        if (used > 1) expect(taken).toBe(1)
      }),
    )
    // Fibonacci numbers make the deepest trees.
    const fibonacci = [1, 1]
    while (fibonacci.length < 30) fibonacci.push(fibonacci[fibonacci.length - 1] + fibonacci[fibonacci.length - 2])
    expect(Math.max(...codeLengths(Uint32Array.from(fibonacci), 12))).toBe(12)
  })
})

describe('colours of wide gamut', () => {
  const p3 = {
    width: 1,
    height: 2,
    data: Uint8ClampedArray.of(255, 0, 0, 255, 0, 255, 0, 128),
    colorSpace: 'display-p3',
  }
  // Coding-independent code points of ITU-T H.273: primaries of Display P3, the curve of sRGB, RGB, full range.
  const tag = pngChunk('cICP', Uint8Array.of(12, 13, 0, 1))

  test('an image in Display P3 says so, and is read back as that', async () => {
    const bytes = await encode(p3)
    expect(indexOf(bytes, tag)).toBe(33) // after the header, before the pixels
    expect(await decode(bytes)).toEqual({ ...p3, channels: 4 })
  })

  test('16-bit, opaque and grey ones too', async () => {
    for (const image of [
      { width: 1, height: 1, data: Uint16Array.of(1, 2, 3), colorSpace: 'display-p3' },
      { width: 1, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255), colorSpace: 'display-p3' },
      { width: 1, height: 1, data: Uint8ClampedArray.of(1), colorSpace: 'display-p3' },
    ])
      expect(await decode(await encode(image))).toMatchObject(image)
  })

  test('its thumbnail has the same colours', async () => {
    const preview = await (await pngCodec.encode(p3)).preview()
    const thumbnail = Uint8Array.from(atob(String(Reflect.get(Object(preview), 'thumbnail'))), (c) => c.charCodeAt(0))
    expect(indexOf(thumbnail, tag)).toBe(33)
  })

  test('one in sRGB has no tag, said or not, and no property', async () => {
    const { colorSpace, ...plain } = p3
    const bytes = await encode(plain)
    expect(await encode({ ...plain, colorSpace: 'srgb' })).toEqual(bytes)
    expect(indexOf(bytes, tag)).toBe(-1)
    expect(await decode(bytes)).not.toHaveProperty('colorSpace')
  })

  test('a tag of other colours is not taken for this one', async () => {
    const bytes = await encode({ width: 1, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 4) })
    const other = pngChunk('cICP', Uint8Array.of(9, 16, 0, 1))
    const tagged = concat([bytes.subarray(0, 33), other, bytes.subarray(33)])
    expect(await decode(tagged)).not.toHaveProperty('colorSpace')
  })
})

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  return Buffer.from(bytes).indexOf(part)
}
