import { parse, YAMLParseError } from 'yaml'
import { InvalidInputError } from './errors.ts'

// Only where there are files are there files of configuration: no page brings a reader of YAML.

/**
 * Data only: no tag makes an object of a class or runs anything. Every value is the text that stands there, so that a workspace `0123` and a key of twenty digits stay what they are;
 * nothing, `~` and `null` are null.
 *
 * @throws InvalidInputError `config-invalid`, which tells the line, and nothing that stands in it: that may be a key
 */
export function parseSettings(text: string, name: string): unknown {
  try {
    return parse(text, { schema: 'failsafe', customTags: ['null'], merge: true, logLevel: 'error' })
  } catch (error) {
    throw new InvalidInputError(`${name} is not valid YAML${placeOf(error)}. Correct it or move it away.`, {
      code: 'config-invalid',
      fields: { file: name },
    })
  }
}

function placeOf(error: unknown): string {
  if (!(error instanceof YAMLParseError) || !error.linePos) return ''
  const [{ line, col }] = error.linePos
  // DUPLICATE_KEY
  const reason = error.code.toLowerCase().replaceAll('_', ' ')
  return ` (${reason} at line ${line}, column ${col})`
}
