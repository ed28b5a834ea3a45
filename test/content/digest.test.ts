import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Digester, growingDigester, openDigester, scriptDigester, wasmDigester } from '../../src/content/digest.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

const digesters: [string, () => Digester | Promise<Digester>][] = [
  ['the one of this runtime', openDigester],
  ['WebAssembly', wasmDigester],
  ['plain JavaScript', scriptDigester],
  ['plain JavaScript, then WebAssembly', growingDigester],
]

describe.each(digesters)('SHA-256 by %s', (_name, open) => {
  it('is what everybody else calls SHA-256, at once, in pieces and interleaved', async () => {
    const digester = await open()
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), fc.uint8Array(), (pieces, other) => {
        const hasher = digester.create()
        const beside = digester.create()
        for (const piece of pieces) {
          hasher.update(piece)
          beside.update(other)
          digester.hex(other)
        }
        const all = Buffer.concat(pieces)
        const copy = hasher.copy()
        copy.update(other)
        expect(copy.hex()).toBe(sha256(Buffer.concat([all, other])))
        const expected = createHash('sha256').update(all).digest('hex')
        expect(hasher.hex()).toBe(expected)
        expect(digester.hex(all)).toBe(expected)
      }),
    )
  })
})

describe('SHA-256 in plain JavaScript', () => {
  it('is right at every length around its blocks, wherever a piece begins', () => {
    const all = Uint8Array.from({ length: 400 }, (_, i) => (i * 151) >> 3)
    for (let length = 0; length < 260; length++) {
      const bytes = all.subarray(length % 9, (length % 9) + length)
      const hasher = scriptDigester().create()
      hasher.update(bytes.subarray(0, length >> 1))
      hasher.update(bytes.subarray(length >> 1))
      expect(hasher.hex()).toBe(sha256(bytes))
    }
  })

  it('is right for many blocks at once, and counts bits beyond 32 of them', () => {
    const bytes = new Uint8Array(2 ** 20 + 7).fill(7)
    expect(scriptDigester().hex(bytes)).toBe(sha256(bytes))
    const hasher = scriptDigester().create()
    const other = createHash('sha256')
    const mebibyte = new Uint8Array(2 ** 20)
    for (let i = 0; i < 513; i++) {
      hasher.update(mebibyte)
      other.update(mebibyte)
    }
    expect(hasher.hex()).toBe(other.digest('hex'))
  })
})

describe('SHA-256 that grows', () => {
  const lot = new Uint8Array(5 * 2 ** 20).fill(3)

  it('loads what is faster once, when there is much to digest', async () => {
    let loaded = 0
    const digester = growingDigester(async () => {
      loaded++
      return { ...scriptDigester(), hex: () => 'faster' }
    })
    digester.hex(new Uint8Array(1000))
    expect(loaded).toBe(0)
    const begun = digester.create()
    begun.update(lot)
    await Promise.resolve()
    digester.hex(lot)
    expect(loaded).toBe(1)
    expect(begun.hex()).toBe(sha256(lot))
    expect(digester.hex(lot)).toBe('faster')
  })

  it('stays as it is where nothing faster may be had', async () => {
    const digester = growingDigester(() => Promise.reject(new Error('forbidden')))
    digester.hex(lot)
    await Promise.resolve()
    expect(digester.hex(lot)).toBe(sha256(lot))
  })
})
