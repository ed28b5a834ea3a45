import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openZip } from '../../src/codecs/zip/zip-reader.ts'
import { writeZip } from '../../src/codecs/zip/zip-writer.ts'
import { isTidemarkError } from '../../src/errors.ts'
import { assetOf, collect, concat } from './asset-of.ts'

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`../fixtures/zip/${name}`, import.meta.url)))
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytes = (content: string) => new TextEncoder().encode(content)

/** Bytes of one archive with some put in place of others. */
function patched(archive: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = archive.slice()
  copy.set(values, at < 0 ? copy.length + at : at)
  return copy
}

async function readAll(archive: Uint8Array): Promise<Map<string, Uint8Array>> {
  const zip = await openZip(assetOf(archive, 'some.zip'))
  const contents = new Map<string, Uint8Array>()
  for (const entry of zip.entries) contents.set(entry.path, await collect(zip.open(entry)))
  return contents
}

describe('archives of others', () => {
  test.each([
    ['stored.zip', 2_000],
    ['deflated.zip', 200_000],
    ['deflated-zip64.zip', 200_000],
    ['streamed-comment.zip', 200_000],
  ])('%s', async (name, zeros) => {
    const contents = await readAll(fixture(name))
    expect([...contents.keys()]).toEqual(['a.txt', 'empty', 'folder/', 'folder/ü.txt', 'zeros'])
    expect(text(contents.get('a.txt') ?? new Uint8Array(0))).toBe('hello')
    expect(text(contents.get('folder/ü.txt') ?? new Uint8Array(0))).toBe('grüß')
    expect(contents.get('zeros')).toEqual(new Uint8Array(zeros))
    const zip = await openZip(assetOf(fixture(name)))
    for (const entry of zip.entries) expect(await zip.bytes(entry)).toEqual(contents.get(entry.path))
  })

  test('an archive without entries', async () => {
    expect(await readAll(fixture('empty.zip'))).toEqual(new Map())
  })

  test('names that do not say which code they are in', async () => {
    expect([...(await readAll(fixture('cp437.zip'))).keys()]).toEqual(['Grüße £ Ç.txt'])
  })

  test('other methods are listed, and refused when opened', async () => {
    const zip = await openZip(assetOf(fixture('bzip2.zip')))
    expect(zip.entries.map((entry) => entry.path)).toContain('a.txt')
    await expect(zip.bytes(zip.entries[0])).rejects.toMatchObject({ code: 'zip-method', category: 'UnsupportedError' })
  })

  test('hostile paths are given as they are', async () => {
    const archive = await collect(writeZip([{ path: '../../etc/passwd', body: bytes('x') }]))
    expect([...(await readAll(archive)).keys()]).toEqual(['../../etc/passwd'])
  })
})

