import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { fileContent } from '../../src/codecs/file-content.ts'
import type { FileSource } from '../../src/codecs/file-source.ts'
import { zipCodec } from '../../src/codecs/zip.ts'
import { openSource } from '../../src/sources/open.ts'
import { walkFolder } from '../../src/sources/paths-fs.ts'
import { tempFolder } from '../sources/temp-folder.ts'
import { assetOf, collect } from './asset-of.ts'

function source(path: string, content: string | Uint8Array): FileSource {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  return { ...fileContent(bytes, { name: path }), path }
}

describe('zipCodec', () => {
  it('gives back the files of a folder, and shows its list', async () => {
    const big = randomBytes(700_000)
    const folder = await tempFolder({ 'a/b.txt': 'B', 'a.txt': 'A', 'big.bin': big, empty: '', 'ü/😀.txt': 'smile' })
    const opened = await openSource(folder)
    const encoded = await zipCodec.encode(opened)
    expect(encoded).toMatchObject({ kind: 'zip', extension: '.zip', mediaType: 'application/zip', cuts: 'content' })
    const bytes = await collect(encoded.body)
    const files = await zipCodec.decode(assetOf(bytes))
    expect(files).toEqual(
      new Map(
        [
          ['a.txt', Buffer.from('A')],
          ['a/b.txt', Buffer.from('B')],
          ['big.bin', big],
          ['empty', Buffer.alloc(0)],
          ['ü/😀.txt', Buffer.from('smile')],
        ].map(([path, content]) => [path, Uint8Array.from(content as Uint8Array)]),
      ),
    )
    expect(encoded.preview()).toMatchObject({
      kind: 'zip',
      count: 5,
      size: 700_007,
      entries: [{ path: 'a.txt', size: 1 }, { path: 'a/b.txt', size: 1 }, { path: 'big.bin', size: 700_000 }, {}, {}],
    })
    await writeFile(join(folder, 'out.zip'), bytes)
    expect(execFileSync('unzip', ['-tqq', join(folder, 'out.zip')], { encoding: 'utf8' })).toBe('')
  })

  it('is the same bytes for the same files, from a disk or from memory, whenever they were written', async () => {
    const big = randomBytes(300_000)
    const folder = await tempFolder({ 'a.txt': 'A', 'b/big.bin': big })
    const first = await collect((await zipCodec.encode(walkFolder(folder))).body)
    await utimes(join(folder, 'a.txt'), 1, 1)
    expect(Buffer.compare(first, await collect((await zipCodec.encode(walkFolder(folder))).body))).toBe(0)
    expect(
      Buffer.compare(
        first,
        await collect((await zipCodec.encode([source('a.txt', 'A'), source('b/big.bin', big)])).body),
      ),
    ).toBe(0)
  })

  it('makes a zip of no files', async () => {
    expect(await zipCodec.decode(assetOf(await collect((await zipCodec.encode([])).body)))).toEqual(new Map())
  })

  it.each<[string, FileSource[], string]>([
    ['unsorted', [source('b', ''), source('a', '')], 'unsorted-files'],
    ['equal', [source('a', ''), source('a', '')], 'zip-duplicate-path'],
    ['hostile', [source('../a', '')], 'invalid-path'],
  ])('refuses %s paths', async (_, files, code) => {
    await expect(collect((await zipCodec.encode(files)).body)).rejects.toMatchObject({ code })
  })

  it('refuses what is no list of files', () => {
    expect(() => zipCodec.encode('photos')).toThrow(expect.objectContaining({ code: 'unsupported-value' }))
    expect(() => zipCodec.encode([{ path: 'a' }])).toThrow(expect.objectContaining({ code: 'unsupported-value' }))
  })

  it.each(['../a', '/a', 'a/../../b', 'C:/a', 'a\\b', 'nul', 'a//b', './a'])(
    'does not read the hostile entry %s',
    async (path) => {
      const archive = zipSync({ [path]: new Uint8Array(1) })
      await expect(zipCodec.decode(assetOf(archive))).rejects.toMatchObject({
        code: 'zip-damaged',
        category: 'CorruptionError',
      })
    },
  )

  it('reads archives of others, folders and deflated entries included', async () => {
    const archive = zipSync({
      a: { 'b.txt': [Buffer.from('hello hello hello hello'), { level: 9 }] },
      empty: {},
      __proto__x: new Uint8Array(1),
    })
    const files = await zipCodec.decode(assetOf(archive))
    expect(files).toEqual(
      new Map([
        ['a/b.txt', new TextEncoder().encode('hello hello hello hello')],
        ['__proto__x', new Uint8Array(1)],
      ]),
    )
  })

  it('lists the first 100 entries of many', async () => {
    const encoded = await zipCodec.encode(Array.from({ length: 250 }, (_, i) => source(`f${1000 + i}`, 'x')))
    await collect(encoded.body)
    const preview = encoded.preview()
    expect(preview).toMatchObject({ count: 250, size: 250 })
    expect(preview?.entries).toHaveLength(100)
  })
})
