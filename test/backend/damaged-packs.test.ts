import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { openDigester } from '../../src/content/digest.ts'
import { packFooter, packHeader, readPackIndex } from '../../src/content/pack.ts'
import { routes } from '../../src/protocol/routes.ts'
import { memoryStore } from '../../src/stores/memory.ts'

async function packOf(content: Uint8Array): Promise<{ id: string; bytes: Uint8Array }> {
  const digester = await openDigester()
  const size = content.length
  const offset = packHeader.length
  const chunk = { digest: digester.hex(content), size, length: size, offset, encoding: 'raw' } as const
  const { id, footer } = packFooter([chunk], digester)
  return { id, bytes: Uint8Array.from([...packHeader, ...content, ...footer]) }
}

describe('a pack that comes damaged', () => {
  it('is refused, whichever bit it is, and nothing of it is kept', async () => {
    const store = memoryStore()
    const backend = createBackend({ records: store, blobs: store })
    const { id, bytes } = await packOf(new TextEncoder().encode('what was logged'))
    const put = (body: Uint8Array) =>
      backend.fetch(new Request(`http://backend.test${routes.pack(id)}`, { method: 'PUT', body: body.slice() }))
    const wrong = [bytes.subarray(1), bytes.subarray(0, -1), new Uint8Array(0)]
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3] ^= 1 << (bit & 7)
      wrong.push(flipped)
    }
    for (const body of wrong) {
      const reply = await put(body)
      expect(reply.status).toBe(400)
      expect(await reply.json()).toMatchObject({
        msg: expect.stringContaining('send it again'),
        tidemark: { category: 'InvalidInputError', code: 'pack-damaged' },
      })
    }
    // One whose index promises more than there can be.
    const size = 2 ** 40
    const huge = {
      digest: 'ab'.repeat(32),
      storedDigest: 'ab'.repeat(16),
      size,
      length: 10,
      encoding: 'deflate',
    } as const
    const { footer } = packFooter([{ ...huge, offset: packHeader.length }], await openDigester())
    const bomb = Uint8Array.from([...packHeader, ...new Uint8Array(10), ...footer])
    expect(() => readPackIndex(bomb)).toThrow(expect.objectContaining({ code: 'pack-damaged' }))
    expect((await put(bomb)).status).toBe(400)
    expect((await store.list('packs/')).entries).toEqual([])
    expect((await put(bytes)).status).toBe(200)
    expect((await store.list('packs/')).entries).toHaveLength(1)
  })
})
