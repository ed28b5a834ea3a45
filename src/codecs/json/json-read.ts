/** Levels of lists and objects: a few more than are written. */
export const MAX_DEPTH = 1000

/**
 * The value of a JSON text without marks: what its notation says. `__proto__` is a key like any other.
 *
 * @throws SyntaxError, RangeError, to be wrapped by the caller, when it is no such text.
 */
export function readPlain(text: string): unknown {
  const parsed: unknown = JSON.parse(text)
  checkDepth(parsed, 0)
  return parsed
}

function checkDepth(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > MAX_DEPTH) throw tooDeep()
  for (const element of Object.values(value)) checkDepth(element, depth + 1)
}

export function tooDeep(): RangeError {
  return new RangeError('The text is nested too deep.')
}
