import ignore, { type Ignore } from 'ignore'

/** The `ignore` package remembers each path it was asked about. Begun anew after this many: about 3 MB. */
const MAX_REMEMBERED = 10_000

/** Whether rules in the syntax of `.gitignore` leave a path out. */
export function compileRules(lines: readonly string[]): (path: string) => boolean {
  const rules = ignore({ ignoreCase: false }).add([...lines])
  let asked = 0
  let matcher: Ignore = rules
  return (path) => {
    if (asked++ % MAX_REMEMBERED === MAX_REMEMBERED - 1) matcher = ignore({ ignoreCase: false }).add(rules)
    return matcher.ignores(path)
  }
}

/**
 * The lines of an ignore file as they read from the top of the walk: one list of rules, in which the last match wins, is what git does too.
 * https://git-scm.com/docs/gitignore#_pattern_format
 */
export function rebased(text: string, folder: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  if (folder === '') return lines
  return lines.filter((line) => line.trim() !== '' && !line.startsWith('#')).map((line) => rebase(line, folder))
}

function rebase(line: string, folder: string): string {
  const negated = line.startsWith('!')
  const pattern = negated ? line.slice(1) : line
  // A slash at the start or in the middle ties a pattern to its folder; without one it holds at any depth below.
  const anchored = pattern.trimEnd().slice(0, -1).includes('/')
  const rest = anchored ? pattern.replace(/^\//, '') : `**/${pattern}`
  return `${negated ? '!' : ''}/${folder.replace(/[\\*?[\]!# ]/g, '\\$&')}${rest}`
}
