import { InvalidInputError } from '../../errors.ts'
import { NATIVE_ORDER } from './npy-dtype.ts'
import type { NpyArray } from './npy-values.ts'

/**
 * Strings as numpy holds them: UTF-32, padded with zeros to the longest.
 *
 * @throws InvalidInputError `npz-string`
 */
export function encodeStrings(strings: readonly string[], shape: readonly number[], name: string): NpyArray {
  const points = strings.map((text, i) => {
    const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0)
    if (codes.at(-1) === 0 || codes.some((code) => code >= 0xd800 && code < 0xe000)) {
      throw new InvalidInputError(
        `The string at ${i} of the array '${name}' ends in a NUL or has half a surrogate pair, which numpy cannot hold. Store it as JSON.`,
        { code: 'npz-string', fields: { name } },
      )
    }
    return codes
  })
  // numpy has no strings of no length: it makes them one unit long.
  const longest = points.reduce((most, codes) => Math.max(most, codes.length), 1)
  const data = new Uint32Array(strings.length * longest)
  for (const [i, codes] of points.entries()) data.set(codes, i * longest)
  return { dtype: 'string', shape, data, descr: `${NATIVE_ORDER}U${longest}` }
}
