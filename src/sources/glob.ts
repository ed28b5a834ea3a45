import picomatch from 'picomatch/posix.js'
import { NotFoundError } from '../errors.ts'

/** Patterns, made ready to look for files. */
export interface Glob {
  /** The folder that everything the patterns match is in, as far as they say it literally: '', or a path without wildcards. Found paths are relative to it. */
  readonly base: string
  wanted(path: string, kind: 'file' | 'folder'): boolean
  /** @throws NotFoundError `glob-no-match` unless every pattern has matched a file. `where` names the folder looked in. */
  assertMatched(where: string): void
}

interface Pattern {
  readonly text: string
  readonly segments: readonly string[]
  readonly matches: (path: string) => boolean
  readonly mayContain: (folder: string) => boolean
  matched: boolean
}

/** True when a string has wildcards: `*`, `?`, `[ab]`, `{a,b}`, `@(a|b)`. Parentheses alone are those of a sentence. */
export function hasWildcards(text: string): boolean {
  return picomatch.scan(text, { noparen: true }).isGlob
}

/** Patterns are separated by `/`; one that begins with `!` takes out what it matches, seen from where the patterns start. */
export function compileGlob(patterns: readonly string[]): Glob {
  const positive = patterns.filter((pattern) => !isNegative(pattern)).map(trimDots)
  const negative = patterns.filter(isNegative).map((pattern) => picomatch(trimDots(pattern.slice(1)), { dot: true }))
  const bases = positive.map((pattern) => literalFolder(pattern))
  const shared = bases.reduce((a, b) => a.slice(0, commonLength(a, b)), bases[0] ?? [])
  // Absolute patterns split into '' and the rest.
  const base = shared.length === 1 && shared[0] === '' ? '/' : shared.map(literal).join('/')
  const compiled = positive.map((pattern) => compile(pattern, pattern.split('/').slice(shared.length)))
  const prefix = base === '' || base === '/' ? base : `${base}/`

  return {
    base,
    wanted(path, kind) {
      if (kind === 'folder') return compiled.some((pattern) => pattern.mayContain(path))
      if (negative.some((excludes) => excludes(prefix + path))) return false
      let wanted = false
      for (const pattern of compiled) {
        if (!pattern.matches(path)) continue
        pattern.matched = true
        wanted = true
      }
      return wanted
    },
    assertMatched(where) {
      const unmatched = compiled.find((pattern) => !pattern.matched)
      if (unmatched !== undefined) throw noMatch(unmatched.text, where)
      if (compiled.length === 0) throw noMatch(patterns.join(', '), where)
    },
  }
}

export function noMatch(pattern: string, where: string, cause?: unknown): NotFoundError {
  return new NotFoundError(
    `No file matches the pattern '${pattern}' in ${where}. Check the spelling and the folder; if it is text and not a pattern, say so with text(...).`,
    { code: 'glob-no-match', fields: { pattern }, cause },
  )
}

function compile(text: string, segments: readonly string[]): Pattern {
  const isMatch = picomatch(segments.join('/'))
  // An absolute pattern has an empty first segment, which picomatch refuses.
  const steps = segments.map((segment) => (segment === '' ? () => false : picomatch(segment)))
  // From the first segment that can stand for several on, any depth is possible.
  const open = segments.findIndex((segment) => segment.includes('**') || isCut(segment))
  const fixed = open === -1 ? segments.length - 1 : open
  const namesDots = segments.some((segment) => /(?:^|[{(,|])\./.test(segment))
  return {
    text,
    segments,
    matched: false,
    matches: (path) => isMatch(path),
    mayContain(folder) {
      const parts = folder.split('/')
      if (open === -1 && parts.length > fixed) return false
      if (!namesDots && parts.some((part) => part.startsWith('.'))) return false
      return parts.slice(0, fixed).every((part, i) => steps[i]?.(part) ?? false)
    },
  }
}

/** Has braces or a group that hold a slash: the rest of them is in another segment. */
function isCut(segment: string): boolean {
  const plain = segment.replace(/\\./g, '')
  return count(plain, '{') !== count(plain, '}') || count(plain, '(') !== count(plain, ')')
}

function count(text: string, character: string): number {
  return text.split(character).length - 1
}

// `!(a|b)` is a group, not a negation.
function isNegative(pattern: string): boolean {
  return pattern.startsWith('!') && !pattern.startsWith('!(')
}

function trimDots(pattern: string): string {
  return pattern.replace(/^(?:\.\/+)+/, '').replace(/\/{2,}/g, '/')
}

function literalFolder(pattern: string): string[] {
  const segments = pattern.split('/').slice(0, -1)
  const first = segments.findIndex((segment) => hasWildcards(segment) || /[{(]/.test(segment))
  return first === -1 ? segments : segments.slice(0, first)
}

function commonLength(a: readonly string[], b: readonly string[]): number {
  const differs = a.findIndex((segment, i) => segment !== b[i])
  return differs === -1 ? a.length : differs
}

function literal(segment: string): string {
  return segment.replace(/\\(.)/g, '$1')
}
