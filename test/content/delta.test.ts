import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyDelta, encodeDelta } from '../../src/content/delta.ts'
import { packDelta, unpackDelta } from '../../src/content/packed-delta.ts'
import { sameBytes } from '../bytes.ts'
import { noise } from './packs-in-memory.ts'

// Few different bytes, so that there is much to match, also by accident.
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.uint8Array({ max: 2, maxLength: 400 }),
  fc.tuple(fc.nat(3000), fc.nat(5)).map(([length, seed]) => noise(length, seed)),
)

describe('delta', () => {
  it('makes any target from any base', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, bytes, bytes, async (a, b, c) => {
        const base = new Uint8Array([...a, ...b, ...c])
        const target = new Uint8Array([...c, ...a, ...c, ...b])
        expect(sameBytes(await unpackDelta(base, await packDelta(base, target), target.length), target)).toBe(true)
      }),
    )
  })

  it.each([
    ['a changed number', (column: Uint8Array) => column.fill(255, 40_000, 40_008), 24],
    [
      'a hundred changed numbers',
      (column: Uint8Array) => every(column, 1280, (at) => column.fill(7, at, at + 8)),
      1400,
    ],
    [
      'an inserted row',
      (column: Uint8Array) => new Uint8Array([...column.subarray(0, 800), ...noise(8, 3), ...column.subarray(800)]),
      24,
    ],
    [
      'a deleted row',
      (column: Uint8Array) => new Uint8Array([...column.subarray(0, 800), ...column.subarray(808)]),
      16,
    ],
    [
      'halves swapped',
      (column: Uint8Array) => new Uint8Array([...column.subarray(64_000), ...column.subarray(0, 64_000)]),
      24,
    ],
  ])('tells %s in few bytes', (_what, edit, most) => {
    const base = noise(128_000)
    const target = edit(base.slice())
    const delta = encodeDelta(base, target)
    expect(delta.length).toBeLessThanOrEqual(most)
    expect(sameBytes(applyDelta(base, delta, target.length), target)).toBe(true)
  })

  it('tells a changed length among offsets, and an inserted one, in few bytes, at any place in the chunk', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 100, maxLength: 2000 }),
        fc.nat(64).map((words) => words * 4),
        fc.nat(1000),
        fc.constantFrom('changed', 'inserted', 'deleted'),
        async (lengths, before, at, how) => {
          const place = at % lengths.length
          const edited = lengths.toSpliced(place, how === 'inserted' ? 0 : 1, ...(how === 'deleted' ? [] : [77]))
          const [base, target] = [lengths, edited].map((all) => withOffsets(before, all))
          const stored = await packDelta(base, target)
          expect(stored.length).toBeLessThan(200)
          expect(sameBytes(await unpackDelta(base, stored, target.length), target)).toBe(true)
        },
      ),
    )
  })

  it('refuses damaged instructions, or makes other bytes of the right length: never more', () => {
    const base = noise(1000)
    const target = new Uint8Array([...base.subarray(500), ...base.subarray(0, 600)])
    const delta = encodeDelta(base, target)
    fc.assert(
      fc.property(fc.nat(delta.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = delta.slice()
        damaged[at] ^= flip
        try {
          expect(applyDelta(base, damaged, target.length)).toHaveLength(target.length)
        } catch (error) {
          expect(error).toMatchObject({ code: 'delta-damaged' })
        }
      }),
    )
  })
})

function every(column: Uint8Array, step: number, change: (at: number) => void): Uint8Array {
  for (let at = 0; at < column.length; at += step) change(at)
  return column
}

/** Noise, then offsets of strings of these lengths, as a chunk of a column has them. */
function withOffsets(before: number, lengths: readonly number[]): Uint8Array {
  const offsets = new Uint32Array(lengths.length + 1)
  for (const [index, length] of lengths.entries()) offsets[index + 1] = offsets[index] + length
  return new Uint8Array([...noise(before), ...new Uint8Array(offsets.buffer)])
}
