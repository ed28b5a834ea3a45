import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Float64, makeData, makeVector, Table } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { Artifact, arrays, file, folder, glob, image, json, table, text } from '../../src/index.ts'
import { begin, bytesOf, temporaryFolder } from './world.ts'

async function roundTrip(value: unknown): Promise<{ path: string; type: string; value: unknown; mediaType: string }> {
  const { experiment } = await begin()
  const logged = await experiment.uploadArtifact('thing', value)
  const [asset] = await logged.getAssets()
  expect(await logged.verify()).toMatchObject({ ok: true, files: 1 })
  expect(await asset.preview()).toMatchObject({ kind: expect.any(String) })
  return { path: asset.logicalPath, type: asset.type, mediaType: asset.mediaType, value: await logged.get() }
}

function rowsOf(value: unknown): unknown[] {
  if (!(value instanceof Table)) throw new TypeError('not a table')
  return value.toArray().map((row) => row.toJSON())
}

describe('what a value becomes, and what get gives back', () => {
  const rows = [
    { id: 1, name: 'a', when: null, ok: true },
    { id: 2.5, name: 'ü', when: null, ok: false },
  ]

  it('records', async () => {
    const { path, type, value } = await roundTrip(rows)
    expect([path, type]).toEqual(['thing.arrow', 'table'])
    expect(rowsOf(value)).toEqual(rows)
  })

  it('columns in table()', async () => {
    const { path, value } = await roundTrip(table({ step: new Int32Array([1, 2]), name: ['x', 'y'] }))
    expect(path).toBe('thing.arrow')
    expect(rowsOf(value)).toEqual([
      { step: 1, name: 'x' },
      { step: 2, name: 'y' },
    ])
  })

  it('an Arrow table', async () => {
    const data = makeData({ type: new Float64(), data: new Float64Array([1, 2, 3]) })
    const { type, value } = await roundTrip(new Table({ x: makeVector(data) }))
    expect(type).toBe('table')
    expect(rowsOf(value)).toEqual([{ x: 1 }, { x: 2 }, { x: 3 }])
  })

  it('bytes without a name are of the type that their path says, unless they say it themselves', async () => {
    const { experiment } = await begin()
    const artifact = new Artifact('bytes', 'dataset')
    await artifact.add(bytesOf('a,b'), { logicalPath: 'deep/table.csv' })
    await artifact.add(new Blob(['{}']), { logicalPath: 'blob.json' })
    await artifact.add(new Blob(['{}'], { type: 'text/x-own' }), { logicalPath: 'own.json' })
    await artifact.add(file(bytesOf('x'), { name: 'named.png' }), { logicalPath: 'renamed.csv' })
    await artifact.add(new Blob(['x']).stream(), { logicalPath: 'stream.md' })
    const logged = await experiment.logArtifact(artifact)
    expect((await logged.getAssets()).map(({ logicalPath, mediaType }) => [logicalPath, mediaType])).toEqual([
      ['blob.json', 'application/json'],
      ['deep/table.csv', 'text/csv'],
      ['own.json', 'text/x-own'],
      ['renamed.csv', 'image/png'],
      ['stream.md', 'text/markdown'],
    ])
    expect(await (await logged.getAsset('deep/table.csv')).preview()).toMatchObject({ text: 'a,b' })
  })

  const plain: readonly (readonly [string, unknown, unknown?])[] = [
    ['an object', { lr: 1e-3, deep: { list: [1, [2, 'x']], nothing: null } }],
    ['an array that is no table', [1, 'two', [3]]],
    ['an empty array', []],
    ['a number', 42],
    ['a boolean', false],
    ['null', null],
    ['NaN, Infinity and BigInt', { a: Number.NaN, b: Number.POSITIVE_INFINITY, c: 2n ** 80n }],
    ['Date, Map and Set', { when: new Date(5), map: new Map([['k', 1]]), set: new Set([1]) }],
    ['records in json()', json([{ a: 1 }]), [{ a: 1 }]],
  ]
  it.each(plain)('%s', async (_, value, expected = value) => {
    const got = await roundTrip(value)
    expect([got.path, got.type]).toEqual(['thing.json', 'json'])
    expect(got.value).toEqual(expected)
  })

  it.each([
    ['a typed array', new Float32Array([1, 2, 3]), { shape: [3], dtype: '<f4' }],
    [
      'nested arrays',
      arrays([
        [1, 2],
        [3, 4],
      ]),
      { shape: [2, 2] },
    ],
    ['a tensor', { data: new Int32Array([1, 2, 3, 4]), dims: [2, 2], type: 'int32' }, { shape: [2, 2] }],
    ['a Map of arrays', arrays(new Map([['w', new Float32Array(2)]])), { shape: [2] }],
  ])('%s', async (_, value, expected) => {
    const { path, type, value: got } = await roundTrip(value)
    expect([path, type]).toEqual(['thing.npz', 'npz'])
    const [first] = Object.values(Object(got))
    expect(first).toMatchObject({ shape: expected.shape })
  })

  it.each([
    ['an image', { width: 2, height: 1, data: new Uint8ClampedArray([1, 2, 3, 255, 4, 5, 6, 255]) }],
    ['a tensor in image()', image({ data: new Uint8Array([0, 128]), shape: [1, 2, 1], dtype: 'uint8' })],
  ])('%s', async (_, value) => {
    const { path, type, value: got } = await roundTrip(value)
    expect([path, type]).toEqual(['thing.png', 'png'])
    expect(got).toMatchObject({ width: 2, height: 1 })
  })

  it('text', async () => {
    expect(await roundTrip('just some words')).toMatchObject({
      path: 'thing.txt',
      type: 'text',
      value: 'just some words',
    })
    expect(await roundTrip(text('./no/such/file'))).toMatchObject({ path: 'thing.txt', value: './no/such/file' })
  })

  it('bytes, Blob, File, stream, Response', async () => {
    const bytes = bytesOf('a,b\n1,2\n')
    expect(await roundTrip(bytes)).toMatchObject({ path: 'thing', type: 'file', value: bytes })
    expect(await roundTrip(new File([bytes], 'x.csv'))).toMatchObject({
      path: 'x.csv',
      mediaType: 'text/csv',
      value: bytes,
    })
    expect(await roundTrip(new Blob([bytes], { type: 'text/csv' }))).toMatchObject({
      mediaType: 'text/csv',
      value: bytes,
    })
    expect(await roundTrip(new Blob([bytes]).stream())).toMatchObject({ value: bytes })
    expect(await roundTrip(new Response(bytes, { headers: { 'content-type': 'text/csv' } }))).toMatchObject({
      mediaType: 'text/csv',
      value: bytes,
    })
    expect(await roundTrip(file(bytes, { name: 'report.pdf' }))).toMatchObject({
      path: 'report.pdf',
      mediaType: 'application/pdf',
      value: bytes,
    })
  })

  it('paths, folders and patterns', async () => {
    const dir = await temporaryFolder()
    await mkdir(join(dir, 'data/deep'), { recursive: true })
    await writeFile(join(dir, 'data/a.csv'), 'a')
    await writeFile(join(dir, 'data/deep/b.txt'), 'b')
    const both = new Map([
      ['a.csv', bytesOf('a')],
      ['deep/b.txt', bytesOf('b')],
    ])
    expect(await roundTrip(join(dir, 'data/a.csv'))).toMatchObject({ path: 'a.csv', type: 'file', value: bytesOf('a') })
    expect(await roundTrip(pathToFileURL(join(dir, 'data/a.csv')))).toMatchObject({
      path: 'a.csv',
      value: bytesOf('a'),
    })
    expect(await roundTrip(join(dir, 'data'))).toMatchObject({ path: 'thing.zip', type: 'zip', value: both })
    expect(await roundTrip(folder(join(dir, 'data')))).toMatchObject({ path: 'thing.zip', value: both })
    expect(await roundTrip(`${dir}/data/**/*`)).toMatchObject({ path: 'thing.zip', value: both })
    expect(await roundTrip(glob('data/**/*.txt', { folder: dir }))).toMatchObject({
      path: 'thing.zip',
      value: new Map([['deep/b.txt', bytesOf('b')]]),
    })
  })

  it('shows a preview of the caller instead of its own', async () => {
    const { experiment } = await begin()
    const words = await experiment.uploadArtifact('words', { a: 1 }, { preview: 'one a' })
    expect(await (await words.getAsset()).preview()).toEqual({ kind: 'text', text: 'one a' })
  })
})
