import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { textCodec } from '../../src/codecs/text.ts'
import { sameBytes } from '../bytes.ts'
import { assetOf, collect } from './asset-of.ts'

describe('textCodec', () => {
  it('gives back every well-formed string', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        const bytes = await collect((await textCodec.encode(text)).body)
        expect(sameBytes(bytes, new TextEncoder().encode(text))).toBe(true)
        expect(await textCodec.decode(assetOf(bytes))).toBe(text)
      }),
    )
  })

  it.each(['', '\ufeffbom', 'a\r\nb\0c', '😀'.repeat(300_000), `x${'😀'.repeat(300_000)}`])(
    'keeps awkward text',
    async (text) => {
      const bytes = await collect((await textCodec.encode(text)).body)
      expect((await textCodec.decode(assetOf(bytes))) === text).toBe(true)
    },
  )

  it('refuses a lone surrogate, naming where', () => {
    expect(() => textCodec.encode('ab\ud800c')).toThrow(
      expect.objectContaining({ code: 'lone-surrogate', fields: { index: 2 } }),
    )
    expect(() => textCodec.encode(1)).toThrow(expect.objectContaining({ code: 'unsupported-value' }))
  })

  it('does not decode what is not UTF-8', async () => {
    for (const bytes of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x61, 0xf5, 0x80, 0x80, 0x80]]) {
      await expect(textCodec.decode(assetOf(new Uint8Array(bytes)))).rejects.toMatchObject({
        code: 'text-damaged',
        category: 'CorruptionError',
      })
    }
  })

  it('shows the beginning and the length', async () => {
    const encoded = await textCodec.encode(`${'x'.repeat(999)}😀 and more`)
    expect(encoded).toMatchObject({
      kind: 'text',
      extension: '.txt',
      mediaType: 'text/plain; charset=utf-8',
      cuts: 'content',
    })
    expect(encoded.preview()).toEqual({ kind: 'text', text: 'x'.repeat(999), length: 1010, truncated: true })
    expect((await textCodec.encode('hello')).preview()).toEqual({
      kind: 'text',
      text: 'hello',
      length: 5,
      truncated: false,
    })
  })
})
