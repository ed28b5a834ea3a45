import fc from 'fast-check'
import { expect, it } from 'vitest'
import { countLeft, type GoneVersions, withGone } from '../../src/backend/artifacts/gone-versions.ts'

it('knows which versions are gone, in whatever order they went', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30)), fc.nat(30), fc.nat(30), (indexes, first, more) => {
      const gone = indexes.reduce<GoneVersions>(withGone, [])
      const all = new Set(indexes)
      const left = Array.from({ length: more }, (_, at) => first + at).filter((index) => !all.has(index))
      expect(countLeft(gone, first, first + more)).toBe(left.length)
      // As few ranges as there can be.
      expect(gone.length).toBe([...all].filter((index) => !all.has(index - 1)).length)
      for (const index of all) expect(withGone(gone, index)).toBe(gone)
    }),
  )
})
