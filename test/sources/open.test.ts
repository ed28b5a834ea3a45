import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { file, folder, glob } from '../../src/codecs/values.ts'
import { type OpenOptions, openSource } from '../../src/sources/open.ts'
import { directoryHandle, entry, fileHandle, fileList, itemList } from './handles.ts'
import { bytesOf, tempFolder, textsOf } from './temp-folder.ts'

const tree = { 'photos/a.jpg': 'A', 'photos/sub/b.jpg': 'B', 'photos/notes.txt': 'N', 'star*.txt': 'S' }
const nested = {
  'a.txt': 'A',
  'a-b.txt': 'AB',
  a: { 'x.tmp': 'X', 'y.txt': 'Y' },
  '.tidemarkignore': '*.tmp',
  '.git': { HEAD: 'h' },
}

async function filesOf(value: unknown, options?: OpenOptions) {
  const opened = await openSource(value, options)
  return opened.kind === 'folder' ? { name: opened.name, texts: await textsOf(opened.files) } : opened
}

async function textOf(value: unknown, options?: OpenOptions) {
  const opened = await openSource(value, options)
  if (opened.kind !== 'file') throw new Error(`a ${opened.kind}`)
  const { name, mediaType, size } = opened.file
  return { name, mediaType, size, text: new TextDecoder().decode(await bytesOf(opened.file)) }
}

describe('a string', () => {
  let before: string
  beforeEach(async () => {
    before = process.cwd()
    process.chdir(await tempFolder(tree))
  })
  afterEach(() => process.chdir(before))

  it('is the file at that path', async () => {
    expect(await textOf('photos/a.jpg')).toEqual({ name: 'a.jpg', mediaType: 'image/jpeg', size: 1, text: 'A' })
    expect(await textOf('star*.txt')).toMatchObject({ name: 'star*.txt', text: 'S' })
  })

  it('is the folder at that path', async () => {
    const expected = { name: 'photos', texts: { 'a.jpg': 'A', 'notes.txt': 'N', 'sub/b.jpg': 'B' } }
    expect(await filesOf('photos')).toEqual(expected)
    expect(await filesOf('./photos/')).toEqual(expected)
    expect(await filesOf(join(process.cwd(), 'photos'))).toEqual(expected)
    expect(await filesOf('photos', { ignore: '*.jpg' })).toMatchObject({ texts: { 'notes.txt': 'N' } })
  })

  it('is a pattern when it has wildcards', async () => {
    expect(await filesOf('photos/**/*.jpg')).toEqual({ name: 'photos', texts: { 'a.jpg': 'A', 'sub/b.jpg': 'B' } })
    expect(await filesOf('*/a.jpg')).toEqual({ name: 'files', texts: { 'photos/a.jpg': 'A' } })
    await expect(filesOf('photos/*.gif')).rejects.toMatchObject({ code: 'glob-no-match' })
    await expect(filesOf('./nowhere/*.gif')).rejects.toMatchObject({ code: 'glob-no-match' })
  })

  it.each([
    'hello',
    'photo',
    'photos/none.jpg',
    '',
    'two\nlines *',
    'https://example.com/?q=*',
    '# Title\n\n**bold**',
    '/ or',
    'You are a botanist (an expert).',
    'f(x) = 2',
    'x'.repeat(5000),
    'a\0b',
  ])('is text otherwise: %j', async (text) => expect(await openSource(text)).toEqual({ kind: 'text', text }))

  it.each(['./photo', '../photo.jpg', '/no/such/file', '~/photos', '.\\photo', 'C:\\photo', 'c:/photo'])(
    'is never text when it can only be a path: %s',
    async (path) => {
      await expect(openSource(path)).rejects.toMatchObject({ code: 'file-not-found', category: 'NotFoundError' })
      await expect(openSource(path)).rejects.toThrow('text(...)')
    },
  )

  it('is a file or a folder when a wrapper says so', async () => {
    expect(await textOf(file('photos/a.jpg', { name: 'renamed.png' }))).toMatchObject({
      name: 'renamed.png',
      mediaType: 'image/png',
      text: 'A',
    })
    await expect(openSource(file('missing'))).rejects.toMatchObject({ code: 'file-not-found' })
    await expect(openSource(file('photos'))).rejects.toMatchObject({ code: 'not-a-file' })
    await expect(openSource(folder('missing'))).rejects.toMatchObject({ code: 'file-not-found' })
    await expect(openSource(folder('photos/a.jpg'))).rejects.toMatchObject({ code: 'not-a-folder' })
    expect(await filesOf(folder('photos', { ignore: 'sub/' }), { ignore: ['*.txt'] })).toMatchObject({
      texts: { 'a.jpg': 'A' },
    })
    expect(await filesOf(glob('**/*.jpg', { folder: 'photos', ignore: ['a.*'] }))).toEqual({
      name: 'files',
      texts: { 'sub/b.jpg': 'B' },
    })
    expect(await filesOf(glob(['photos/*.txt', 'photos/*.jpg']))).toEqual({
      name: 'photos',
      texts: { 'a.jpg': 'A', 'notes.txt': 'N' },
    })
  })

  it('may be a file: URL', async () => {
    expect(await textOf(pathToFileURL('photos/a.jpg'))).toMatchObject({ name: 'a.jpg', text: 'A' })
    expect(await textOf(file(pathToFileURL('photos/a.jpg')))).toMatchObject({ name: 'a.jpg', text: 'A' })
    expect(await filesOf(pathToFileURL('photos'))).toMatchObject({ name: 'photos' })
    expect(await filesOf(folder(pathToFileURL('photos')))).toMatchObject({ name: 'photos' })
    await expect(openSource(new URL('file:///no/such/file'))).rejects.toMatchObject({ code: 'file-not-found' })
  })
})

