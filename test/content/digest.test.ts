import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Digester, openDigester, scriptDigester, wasmDigester } from '../../src/content/digest.ts'

const digesters: [string, () => Promise<Digester>][] = [
  ['the one of this runtime', openDigester],
  ['WebAssembly', wasmDigester],
  ['plain JavaScript', scriptDigester],
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
        const expected = createHash('sha256').update(all).digest('hex')
        expect(hasher.hex()).toBe(expected)
        expect(digester.hex(all)).toBe(expected)
      }),
    )
  })
})
