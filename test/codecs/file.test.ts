import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { fileCodec } from '../../src/codecs/file.ts'
import type { FileSource } from '../../src/codecs/file-source.ts'
import { isTextMediaType, mediaTypeOf } from '../../src/codecs/media-type.ts'
import { file } from '../../src/codecs/values.ts'
import { assetOf, collect } from './asset-of.ts'

const hello = new TextEncoder().encode('hello')

async function encoded(value: unknown) {
  const result = await fileCodec.encode(value)
  return { ...result, text: new TextDecoder().decode(await collect(result.body)) }
}

async function* pieces(...values: unknown[]) {
  yield* values
}

describe('fileCodec', () => {
  it.each<[string, () => unknown, object]>([
    ['bytes', () => hello, { mediaType: 'application/octet-stream', size: 5 }],
    ['a view at an odd offset', () => new Uint8Array([0, 0, 0, ...hello, 0]).subarray(3, 8), { size: 5 }],
    ['a DataView', () => new DataView(new Uint8Array([0, ...hello]).buffer, 1), { size: 5 }],
    ['an ArrayBuffer', () => hello.slice().buffer, { size: 5 }],
    ['a Blob', () => new Blob(['hello'], { type: 'text/csv' }), { mediaType: 'text/csv', size: 5 }],
    ['a File', () => new File(['hello'], 'a.json'), { name: 'a.json', mediaType: 'application/json', size: 5 }],
    ['a stream', () => new Blob(['hello']).stream(), { mediaType: 'application/octet-stream' }],
    ['a Node stream', () => Readable.from([Buffer.from('hel'), Buffer.from('lo')]), {}],
    ['an async iterable', () => pieces(hello.subarray(0, 2), hello.slice(2).buffer), {}],
    [
      'a Response',
      () => new Response('hello', { headers: { 'content-type': 'text/csv', 'content-length': '5' } }),
      { mediaType: 'text/csv', size: 5 },
    ],
    ['an empty Response', () => new Response(null, { status: 204 }), {}],
    ['a named wrapper', () => file(hello, { name: 'a.csv' }), { name: 'a.csv', mediaType: 'text/csv' }],
    [
      'a typed wrapper',
      () => file(new File(['hello'], 'a.csv'), { mediaType: 'x/y' }),
      { name: 'a.csv', mediaType: 'x/y' },
    ],
  ])('keeps %s, with its name and media type', async (what, make, expected) => {
    const result = await encoded(make())
    expect(result).toMatchObject({ kind: 'file', extension: '', cuts: 'content', ...expected })
    expect(result.text).toBe(what === 'an empty Response' ? '' : 'hello')
  })

  it('decodes to the bytes', async () => expect(await fileCodec.decode(assetOf(hello))).toEqual(hello))

  it('does not take the length of compressed bytes for that of the file, said or kept from pages of other origins', async () => {
    const coded = new Response('hello', { headers: { 'content-length': '3', 'content-encoding': 'gzip' } })
    const foreign = new Response('hello', { headers: { 'content-length': '3' } })
    // What fetch gives in a page, as Chromium 156 has it: type 'cors', a Content-Length, and no Content-Encoding.
    Object.defineProperty(foreign, 'type', { value: 'cors' })
    for (const response of [coded, foreign]) {
      const { size, text } = await encoded(response)
      expect([size, text]).toEqual([undefined, 'hello'])
    }
  })

  it.each([
    ['attachment; filename="a b.csv"', 'a b.csv'],
    ["attachment; filename=x.bin; filename*=UTF-8''caf%C3%A9.csv", 'café.csv'],
    ['attachment; filename="../../etc/passwd"', 'passwd'],
    ['attachment; filename="C:\\\\temp\\\\a.csv"', 'a.csv'],
    ['inline; filename=plain.csv', 'plain.csv'],
  ])('takes the name from %s', async (header, name) => {
    expect((await encoded(new Response('x', { headers: { 'content-disposition': header } }))).name).toBe(name)
  })

  it.each([
    [404, 'NotFoundError'],
    [403, 'PermissionError'],
    [500, 'UnavailableError'],
    [304, 'UnavailableError'],
  ])('does not take a page with status %i for a file', async (status, category) => {
    const body = status === 304 ? null : 'page'
    await expect(encoded(new Response(body, { status }))).rejects.toMatchObject({
      code: 'http-status',
      category,
      fields: { status },
    })
  })

  it('refuses what was read already', async () => {
    const response = new Response('x')
    await response.text()
    await expect(encoded(response)).rejects.toMatchObject({ code: 'response-used' })
    const stream = new Blob(['x']).stream()
    stream.getReader()
    await expect(encoded(stream)).rejects.toMatchObject({ code: 'stream-used' })
    const node = Readable.from([Buffer.from('a'), Buffer.from('b')])
    for await (const _ of node) break
    await expect(encoded(node)).rejects.toMatchObject({ code: 'stream-used' })
  })

  it('reads again what can be read again', async () => {
    async function* letters() {
      yield Buffer.from('a')
      yield Buffer.from('b')
    }
    const again = { [Symbol.asyncIterator]: letters }
    expect((await encoded(again)).text).toBe('ab')
    expect((await encoded(again)).text).toBe('ab')
  })

  it('refuses a buffer that was transferred away instead of taking it for empty', () => {
    const buffer = new ArrayBuffer(4)
    const view = new Uint8Array(buffer)
    structuredClone(buffer, { transfer: [buffer] })
    for (const gone of [buffer, view]) {
      expect(() => fileCodec.encode(gone)).toThrow(expect.objectContaining({ code: 'detached-buffer' }))
    }
  })

  it('refuses pieces that are no bytes, and values that are no file', async () => {
    await expect(encoded(pieces('text'))).rejects.toMatchObject({ code: 'not-bytes' })
    expect(() => fileCodec.encode({})).toThrow(expect.objectContaining({ code: 'unsupported-value' }))
    expect(() => fileCodec.encode('a/path')).toThrow(expect.objectContaining({ code: 'source-not-opened' }))
  })

  it.each([4, 6])('notices that a file of 5 bytes was announced as %i', async (size) => {
    const source: FileSource = {
      name: 'a',
      mediaType: 'x/y',
      size,
      open: () => pieces(hello) as AsyncIterable<Uint8Array>,
    }
    await expect(encoded(source)).rejects.toMatchObject({ code: 'file-changed', category: 'ConflictError' })
  })

  it('cancels a stream whose reader leaves, and stops when aborted', async () => {
    let cancelled = 0
    const endless = () =>
      new ReadableStream({ pull: (controller) => controller.enqueue(hello), cancel: () => void cancelled++ })
    for await (const _ of (await fileCodec.encode(endless())).body) break
    expect(cancelled).toBe(1)

    const controller = new AbortController()
    const stalled = new ReadableStream({ pull: () => new Promise(() => undefined), cancel: () => void cancelled++ })
    const read = collect((await fileCodec.encode(stalled, { signal: controller.signal })).body)
    setTimeout(() => controller.abort(), 10)
    await expect(read).rejects.toMatchObject({ code: 'aborted' })
    expect(cancelled).toBe(2)
  })

  it('passes on why a stream failed', async () => {
    const broken = new ReadableStream({ pull: () => Promise.reject(new DOMException('gone', 'NotReadableError')) })
    await expect(encoded(broken)).rejects.toMatchObject({ code: 'file-changed' })
  })

  it('shows the beginning of text, and nothing of bytes', async () => {
    const previewOf = async (value: unknown) => {
      const result = await fileCodec.encode(value)
      await collect(result.body)
      return result.preview()
    }
    expect(await previewOf(new File(['a,b\n1,2'], 'a.csv'))).toEqual({
      kind: 'file',
      mediaType: 'text/csv',
      size: 7,
      text: 'a,b\n1,2',
      truncated: false,
    })
    expect(await previewOf(new File([`x${'é'.repeat(1000)}`], 'a.txt'))).toMatchObject({
      text: `x${'é'.repeat(511)}`,
      truncated: true,
      size: 2001,
    })
    expect(await previewOf(new File([new Uint8Array([0xff, 0xfe])], 'a.txt'))).toEqual({
      kind: 'file',
      mediaType: 'text/plain',
      size: 2,
    })
    expect(await previewOf(new File(['x'], 'a.bin'))).toEqual({
      kind: 'file',
      mediaType: 'application/octet-stream',
      size: 1,
    })
  })
})

describe('media types', () => {
  it.each([
    ['a.CSV', 'text/csv'],
    ['model.v2.onnx', 'application/x-onnx'],
    ['.csv', 'application/octet-stream'],
    ['dir.csv/file', 'application/octet-stream'],
    ['dir/.png', 'application/octet-stream'],
    ['a.', 'application/octet-stream'],
    ['a.__proto__', 'application/octet-stream'],
  ])('%s is %s', (name, type) => expect(mediaTypeOf(name)).toBe(type))

  it('knows text when it sees it', () => {
    for (const type of ['text/csv', 'application/json', 'image/svg+xml', 'application/x-ndjson; charset=utf-8'])
      expect(isTextMediaType(type)).toBe(true)
    for (const type of ['image/png', 'application/octet-stream', 'application/jsonx'])
      expect(isTextMediaType(type)).toBe(false)
  })
})
