import { InvalidInputError } from './errors.ts'

/**
 * Refuses options that do not exist, by name and with the nearest that does: a misspelt option that is ignored costs more than an error. `signal` and
 * `onProgress`, which mean the same everywhere, are looked at more closely.
 *
 * @throws InvalidInputError `unknown-option`, `invalid-options`, `invalid-option`
 */
export function checkOptions(options: unknown, known: readonly string[], what: string): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new InvalidInputError(`${what} takes an object of options, not ${describe(options)}.`, {
      code: 'invalid-options',
    })
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue
    const [near] = nearest(option, known)
    const hint = near
      ? `Did you mean ${near}?`
      : known.length > 0
        ? `There are: ${known.join(', ')}.`
        : 'It takes none.'
    throw new InvalidInputError(`${what} has no option ${JSON.stringify(option)}. ${hint}`, {
      code: 'unknown-option',
      fields: { option },
    })
  }
  if ('signal' in options) checkSignal(options.signal)
  if ('onProgress' in options && options.onProgress !== undefined && typeof options.onProgress !== 'function')
    throw wrong('onProgress', 'a function', options.onProgress)
}

/** What was given as it is now: for what looks at it later, when the caller may have changed it for the next call. */
export function asGiven<Given>(given: Given): Given
export function asGiven(given: unknown): unknown {
  if (Array.isArray(given)) return [...given]
  return typeof given === 'object' && given !== null ? { ...given } : given
}

function checkSignal(signal: unknown): void {
  if (signal === undefined) return
  // By what it can do: a signal of another realm, or of a polyfill, is one too.
  const fits =
    typeof signal === 'object' &&
    signal !== null &&
    'aborted' in signal &&
    'addEventListener' in signal &&
    typeof signal.addEventListener === 'function'
  if (!fits) throw wrong('signal', 'an AbortSignal', signal)
}

/** @throws InvalidInputError `invalid-option` unless the value is true, false or left out. */
export function checkFlag(value: unknown, option: string): asserts value is boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw wrong(option, 'true or false', value)
}

/** @throws InvalidInputError `invalid-option` unless the value is a whole number from 0, or left out. */
export function checkCount(value: unknown, option: string): asserts value is number | undefined {
  if (value !== undefined && !(Number.isSafeInteger(value) && Number(value) >= 0))
    throw wrong(option, 'a whole number from 0', value)
}

/** @throws InvalidInputError `invalid-option` unless the value is a string or left out. */
export function checkText(value: unknown, option: string): asserts value is string | undefined {
  if (value === undefined || typeof value === 'string') return
  throw wrong(option, 'a string', value)
}

/** @throws InvalidInputError `invalid-option` unless the value is an array of strings or left out. */
export function checkTexts(value: unknown, option: string): asserts value is readonly string[] | undefined {
  if (value === undefined || (Array.isArray(value) && value.every((one) => typeof one === 'string'))) return
  throw wrong(option, 'an array of strings', value)
}

/** @throws InvalidInputError `invalid-option` unless the value is one of those named, or left out. */
export function checkChoice(value: unknown, choices: readonly unknown[], option: string): void {
  if (value === undefined || choices.includes(value)) return
  throw wrong(option, choices.map((one) => JSON.stringify(one)).join(' or '), value)
}

function wrong(option: string, wanted: string, value: unknown): InvalidInputError {
  return new InvalidInputError(`${option} must be ${wanted}, not ${describe(value)}.`, {
    code: 'invalid-option',
    fields: { option },
  })
}

/** A value as an error message names it: short, and never its content when that is large. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value)
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'undefined') return String(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return value.name ? `the function ${value.name}` : 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (Array.isArray(value)) return 'an array'
  const name: unknown = value.constructor?.name
  return typeof name === 'string' && name !== 'Object' && name !== '' ? `a ${name}` : 'an object'
}

/** The candidates a person may have meant, nearest first, at most `count`. */
export function nearest(name: string, candidates: Iterable<string>, count = 1): string[] {
  const wanted = name.toLowerCase()
  // A third of the letters wrong is still a slip; more is another word.
  const far = Math.max(1, Math.floor(wanted.length / 3))
  const found: { candidate: string; distance: number }[] = []
  for (const candidate of candidates) {
    const other = candidate.toLowerCase()
    if (Math.abs(other.length - wanted.length) > far && !contains(other, wanted)) continue
    const distance = contains(other, wanted) ? 1 : editDistance(wanted, other)
    if (distance <= far) found.push({ candidate, distance })
  }
  found.sort((a, b) => a.distance - b.distance)
  return found.slice(0, count).map(({ candidate }) => candidate)
}

function contains(one: string, other: string): boolean {
  return other.length > 2 && one.length > 2 && (one.includes(other) || other.includes(one))
}

/** Letters to insert, delete, replace, or swap with their neighbour. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) next[j] = Math.min(next[j], before[j - 2] + 1)
    }
    before = row
    row = next
  }
  return row[b.length]
}
