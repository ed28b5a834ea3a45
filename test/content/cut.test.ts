import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Cutter, cutSizes } from '../../src/content/cut.ts'
import { noise } from './packs-in-memory.ts'

/** Where the chunks end when the bytes come in pieces of these lengths. */
function cuts(bytes: Uint8Array, pieces: readonly number[] = [bytes.length]): number[] {
  const cutter = new Cutter()
  const ends: number[] = []
  let start = 0
  for (let turn = 0; start < bytes.length; turn++) {
    const piece = bytes.subarray(start, start + Math.max(1, pieces[turn % pieces.length]))
    for (let from = 0; from < piece.length; ) {
      const end = cutter.next(piece, from)
      if (end < 0) break
      ends.push(start + end)
      from = end
    }
    start += piece.length
  }
  return ends
}

describe('cutting by content', () => {
  const bytes = noise(3_000_000)
  const whole = cuts(bytes)

  it('keeps chunks between the smallest and the largest size, near the target', () => {
    const sizes = whole.map((end, index) => end - (whole[index - 1] ?? 0))
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(cutSizes.min)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(cutSizes.max)
    const mean = 3_000_000 / sizes.length
    expect(mean).toBeGreaterThan(cutSizes.target * 0.7)
    expect(mean).toBeLessThan(cutSizes.target * 1.8)
  })

  it('cuts in the same places however the bytes arrive', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 8 }), (pieces) => {
        expect(cuts(bytes, pieces)).toEqual(whole)
      }),
      { numRuns: 30 },
    )
    expect(cuts(bytes.subarray(0, 200_000), [1])).toEqual(whole.filter((end) => end <= 200_000))
  })

  it('cuts in the old places again soon after an insertion', () => {
    const at = 1_234_567
    const longer = new Uint8Array([...bytes.subarray(0, at), 42, ...bytes.subarray(at)])
    const moved = new Set(cuts(longer).map((end) => (end > at ? end - 1 : end)))
    expect(whole.filter((end) => !moved.has(end)).length).toBeLessThanOrEqual(2)
  })

  it('ends a run of equal bytes at the largest size', () => {
    expect(cuts(new Uint8Array(600_000))).toEqual([cutSizes.max, cutSizes.max * 2])
  })
})
