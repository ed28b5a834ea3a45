/**
 * A value as the getters of apache-arrow give it: their `TextDecoder` takes a U+FEFF at the beginning of a text for a byte order mark and leaves it out
 * (`util/utf8.mjs`). It is in the stored bytes; `table.test.ts` looks at them.
 */
export function asArrowGives(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^\uFEFF/, '')
  if (Array.isArray(value)) return value.map(asArrowGives)
  return value
}