describe('what a browser hands over', () => {
  const texts = { 'a-b.txt': 'AB', 'a.txt': 'A', 'a/y.txt': 'Y' }

  it('a directory handle', async () => {
    expect(await filesOf(directoryHandle('data', nested))).toEqual({ name: 'data', texts })
    expect(await filesOf(folder(directoryHandle('data', nested), { ignore: 'a/' }))).toEqual({
      name: 'data',
      texts: { 'a-b.txt': 'AB', 'a.txt': 'A' },
    })
  })

  it('a file handle', async () => {
    expect(await textOf(fileHandle('a.csv', 'x'))).toEqual({ name: 'a.csv', mediaType: 'text/csv', size: 1, text: 'x' })
    expect(await textOf(file(fileHandle('a.csv', 'x'), { name: 'b.txt' }))).toMatchObject({
      name: 'b.txt',
      mediaType: 'text/plain',
    })
  })

  it('a FileList of a folder, and one of files', async () => {
    expect(await filesOf(fileList({ 'data/a/y.txt': 'Y', 'data/a.txt': 'A', 'data/a-b.txt': 'AB' }))).toEqual({
      name: 'data',
      texts,
    })
    expect(await filesOf(fileList({ 'b.txt': 'B', 'a.txt': 'A' }))).toEqual({
      name: 'files',
      texts: { 'a.txt': 'A', 'b.txt': 'B' },
    })
    await expect(filesOf(fileList({ 'a.txt': 'A' }).concat(fileList({ 'a.txt': 'A' })))).rejects.toMatchObject({
      code: 'duplicate-path',
    })
    await expect(filesOf(fileList({ 'data/../../a.txt': 'A' }))).rejects.toMatchObject({ code: 'invalid-path' })
  })

  it('dropped folders and files, by entry and by handle', async () => {
    for (const dropped of [
      { webkitGetAsEntry: () => entry('data', nested) },
      { getAsFileSystemHandle: async () => directoryHandle('data', nested) },
    ]) {
      const { list, empty } = itemList([dropped])
      const opening = filesOf(list)
      empty()
      expect(await opening).toEqual({ name: 'data', texts })
    }
    const two = [
      { webkitGetAsEntry: () => entry('data', { x: 'X' }) },
      { webkitGetAsEntry: () => null, getAsFile: () => new File(['Y'], 'y') },
    ]
    expect(await filesOf(itemList(two).list)).toEqual({ name: 'files', texts: { 'data/x': 'X', y: 'Y' } })
  })

  it('a dropped folder of more entries than come at once', async () => {
    const many = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`f${i}`, 'x']))
    const opened = await filesOf(itemList([{ webkitGetAsEntry: () => entry('data', many) }]).list)
    expect(opened).toMatchObject({ texts: many })
  })

  it('patterns over each of them', async () => {
    const from = { sub: { 'a.jpg': 'A', 'b.png': 'B' }, 'c.jpg': 'C' }
    expect(await filesOf(glob('sub/*.jpg', { folder: directoryHandle('d', from) }))).toEqual({
      name: 'sub',
      texts: { 'a.jpg': 'A' },
    })
    expect(await filesOf(glob('**/*.jpg', { folder: fileList({ 'd/sub/a.jpg': 'A', 'd/c.jpg': 'C' }) }))).toMatchObject(
      { texts: { 'c.jpg': 'C', 'sub/a.jpg': 'A' } },
    )
    await expect(filesOf(glob('none/*.jpg', { folder: directoryHandle('d', from) }))).rejects.toMatchObject({
      code: 'glob-no-match',
    })
  })

  it('says when a chosen file is gone or changed', async () => {
    const gone = { ...fileHandle('a', ''), getFile: () => Promise.reject(new DOMException('x', 'NotFoundError')) }
    await expect(openSource(gone)).rejects.toMatchObject({ code: 'file-vanished' })
  })
})

