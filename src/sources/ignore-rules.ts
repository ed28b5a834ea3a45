import type { Ignore } from 'ignore'

/** The file in a folder that says what of it is left out, in the syntax of `.gitignore`. */
export const IGNORE_FILE = '.tidemarkignore'

/**
 * Left out unless a rule says otherwise (`!.git`): our own store and ignore files, version control, and what desktop systems strew about. Everything
 * else is data, dotfiles included.
 */
const DEFAULT_RULES: readonly string[] = ['.git', '.tidemark', IGNORE_FILE, '.DS_Store', 'Thumbs.db', 'desktop.ini']
const defaults = new Set(DEFAULT_RULES)

/** The `ignore` package remembers each path it was asked about. Begun anew after this many: about 3 MB. */
const MAX_REMEMBERED = 10_000

export interface IgnoreRules {
  /** Whether a path relative to the top of the walk is left out. Folders end with `/`. Ask for a folder before what is in it. */
  ignores(path: string): boolean
  /** These rules and those of an ignore file in `folder` ('' or ending with `/`), which win inside it. */
  within(folder: string, ignoreFile: string): Promise<IgnoreRules>
}

/** Rules from options: they win over every ignore file, as a command line does in git. Case matters. */
export function createIgnoreRules(patterns: string | readonly string[] = []): Promise<IgnoreRules> {
  const last = typeof patterns === 'string' ? [patterns] : patterns
  return rulesOf([], last)
}

async function rulesOf(files: readonly string[], last: readonly string[]): Promise<IgnoreRules> {
  const within = (folder: string, text: string) => rulesOf([...files, ...rebased(text, folder)], last)
  // The usual case, and six times faster than asking the patterns.
  if (files.length === 0 && last.length === 0) return { ignores: (path) => defaults.has(lastSegment(path)), within }

  const { default: ignore } = await import('ignore')
  const rules = ignore({ ignoreCase: false }).add([...DEFAULT_RULES, ...files, ...last])
  let asked = 0
  let matcher: Ignore = rules
  const ignores = (path: string) => {
    if (asked++ % MAX_REMEMBERED === MAX_REMEMBERED - 1) matcher = ignore({ ignoreCase: false }).add(rules)
    return matcher.ignores(path)
  }
  return { ignores, within }
}

function lastSegment(path: string): string {
  const end = path.endsWith('/') ? path.length - 1 : path.length
  return path.slice(path.lastIndexOf('/', end - 1) + 1, end)
}

/**
 * The lines of an ignore file as they read from the top of the walk: one list of rules, in which the last match wins, is what git does too.
 * https://git-scm.com/docs/gitignore#_pattern_format
 */
function rebased(text: string, folder: string): string[] {
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
