import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeSegment, foldersOf, isNameOf, pathOfKey } from '../../src/stores/fs-names.ts'
import { hostileKeys } from '../conformance/store-keys.ts'

const segment = fc
  .oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
    fc.string({
      unit: fc.constantFrom('c', 'o', 'n', '.', 'C', '<', '%', '^', '{', '}', 'é', '\u{1f600}', 'x'.repeat(60)),
      minLength: 1,
      maxLength: 30,
    }),
    fc.constantFrom(...hostileKeys.flatMap((key) => key.split('/'))),
  )
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys have none
  .map((text) => text.replace(/[\u0000-\u001f\u007f/]/g, '-'))

const joined = (pieces: readonly string[]) => pieces.map((piece) => piece.replace(/#c$/, '')).join('')

it('every segment comes back from its names, which are legal everywhere', () => {
  fc.assert(
    fc.property(segment, (text) => {
      const pieces = foldersOf([text])
      const name = joined(pieces)
      expect(decodeSegment(name)).toBe(text)
      expect(isNameOf(name, text)).toBe(true)
      for (const piece of pieces) {
        expect(piece).toMatch(/^[a-z0-9._+=,@()^%{}#-]+$/)
        expect(piece).not.toMatch(/\.$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/)
        expect(piece.length).toBeLessThanOrEqual(143)
      }
    }),
    { numRuns: 1000 },
  )
})

it('two keys never share a path, whatever a file system folds', () => {
  fc.assert(
    fc.property(segment, segment, (a, b) => {
      const path = (key: string) =>
        [...pathOfKey(key).folders, pathOfKey(key).name].join('/').normalize('NFC').toUpperCase()
      expect(path(a) === path(b)).toBe(a === b)
    }),
    { numRuns: 1000 },
  )
})

it('a name of 128 Chinese characters stays below the path limit of macOS', () => {
  const { folders, name } = pathOfKey(`artifacts/default/${'漢'.repeat(128)}/v/0000000003`)
  expect([...folders, name].join('/').length).toBeLessThan(1024 - 256)
})
