import { InvalidInputError } from '../../errors.ts'

const longestPage = 1000
const usualPage = 100

/** Refuses parameters that do not exist: a misspelt filter that is passed over answers with everything. */
export function assertQuery(query: URLSearchParams, known: readonly string[]): void {
  for (const parameter of query.keys()) {
    if (known.includes(parameter)) continue
    throw invalid(`there is no parameter '${parameter.slice(0, 100)}', only ${known.join(', ') || 'none at all'}`)
  }
}

export function limitOf(query: URLSearchParams): number {
  return wholeNumber(query, 'limit', 1, longestPage) ?? usualPage
}

export function wholeNumber(query: URLSearchParams, name: string, least: number, most: number): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const number = /^\d{1,15}$/.test(text) ? Number(text) : -1
  if (number < least || number > most) throw invalid(`'${name}' is not a number from ${least} to ${most}`)
  return number
}

/** The value of a parameter; one given as the empty string counts as left out. */
export function optional(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) || undefined
}

export function required(query: URLSearchParams, name: string): string {
  return optional(query, name) ?? missing(name)
}

function missing(name: string): never {
  throw invalid(`'${name}' is missing`)
}

function invalid(reason: string): InvalidInputError {
  return new InvalidInputError(`The request cannot be understood: ${reason}.`, { code: 'invalid-request' })
}
