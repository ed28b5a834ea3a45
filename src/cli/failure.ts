import { type ErrorCategory, isTidemarkError } from '../index.ts'
import { printable } from './cells.ts'

// The table in docs/spec.md, "Errors".
const exitCodes: Readonly<Record<ErrorCategory, number>> = {
  InvalidInputError: 2,
  NotFoundError: 3,
  ConflictError: 4,
  PermissionError: 5,
  UnavailableError: 6,
  CorruptionError: 7,
  UnsupportedError: 8,
  AbortedError: 130,
}

const unknownError = 1

/** Something stored is not what was written. */
export const damagedExit = exitCodes.CorruptionError

/** What was compared differs, where that was asked for. */
export const differsExit = 1

export function exitCodeOf(error: unknown): number {
  if (!isTidemarkError(error)) return unknownError
  for (const [category, code] of Object.entries(exitCodes)) if (category === error.category) return code
  return unknownError
}

/** One line for people; the stack only where somebody looks for a fault in the program. */
export function failureText(error: unknown, debug: boolean): string {
  const stack = error instanceof Error ? error.stack : undefined
  if (debug && stack) return `tidemark: ${stack}`
  const known = isTidemarkError(error)
  // Which request it was that ended early tells nobody anything.
  if (known && error.category === 'AbortedError') return 'tidemark: Interrupted. What was begun is not visible.'
  const message = error instanceof Error ? error.message : String(error)
  return `tidemark: ${printable(message)}${known ? '' : ' (unexpected; DEBUG=1 shows where)'}`
}

export function failureJson(error: unknown): string {
  const plain = isTidemarkError(error)
    ? error.toJSON()
    : { name: 'Error', code: 'unexpected', message: error instanceof Error ? error.message : String(error), fields: {} }
  return JSON.stringify({ error: plain })
}
