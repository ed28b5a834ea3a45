import { describe, expect, it } from 'vitest'
import { arrays, file, folder, glob, image, isWrapped, json, table, text, unwrap } from '../../src/codecs/values.ts'

describe('wrappers', () => {
  it('are frozen, keep the value as it is, and are known to every copy of the package', () => {
    const rows = [{ a: 1 }]
    const wrapped = table(rows)
    expect(Object.isFrozen(wrapped)).toBe(true)
    expect(unwrap(wrapped)).toEqual({ wrapper: 'table', value: rows, options: {} })
    expect(unwrap(wrapped).value).toBe(rows)
    expect(isWrapped(wrapped)).toBe(true)
    expect(isWrapped({})).toBe(false)
    expect(Object.getOwnPropertySymbols(wrapped)).toEqual([Symbol.for('tidemark.value')])
  })

  it('copy their options', () => {
    const options = { ignore: ['a'] }
    const wrapped = folder('x', options)
    options.ignore = ['b']
    expect(unwrap(wrapped).options).toEqual({ ignore: ['a'] })
  })

  it.each<[string, () => unknown, string]>([
    ['table(1)', () => table(1), 'table was given a number, and takes an array of records'],
    ['table([1])', () => table([1]), 'a number at [0] of an array'],
    [
      'table([{ a: 1 }, null])',
      () => table([{ a: 1 }, null]),
      'null at [1] of an array, and takes an array of records',
    ],
    ['json(function)', () => json(() => 1), 'a function'],
    ['json(undefined)', () => json(undefined), 'undefined'],
    ['arrays(string)', () => arrays('x'), 'a string'],
    ['image({})', () => image({}), 'a plain object'],
    ['image(null)', () => image(null), 'null'],
    // @ts-expect-error: what a JavaScript caller may pass
    ['text(1)', () => text(1), 'a number'],
    ['file({})', () => file({}), 'a plain object'],
    ['file("")', () => file(''), 'an empty string'],
    ['file(promise)', () => file(Promise.resolve()), 'a promise'],
    ['folder(bytes)', () => folder(new Uint8Array(1)), 'an instance of Uint8Array'],
    ['folder([])', () => folder([1]), 'an array'],
    ['glob([])', () => glob([]), 'an empty array'],
    ['glob([""])', () => glob(['']), 'an array'],
    // @ts-expect-error: what a JavaScript caller may pass
    ['folder ignore', () => folder('x', { ignore: 1 }), "folder option 'ignore'"],
    // @ts-expect-error: what a JavaScript caller may pass
    ['file name', () => file('x', { name: 1 }), "file option 'name'"],
    ['glob folder', () => glob('x', { folder: 1 }), "glob option 'folder'"],
  ])('%s is refused at once', (_, wrap, message) => {
    expect(wrap).toThrow(expect.objectContaining({ code: 'unsupported-value', category: 'InvalidInputError' }))
    expect(wrap).toThrow(message)
  })

  it('refuses unknown options and a second wrapper', () => {
    // @ts-expect-error: what a JavaScript caller may pass
    expect(() => folder('x', { exclude: [] })).toThrow(
      expect.objectContaining({ code: 'unknown-option', fields: { option: 'exclude' } }),
    )
    expect(() => json(table([{ a: 1 }]))).toThrow(expect.objectContaining({ code: 'wrapped-twice' }))
  })
})