describe('a URL', () => {
  const answer = (body: BodyInit | null, init?: ResponseInit) => ({ fetch: async () => new Response(body, init) })

  it('is fetched, and named after its path', async () => {
    const options = answer('x,y', { headers: { 'content-type': 'text/csv' } })
    expect(await textOf(new URL('https://example.com/data/caf%C3%A9.csv?token=secret'), options)).toMatchObject({
      name: 'café.csv',
      mediaType: 'text/csv',
      text: 'x,y',
    })
    expect(await textOf(file(new URL('https://example.com/x'), { name: 'y.json' }), options)).toMatchObject({
      name: 'y.json',
      mediaType: 'application/json',
    })
    expect(await textOf(new URL('data:text/csv,a%2Cb'))).toMatchObject({ name: '', mediaType: 'text/csv', text: 'a,b' })
  })

  it('is an error when the answer is no file, without showing its query', async () => {
    const url = new URL('https://example.com/x?token=secret')
    await expect(openSource(url, answer('page', { status: 404 }))).rejects.toMatchObject({
      code: 'http-status',
      category: 'NotFoundError',
    })
    const failing = openSource(url, { fetch: () => Promise.reject(new TypeError('fetch failed')) })
    await expect(failing).rejects.toMatchObject({ code: 'fetch-failed', category: 'UnavailableError' })
    await expect(failing).rejects.not.toThrow('secret')
    await expect(openSource(new URL('s3://bucket/x'))).rejects.toMatchObject({ code: 'unknown-url-scheme' })
    await expect(openSource(url, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' })
  })
})

it('takes values that hold a file, and refuses the rest', async () => {
  expect(await textOf(new File(['x'], 'a.txt'))).toMatchObject({ name: 'a.txt', text: 'x' })
  expect(await textOf(file(new Uint8Array([0x78]), { name: 'a.txt' }))).toMatchObject({ name: 'a.txt', text: 'x' })
  await expect(openSource({})).rejects.toMatchObject({ code: 'unsupported-value' })
})
