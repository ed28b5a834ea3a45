import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { align, inOrder, Kinds } from '../../src/client/diff/align.ts'

function aligned(a: readonly string[], b: readonly string[]) {
  const kinds = new Kinds<string>()
  const [one, two] = [a, b].map((list) => Int32Array.from(list, (item) => kinds.of(item)))
  return align(one, two, kinds.count)
}

const words = (text: string) => text.split('')

describe('what two lists have in common', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 0],
    ['abc', 'abc', 3],
    ['abcdef', 'abXcdef', 6],
    ['abcdef', 'abdef', 5],
    ['abcabc', 'abcXabc', 6],
    ['aaaaaaaa', 'aaaaaaaaa', 8],
    ['abababab', 'babababa', 7],
    ['abc', 'xyz', 0],
    ['xaybz', 'awbv', 2],
  ])('%s and %s', (a, b, count) => {
    expect(aligned(words(a), words(b)).reduce((sum, run) => sum + run.count, 0)).toBe(count)
  })

  it('is equal there, and in the same order', () => {
    const item = fc.constantFrom(...words('abcdefgh'))
    fc.assert(
      fc.property(fc.array(item, { maxLength: 60 }), fc.array(item, { maxLength: 60 }), (a, b) => {
        let [endA, endB] = [0, 0]
        for (const run of aligned(a, b)) {
          expect(run.count).toBeGreaterThan(0)
          expect(run.a).toBeGreaterThanOrEqual(endA)
          expect(run.b).toBeGreaterThanOrEqual(endB)
          expect(a.slice(run.a, run.a + run.count)).toEqual(b.slice(run.b, run.b + run.count))
          endA = run.a + run.count
          endB = run.b + run.count
        }
        expect(endA).toBeLessThanOrEqual(a.length)
        expect(endB).toBeLessThanOrEqual(b.length)
      }),
    )
  })

  it('few edits in many equal items are found, and nothing hangs where all differs', () => {
    const many = Array.from({ length: 50_000 }, (_, index) => String((index * 7919) % 13))
    const edited = many.toSpliced(40_000, 1).toSpliced(10_000, 0, 'new')
    expect(aligned(many, edited).map(({ count }) => count)).toEqual([10_000, 30_000, 9_999])
    const other = many.map((item) => `${item}!`)
    expect(aligned(many, other)).toEqual([])
  })

  it('the longest rising part of a list of pairs', () => {
    expect(
      inOrder([
        [0, 5],
        [1, 1],
        [2, 2],
        [3, 0],
        [4, 3],
      ]),
    ).toEqual([
      [1, 1],
      [2, 2],
      [4, 3],
    ])
    expect(inOrder([])).toEqual([])
  })
})
