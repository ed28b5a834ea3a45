import { deflateRawSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { atOddOffset, collect } from '../codecs/asset-of.ts'

/** Compressible and not: runs of any bytes. */
const content = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 400 })), { maxLength: 12 })
  .map(
    (runs) => new Uint8Array(runs.flatMap(([bytes, times]) => Array.from({ length: times }, () => [...bytes]).flat())),
  )

function* pieces(bytes: Uint8Array, size: number) {
  const buffer = new Uint8Array(size)
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size)
    buffer.set(piece)
    yield buffer.subarray(0, piece.length)
  }
}

/** The modules as they are loaded where these are missing. */
async function loadedWithout(...missing: ('zlib' | 'streams')[]) {
  vi.resetModules()
  if (missing.includes('zlib')) vi.stubGlobal('process', { ...process, getBuiltinModule: undefined })
  if (missing.includes('streams')) vi.stubGlobal('DecompressionStream', undefined)
  const { deflateRaw, inflateRaw } = await import('../../src/platform/deflate.ts')
  const { inflateStream } = await import('../../src/platform/inflate-stream.ts')
  return { deflateRaw, inflateRaw, inflateStream }
}

describe.each([
  ['zlib', []],
  ['streams of the platform', ['zlib']],
  ['fflate', ['zlib', 'streams']],
] as const)('by %s', (_, missing) => {
  let by: Awaited<ReturnType<typeof loadedWithout>>
  beforeAll(async () => {
    by = await loadedWithout(...missing)
  })
  afterAll(() => {
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  test('any bytes come back, at every level', async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.constantFrom<1 | 6>(1, 6), async (bytes, level) => {
        const given = atOddOffset(bytes)
        const deflated = atOddOffset(await by.deflateRaw(given, level))
        expect(Buffer.compare(given, bytes)).toBe(0)
        expect(Buffer.compare(inflateRawSync(deflated), bytes)).toBe(0)
        expect(Buffer.compare(await by.inflateRaw(deflated, bytes.length), bytes)).toBe(0)
        expect(Buffer.compare(await by.inflateRaw(deflateRawSync(bytes), bytes.length), bytes)).toBe(0)
      }),
    )
  })

  const zeros = deflateRawSync(new Uint8Array(1_000_000))

  test.each([
    ['one byte fewer than said', zeros, 1_000_001],
    ['one byte more than said', zeros, 999_999],
    ['bytes where none are said', zeros, 0],
    ['nothing', new Uint8Array(0), 5],
    ['half a stream', zeros.subarray(0, 400), 1_000_000],
    ['noise', new Uint8Array(100).fill(0xff), 100],
  ])('a buffer that holds %s', async (_, bytes, size) => {
    await expect(by.inflateRaw(bytes, size)).rejects.toMatchObject({ code: 'deflate-damaged' })
  })

  test('nothing deflated is nothing again', async () => {
    expect(await by.inflateRaw(await by.deflateRaw(new Uint8Array(0)), 0)).toEqual(new Uint8Array(0))
  })

  test('any bytes come back from pieces in one reused buffer', async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.integer({ min: 1, max: 5_000 }), async (bytes, size) => {
        const deflated = deflateRawSync(bytes)
        expect(Buffer.compare(await collect(by.inflateStream(pieces(deflated, size), bytes.length)), bytes)).toBe(0)
      }),
    )
  })

  const random = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i * 2654435761) >>> 24)
  const deflated = deflateRawSync(random)

  test.each([
    ['too few bytes', deflated, random.length + 1],
    ['too many bytes', deflated, random.length - 1],
    ['a cut stream', deflated.subarray(0, 100_000), random.length],
    ['noise', new Uint8Array(1_000).fill(0xff), 1_000],
  ])('a stream of %s', async (_, bytes, size) => {
    await expect(collect(by.inflateStream(pieces(bytes, 10_000), size))).rejects.toMatchObject({
      code: 'deflate-damaged',
    })
  })

  test('the source of a stream left early is closed', async () => {
    let closed = false
    async function* source() {
      try {
        yield* pieces(deflated, 1_000)
      } finally {
        closed = true
      }
    }
    for await (const piece of by.inflateStream(source(), random.length)) if (piece.length > 0) break
    expect(closed).toBe(true)
  })

  test("a failing source's own error comes out", async () => {
    async function* source() {
      yield deflated.subarray(0, 1_000)
      throw new Error('store gone')
    }
    await expect(collect(by.inflateStream(source(), random.length))).rejects.toThrow('store gone')
  })
})