describe('lies', () => {
  const build = () =>
    collect(
      writeZip([
        { path: 'a', body: bytes('first') },
        { path: 'b', body: bytes('second') },
      ]),
    )
  const FIRST_CENTRAL = 2 * (30 + 1) + 11

  test.each([
    ['nothing', async () => new Uint8Array(0)],
    ['no zip', async () => bytes('this is not an archive at all, only some text')],
    ['cut at its end', async () => (await build()).slice(0, -1)],
    ['cut at its start', async () => (await build()).slice(1)],
    ['more after its end', async () => concat([await build(), bytes('more')])],
    ['fewer entries than counted', async () => patched(await build(), -14, 3, 0, 3, 0)],
    ['more entries than counted', async () => patched(await build(), -14, 1, 0, 1, 0)],
    ['a directory larger than there is', async () => patched(await build(), -10, 200)],
    ['a directory that starts elsewhere', async () => patched(await build(), -6, 1)],
    ['a stored size that is not', async () => patched(await build(), FIRST_CENTRAL + 24, 6)],
    ['sizes that reach the next entry', async () => patched(await build(), FIRST_CENTRAL + 20, 9, 0, 0, 0, 9)],
    ['two entries in one place', async () => patched(await build(), FIRST_CENTRAL + 47 + 42, 0)],
    ['a local header elsewhere', async () => patched(await build(), FIRST_CENTRAL + 47 + 42, 37)],
    ['another name in the entry', async () => patched(await build(), 30, 0x7a)],
    ['another method in the entry', async () => patched(await build(), 8, 8)],
    ['another byte in the content', async () => patched(await build(), 31, 0x7a)],
    ['a name that is not UTF-8', async () => patched(await build(), FIRST_CENTRAL + 46, 0xff)],
  ])('%s', async (_, make) => {
    await expect(readAll(await make())).rejects.toMatchObject({ code: 'zip-damaged', category: 'CorruptionError' })
  })

  test('encrypted entries are refused', async () => {
    await expect(readAll(patched(await build(), FIRST_CENTRAL + 8, 1))).rejects.toMatchObject({ code: 'zip-encrypted' })
  })

  test('one volume of several is refused', async () => {
    await expect(readAll(patched(await build(), -18, 1))).rejects.toMatchObject({ code: 'zip-multi-volume' })
  })

  test('a bomb gives no byte more than it said, whole or in pieces', async () => {
    const archive = fixture('deflated.zip')
    const view = new DataView(archive.buffer)
    const zip = await openZip(assetOf(archive))
    const directory = view.getUint32(archive.length - 6, true)
    const last = archive.length - 22 - 46 - 'zeros'.length
    expect(directory).toBeLessThan(last)
    view.setUint32(last + 24, 1_000, true)
    const liar = await openZip(assetOf(archive))
    let produced = 0
    const drain = async () => {
      for await (const piece of liar.open(liar.entries[4])) produced += piece.length
    }
    await expect(drain()).rejects.toMatchObject({ code: 'zip-damaged' })
    expect(produced).toBeLessThanOrEqual(1_000)
    await expect(liar.bytes(liar.entries[4])).rejects.toMatchObject({ code: 'zip-damaged' })
    expect((await zip.bytes(zip.entries[4])).length).toBe(200_000)
  })

  test('a size beyond what deflate can expand to is refused before anything is allocated', async () => {
    const archive = fixture('deflated.zip')
    new DataView(archive.buffer).setUint32(archive.length - 22 - 46 - 'zeros'.length + 24, 0xfffffff0, true)
    await expect(openZip(assetOf(archive))).rejects.toMatchObject({ code: 'zip-damaged' })
  })

  test('any damage is noticed or harmless, never another error', async () => {
    const archives = ['stored.zip', 'deflated.zip', 'deflated-zip64.zip', 'streamed-comment.zip'].map(fixture)
    const originals = await Promise.all(archives.map(readAll))
    const damage = fc.record({
      which: fc.nat(archives.length - 1),
      at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      fromEnd: fc.boolean(),
      value: fc.integer({ min: 1, max: 255 }),
    })
    await fc.assert(
      fc.asyncProperty(damage, async ({ which, at, fromEnd, value }) => {
        const archive = archives[which].slice()
        const reach = fromEnd ? Math.min(archive.length, 400) : archive.length
        const position = archive.length - 1 - Math.floor(at * reach)
        archive[position] ^= value
        try {
          const contents = await readAll(archive)
          // Times, attributes and comments carry no content; a path may have changed into another.
          expect(Buffer.concat([...contents.values()]).equals(Buffer.concat([...originals[which].values()]))).toBe(true)
        } catch (error) {
          if (!isTidemarkError(error)) throw error
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('neighbours come out of one read', async () => {
    const sources = Array.from({ length: 1_000 }, (_, i) => ({ path: `${i}`, body: bytes(`content ${i}`) }))
    const asset = assetOf(await collect(writeZip(sources)))
    let reads = 0
    const range = (start: number, end: number) => {
      reads++
      return asset.range(start, end)
    }
    const zip = await openZip({ ...asset, range })
    for (const entry of zip.entries) await zip.bytes(entry)
    expect(reads).toBeLessThan(6)
  })
})
