import { Table } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AssetKind } from '../../src/codecs/codec.ts'
import { type CodecRegistry, codecs, loadCodec } from '../../src/codecs/registry.ts'
import { openSource } from '../../src/sources/open.ts'
import { sameBytes } from '../bytes.ts'
import { asArrowGives } from '../codecs/as-arrow-gives.ts'
import { assetOf, atOddOffset, collect } from '../codecs/asset-of.ts'
import { fileList } from '../sources/handles.ts'

/** What every codec promises: what goes in comes out, wherever the bytes lie; input is left alone; damage is an error and never data. */
export function codecConformance(registry: CodecRegistry = codecs): void {
  const encode = async (kind: AssetKind, value: unknown) =>
    collect((await (await loadCodec(kind, registry)).encode(value)).body)
  const decode = async (kind: AssetKind, bytes: Uint8Array) =>
    (await loadCodec(kind, registry)).decode(assetOf(bytes, `some.${kind}`))
  const roundTrip = async (kind: AssetKind, value: unknown) => decode(kind, await encode(kind, value))

  describe('codecs', () => {
    const cell = fc.record({
      id: fc.integer(),
      score: fc.option(fc.double()),
      big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      label: fc.option(fc.string({ unit: 'binary' })),
      ok: fc.option(fc.boolean()),
      at: fc.date({ noInvalidDate: true }),
    })

    it('table: any records come back', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(cell, { minLength: 1, maxLength: 30 }), async (rows) => {
          const before = structuredClone(rows)
          const found = rowsOf(await roundTrip('table', rows))
          expect(found.map((row) => ({ ...row, at: row.at === null ? null : new Date(Number(row.at)) }))).toEqual(
            rows.map((row) => ({ ...row, label: asArrowGives(row.label) })),
          )
          expect(rows).toEqual(before)
        }),
        { numRuns: 40 },
      )
    })

    it('table: columns of every type, and lists and structs in cells', async () => {
      const columns = {
        i8: Int8Array.of(-128, 127),
        u16: Uint16Array.of(0, 65535),
        i64: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n),
        f32: Float32Array.of(1.5, -0),
        f64: Float64Array.of(Number.NaN, Number.NEGATIVE_INFINITY),
        words: ['ü', null],
      }
      expect(rowsOf(await roundTrip('table', columns))).toEqual([
        { i8: -128, u16: 0, i64: -(2n ** 63n), f32: 1.5, f64: Number.NaN, words: 'ü' },
        { i8: 127, u16: 65535, i64: 2n ** 63n - 1n, f32: -0, f64: Number.NEGATIVE_INFINITY, words: null },
      ])
      const deep = [
        { list: [1, 2], inner: { a: 'x' } },
        { list: [], inner: { a: 'y' } },
      ]
      const found = await roundTrip('table', deep)
      expect(JSON.parse(JSON.stringify(rowsOf(found)))).toEqual(deep)
    })

    it('table: an Arrow table comes back equal, and is cut in the same places', async () => {
      const rows = Array.from({ length: 9000 }, (_, id) => ({ id, word: `word ${(id * 7919) % 997}`, half: id / 2 }))
      const bytes = await encode('table', rows)
      const table = await decode('table', bytes)
      expect(sameBytes(await encode('table', table), bytes)).toBe(true)
      expect(rowsOf(table)[8999]).toEqual(rows[8999])
    })

    it('json: any value comes back', async () => {
      const special = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0, 2n ** 80n, new Date(5))
      const value = fc.letrec((tie) => ({
        any: fc.oneof(
          { maxDepth: 4 },
          fc.jsonValue(),
          special,
          fc.array(tie('any'), { maxLength: 3 }),
          fc.dictionary(fc.string(), tie('any'), { maxKeys: 3 }),
        ),
      })).any
      await fc.assert(
        fc.asyncProperty(value, async (any) => {
          expect(await roundTrip('json', any)).toEqual(any)
        }),
        { numRuns: 60 },
      )
      const rich = { map: new Map([['k', new Set([1])]]), bytes: Uint8Array.of(1, 2), floats: Float32Array.of(0.5) }
      expect(await roundTrip('json', rich)).toEqual(rich)
    })

    it('npz: typed arrays come back bit for bit, from any offset', async () => {
      const arrays = {
        a: Int8Array.of(-1, 2),
        b: Uint16Array.of(1, 65535),
        c: Float32Array.of(Number.NaN, -0, 1.5),
        d: Float64Array.of(Number.MIN_VALUE, Number.MAX_VALUE),
        e: BigUint64Array.of(2n ** 64n - 1n),
        view: new Float32Array(Float32Array.of(9, 8, 7, 6).buffer, 4, 2),
      }
      const found = await roundTrip('npz', arrays)
      expect(found).toMatchObject({
        a: { data: arrays.a, shape: [2], dtype: 'int8' },
        b: { data: arrays.b },
        c: { data: arrays.c, shape: [3], dtype: 'float32' },
        d: { data: arrays.d },
        e: { data: arrays.e, dtype: 'uint64' },
        view: { data: Float32Array.of(8, 7) },
      })
    })

    it('png: pixels of 1 to 4 channels, of 8 and 16 bits, come back', async () => {
      const image = fc
        .tuple(
          fc.integer({ min: 1, max: 40 }),
          fc.integer({ min: 1, max: 9 }),
          fc.integer({ min: 1, max: 4 }),
          fc.boolean(),
        )
        .chain(([width, height, channels, wide]) => {
          const samples = { minLength: width * height * channels, maxLength: width * height * channels }
          const data = wide ? fc.uint16Array(samples) : fc.uint8ClampedArray(samples)
          return data.map((data) => ({ width, height, data }))
        })
      await fc.assert(
        fc.asyncProperty(image, async (pixels) => {
          expect(await roundTrip('png', pixels)).toMatchObject({ ...pixels })
        }),
        { numRuns: 60 },
      )
    })

    it('zip: files come back, and are the same bytes in any order they are handed over', async () => {
      const files = {
        'photos/a.txt': 'A',
        'photos/ü/😀.txt': 'smile',
        'photos/empty': '',
        'photos/big': 'x'.repeat(300_000),
      }
      const zipOf = async (list: File[]) => {
        const opened = await openSource(list)
        if (opened.kind !== 'folder') throw new Error('no folder')
        return encode('zip', opened.files)
      }
      const bytes = await zipOf(fileList(files))
      expect(sameBytes(await zipOf(fileList(files).reverse()), bytes)).toBe(true)
      const found = await decode('zip', bytes)
      if (!(found instanceof Map)) throw new Error('no map')
      const expected = Object.entries(files).map(([path, text]) => [path.replace('photos/', ''), text.length])
      expect(Object.fromEntries([...found].map(([path, content]) => [path, content.length]))).toEqual({
        ...Object.fromEntries(expected),
        'ü/😀.txt': 5,
      })
    })

    it('text: any well-formed string comes back', async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
          expect(await roundTrip('text', text)).toBe(text)
        }),
      )
    })

    it('file: bytes from memory, Blob, stream and Response come back as they are', async () => {
      const bytes = atOddOffset(Uint8Array.from({ length: 200_000 }, (_, at) => at * 31))
      const before = bytes.slice()
      for (const value of [
        bytes,
        new Blob([bytes]),
        new Blob([bytes]).stream(),
        new Response(bytes),
        bytes.slice().buffer,
      ])
        expect(sameBytes(await roundTrip('file', value), before)).toBe(true)
      expect(sameBytes(bytes, before)).toBe(true)
    })

    it('file: what was read already is refused, and not taken for empty', async () => {
      const generator = (async function* () {
        yield Uint8Array.of(1)
      })()
      const elsewhere = new Blob(['x']).stream()
      const reader = elsewhere.getReader()
      while (!(await reader.read()).done);
      reader.releaseLock()
      for (const once of [new Blob(['x']).stream(), generator]) {
        expect(await roundTrip('file', once)).toHaveLength(1)
        await expect(roundTrip('file', once)).rejects.toMatchObject({ code: 'stream-used' })
      }
      await expect(roundTrip('file', elsewhere)).rejects.toMatchObject({ code: 'stream-used' })
    })

    const samples: readonly [AssetKind, unknown][] = [
      ['table', Array.from({ length: 50 }, (_, id) => ({ id, word: `w${id}` }))],
      ['npz', { w: Float32Array.of(1, 2, 3) }],
      ['png', { width: 2, height: 2, data: new Uint8ClampedArray(16).fill(200) }],
      ['json', { lr: 0.1, layers: [64, 64] }],
    ]
    it.each(samples)('%s: a file cut short anywhere is an error, with a code', async (kind, value) => {
      const bytes = await encode(kind, value)
      const step = Math.max(1, Math.floor(bytes.length / 40))
      // JSON is whole without the newline at its end.
      for (let length = 0; length < bytes.length - 1; length += step)
        await expect(decode(kind, bytes.slice(0, length))).rejects.toMatchObject({ category: 'CorruptionError' })
    })
  })
}

function rowsOf(value: unknown): Record<string, unknown>[] {
  if (!(value instanceof Table)) throw new TypeError('not a table')
  return value.toArray().map((row) => row.toJSON())
}
