import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readPackIndex, verifyPack } from '../../src/content/pack.ts'
import { seal, unseal } from '../../src/content/sealed.ts'
import { isTidemarkError } from '../../src/errors.ts'
import { sameBytes } from '../bytes.ts'
import { concat, noise, PacksInMemory } from './packs-in-memory.ts'

/** A small place with every kind of stored chunk: raw, deflated, delta, pages, a tree of chunks, previews. */
async function smallPlace() {
  const packs = new PacksInMemory()
  const files = { a: noise(2_000), 'b/c': new TextEncoder().encode('text '.repeat(300)), large: noise(1_600_000, 5) }
  const { version: base } = await packs.log(files, { deflate: true })
  const edited = { ...files, a: files.a.with(77, 1), large: files.large.with(900_000, 1) }
  const { version } = await packs.log(edited, { base, deflate: true })
  return {
    packs,
    versions: [
      { version: base, files },
      { version, files: edited },
    ],
  }
}

describe('corruption', () => {
  it('of any stored byte is found when it is read, and never comes out as data', async () => {
    const { packs, versions } = await smallPlace()
    const names = [...packs.packs.keys()]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
        async (name, where, flip) => {
          const whole = packs.packs.get(name)
          if (!whole) throw new Error('lost')
          const damaged = whole.slice()
          damaged[Math.floor(where * whole.length)] ^= flip
          packs.packs.set(name, damaged)
          try {
            for (const { version, files } of versions) await readsRightOrFails(version, files)
          } finally {
            packs.packs.set(name, whole)
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('of any byte of a pack is found when the pack is verified', async () => {
    const { packs } = await smallPlace()
    for (const [name, pack] of packs.packs) {
      const id = name.startsWith('@') ? undefined : name
      if (!id) continue
      await verifyPack(pack, id)
      expect(readPackIndex(pack).length).toBeGreaterThan(0)
      for (let turn = 0; turn < 200; turn++) {
        const damaged = pack.slice()
        damaged[(turn * 7919) % pack.length] ^= 1 + (turn % 255)
        await expect(verifyPack(damaged, id)).rejects.toMatchObject({ category: 'CorruptionError' })
      }
      for (const length of [0, 1, 7, 20, pack.length - 1])
        await expect(verifyPack(pack.slice(0, length), id)).rejects.toMatchObject({ code: 'pack-damaged' })
    }
  })

  it('of any byte of a record is found', async () => {
    const sealed = await seal({ name: 'flowers', index: 3 }, noise(50))
    expect(await unseal(sealed, 'it')).toEqual({ json: { name: 'flowers', index: 3 }, attachment: noise(50) })
    for (let at = 0; at < sealed.length; at++)
      await expect(unseal(sealed.with(at, sealed[at] ^ 0x10), 'the record of flowers:v3')).rejects.toMatchObject({
        code: 'record-damaged',
        message: expect.stringContaining('flowers:v3'),
      })
    for (let length = 0; length < sealed.length; length += 7)
      await expect(unseal(sealed.slice(0, length), 'it')).rejects.toMatchObject({ code: 'record-damaged' })
  })
})

async function readsRightOrFails(
  version: Awaited<ReturnType<PacksInMemory['log']>>['version'],
  files: Record<string, Uint8Array>,
): Promise<void> {
  try {
    const found: string[] = []
    for await (const entry of version.entries()) {
      found.push(entry.path)
      const bytes = await concat(version.read(entry))
      expect(sameBytes(bytes, files[entry.path])).toBe(true)
    }
    expect(found).toEqual(Object.keys(files))
  } catch (error) {
    if (!isTidemarkError(error)) throw error
    expect(error.category).toBe('CorruptionError')
    expect(error.message).toContain('test:v')
  }
}
