import fc from 'fast-check'
import { unzipSync } from 'fflate'
import { expect, test } from 'vitest'
import { openZip } from '../../src/codecs/zip/zip-reader.ts'
import { writeZip, type ZipSource } from '../../src/codecs/zip/zip-writer.ts'
import { assetOf, atOddOffset, collect, concat } from './asset-of.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

/** A stream that gives every piece in the same buffer. */
async function* reusing(content: Uint8Array, size: number) {
  const buffer = new Uint8Array(size)
  for (let at = 0; at < content.length; at += size) {
    const piece = content.subarray(at, at + size)
    buffer.set(piece)
    yield buffer.subarray(0, piece.length)
  }
}

test('a small archive is the same bytes today and tomorrow', async () => {
  const archive = await collect(writeZip([{ path: 'a.txt', body: bytes('hello') }]))
  expect(Buffer.from(archive).toString('hex')).toBe(
    [
      '504b0304 1400 0008 0000 0000 2100 86a61036 05000000 05000000 0500 0000 612e747874 68656c6c6f',
      '504b0102 1403 1400 0008 0000 0000 2100 86a61036 05000000 05000000 0500 0000 0000 0000 0000 0000a481 00000000 612e747874',
      '504b0506 0000 0000 0100 0100 33000000 28000000 0000',
    ]
      .join('')
      .replaceAll(' ', ''),
  )
})

test('any files come back from our reader and from fflate, in memory or streamed, with and without a size', async () => {
  const sizes = fc.oneof(
    fc.nat(300),
    fc.integer({ min: 65_530, max: 65_545 }),
    fc.constantFrom(0, 65_536, 1_048_577, 300_000),
  )
  const file = fc.record({
    size: sizes,
    seed: fc.nat(255),
    form: fc.constantFrom('whole', 'parts', 'stream', 'sized stream', 'sync'),
    piece: fc.constantFrom(997, 65_536, 500_000),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.string({ minLength: 1, unit: 'grapheme' }), file, { maxKeys: 6 }),
      async (files) => {
        const contents = new Map(
          Object.entries(files).map(([path, { size, seed }]) => [
            path,
            new Uint8Array(size).map((_, i) => (i * 31 + seed) ^ (i >> 8)),
          ]),
        )
        const sources = Object.entries(files).map(([path, { form, piece }]): ZipSource => {
          const content = contents.get(path) ?? new Uint8Array(0)
          if (form === 'whole') return { path, body: atOddOffset(content) }
          if (form === 'parts') return { path, body: [content.subarray(0, 5), content.subarray(5)] }
          if (form === 'sync') return { path, body: new Set([content]) }
          return { path, size: form === 'stream' ? undefined : content.length, body: reusing(content, piece) }
        })
        const archive = await collect(writeZip(sources))
        const zip = await openZip(assetOf(archive))
        expect(zip.entries.map((entry) => entry.path)).toEqual([...contents.keys()])
        const theirs = unzipSync(archive)
        for (const entry of zip.entries) {
          const content = contents.get(entry.path) ?? new Uint8Array(0)
          expect(Buffer.compare(await zip.bytes(entry), content)).toBe(0)
          if (entry.path !== '__proto__') expect(Buffer.compare(theirs[entry.path], content)).toBe(0)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('70,000 entries are counted in zip64', async () => {
  const body = bytes('x')
  const sources = Array.from({ length: 70_000 }, (_, i) => ({ path: `folder/${i}.txt`, body }))
  const zip = await openZip(assetOf(await collect(writeZip(sources))))
  expect(zip.entries).toHaveLength(70_000)
  expect(zip.entries[69_999].path).toBe('folder/69999.txt')
  expect(await zip.bytes(zip.entries[69_999])).toEqual(body)
})

test('entries and offsets over 4 GiB are written as zip64, with the size known and unknown', async () => {
  const block = new Uint8Array(16 * 1024 * 1024).fill(7)
  function* large() {
    for (let i = 0; i < 257; i++) yield block
  }
  // Kept by reference, so that 8.6 GB take no memory.
  const pieces: { start: number; bytes: Uint8Array }[] = []
  let size = 0
  const sources: ZipSource[] = [
    { path: 'unknown', body: large() },
    { path: 'known', size: 257 * block.length, body: large() },
    { path: 'after', body: bytes('behind 8 GiB') },
  ]
  for await (const piece of writeZip(sources)) {
    pieces.push({ start: size, bytes: piece.buffer === block.buffer ? piece : piece.slice() })
    size += piece.length
  }
  const range = async (start: number, end: number) =>
    concat(
      pieces
        .filter((piece) => piece.start < end && piece.start + piece.bytes.length > start)
        .map((piece) => piece.bytes.subarray(Math.max(0, start - piece.start), end - piece.start)),
    )
  const zip = await openZip({ path: 'large.zip', size, range })
  const [unknown, known, after] = zip.entries
  expect([unknown.size, known.size]).toEqual([257 * block.length, 257 * block.length])
  expect(after.offset).toBeGreaterThan(2 ** 33)
  expect(await zip.bytes(after)).toEqual(bytes('behind 8 GiB'))
  const first = await zip.open(known).next()
  expect(first.value?.[0]).toBe(7)
})

test('two files at one path are refused', async () => {
  const twice = [
    { path: 'a', body: bytes('1') },
    { path: 'a', body: bytes('2') },
  ]
  await expect(collect(writeZip(twice))).rejects.toMatchObject({ code: 'zip-duplicate-path', fields: { path: 'a' } })
})

test('a path longer than zip can hold is refused', async () => {
  await expect(collect(writeZip([{ path: 'ü'.repeat(40_000), body: bytes('') }]))).rejects.toMatchObject({
    code: 'zip-path-too-long',
  })
})

test.each([
  ['too short', 5],
  ['too long', 3],
  ['too short and large', 300_000],
])('a stream %s for its stated size is refused', async (_, size) => {
  const stream = reusing(bytes('four'), 2)
  await expect(collect(writeZip([{ path: 'a', size, body: stream }]))).rejects.toMatchObject({
    code: 'zip-size-changed',
  })
})

test('bytes in memory that change while they are written are noticed', async () => {
  const body = new Uint8Array(3 * 1024 * 1024)
  const changing = async () => {
    for await (const piece of writeZip([{ path: 'weights', body }])) if (piece.length > 1000) body.fill(1)
  }
  await expect(changing()).rejects.toMatchObject({ code: 'zip-bytes-changed' })
})

test('a failing source fails the archive with its own error', async () => {
  async function* failing() {
    yield bytes('first')
    throw new Error('disk on fire')
  }
  await expect(collect(writeZip([{ path: 'a', body: failing() }]))).rejects.toThrow('disk on fire')
})
