import { InvalidInputError } from '../../errors.ts'
import { checkName, checkSemanticVersion } from '../../paths.ts'

/** How a version is asked for: `latest` (or nothing), `v3`, `4.0.0`, or an alias. */
export type Selector =
  | { readonly by: 'latest' }
  | { readonly by: 'index'; readonly index: number }
  | { readonly by: 'version'; readonly version: string }
  | { readonly by: 'alias'; readonly alias: string }

const indexForm = /^v(\d{1,10})$/i
const dotted = /^v?\d+(\.\d+)*$/i

/** @throws InvalidInputError `invalid-name`, `invalid-version` */
export function parseSelector(text: string | undefined): Selector {
  if (text === undefined || text === '' || isLatest(text)) return { by: 'latest' }
  const index = indexForm.exec(text)
  if (index) return { by: 'index', index: Number(index[1]) }
  if (!dotted.test(text)) return { by: 'alias', alias: checkName(text, 'alias') }
  if (!text.includes('.')) {
    throw new InvalidInputError(`'${text}' can mean v${text} or ${text}.0.0. Write one of them.`, {
      code: 'ambiguous-version',
      fields: { version: text },
    })
  }
  return { by: 'version', version: checkSemanticVersion(text) }
}

/**
 * The aliases as they are stored: in NFC, each once, in the order given. `latest` is left out, since it follows the newest version by itself.
 *
 * @throws InvalidInputError `invalid-name`, `invalid-alias`
 */
export function checkAliases(aliases: readonly string[]): string[] {
  const checked = new Set<string>()
  for (const given of aliases) {
    const alias = checkName(given, 'alias')
    if (isLatest(alias)) continue
    if (dotted.test(alias)) {
      throw new InvalidInputError(
        `The alias '${alias}' looks like a version number. Choose a word: golden, best, candidate-3.`,
        {
          code: 'invalid-alias',
          fields: { alias },
        },
      )
    }
    checked.add(alias)
  }
  return [...checked]
}

/** @throws InvalidInputError `invalid-name` */
export function checkTags(tags: readonly string[]): string[] {
  return [...new Set(tags.map((tag) => checkName(tag, 'tag')))]
}

// Comet spells it both ways.
function isLatest(text: string): boolean {
  return text.toLowerCase() === 'latest'
}
