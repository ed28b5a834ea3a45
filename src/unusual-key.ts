import { InvalidInputError } from './errors.ts'

/** A key that no header can carry. Loaded when there is one. */
export function unusualKey(): InvalidInputError {
  return new InvalidInputError(
    'The API key has a character that no key has, such as a line break or a letter with an accent. Copy it again.',
    { code: 'invalid-api-key' },
  )
}
