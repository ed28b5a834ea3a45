/** The file in a folder that says what of it is left out, in the syntax of `.gitignore`. */
export const IGNORE_FILE = '.tidemarkignore'

/**
 * Left out unless a rule says otherwise (`!.git`): our own store and ignore files, version control, and what desktop systems strew about. Everything
 * else is data, dotfiles included.
 */
const DEFAULT_RULES: readonly string[] = ['.git', '.tidemark', IGNORE_FILE, '.DS_Store', 'Thumbs.db', 'desktop.ini']
const defaults = new Set(DEFAULT_RULES)

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
  const within = async (folder: string, text: string) => {
    const { rebased } = await import('./ignore-patterns.ts')
    return rulesOf([...files, ...rebased(text, folder)], last)
  }
  // The usual case, and six times faster than asking the patterns.
  if (files.length === 0 && last.length === 0) return { ignores: (path) => defaults.has(lastSegment(path)), within }

  const { compileRules } = await import('./ignore-patterns.ts')
  return { ignores: compileRules([...DEFAULT_RULES, ...files, ...last]), within }
}

function lastSegment(path: string): string {
  const end = path.endsWith('/') ? path.length - 1 : path.length
  return path.slice(path.lastIndexOf('/', end - 1) + 1, end)
}
