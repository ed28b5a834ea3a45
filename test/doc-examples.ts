import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/** One program taken out of the documents: the blocks of a page in their order, or one example of a docstring. */
export interface Example {
  /** `README.md`, `src/connect.ts:52` */
  readonly name: string
  /** A module that imports `tidemark` and files of the source by absolute paths. */
  readonly code: string
  readonly language: 'js' | 'ts'
  /** Command lines that follow, to be run in the same folder. */
  readonly commands: readonly string[]
}

interface Block {
  readonly language: string
  readonly info: string
  readonly text: string
}

const root = resolve(import.meta.dirname, '..')

/** Every page a reader may copy from. */
export function documents(): string[] {
  const below = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  const docs = below.filter((name) => name.endsWith('.md')).map((name) => `docs/${name.replaceAll('\\', '/')}`)
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs.sort()]
}

/** Fenced blocks of a page. */
export function blocksOf(markdown: string): Block[] {
  return Array.from(markdown.matchAll(/^```(\S*)([^\n]*)\n(.*?)^```$/gms), ([, language, info, text]) => ({
    language,
    info: info.trim(),
    text,
  }))
}

/** The JavaScript of each page as one program: its blocks share what they declare. */
export function pageExamples(): Example[] {
  return documents().flatMap((name) => {
    const blocks = blocksOf(readFileSync(join(root, name), 'utf8'))
    const code = blocks.filter(({ language }) => ['js', 'ts', 'javascript', 'typescript'].includes(language))
    const commands = blocks
      .filter(({ language }) => language === 'sh')
      .flatMap(({ text }) => text.split('\n'))
      .filter((line) => /^(npx )?tidemark /.test(line))
    if (code.length === 0 && commands.length === 0) return []
    const language = code.some((block) => block.language.startsWith('t')) ? 'ts' : 'js'
    return [{ name, code: joinModules(code.map(({ text }) => text)), language, commands }]
  })
}

/** Every `@example` of the source. What it leaves out - an experiment, a connection, names of the package or of its own file - is put before it. */
export function docstringExamples(publicNames: readonly string[]): Example[] {
  const src = join(root, 'src')
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const path = join(src, name)
      const text = readFileSync(path, 'utf8')
      return Array.from(text.matchAll(/\/\*\*.*?\*\//gs)).flatMap(({ 0: comment, index }) => {
        const plain = comment.replace(/^[ \t]*\* ?/gm, '')
        const line = text.slice(0, index).split('\n').length
        return blocksOf(plain)
          .filter(({ language }) => language === 'ts' || language === 'js')
          .map((block) => ({
            name: `${relative(root, path)}:${line}`,
            code: complete(block.text, path, text, publicNames),
            language: 'ts' as const,
            commands: [],
          }))
      })
    })
}

/** Blocks joined to one module: their imports first, each name once. */
function joinModules(texts: readonly string[]): string {
  const names = new Map<string, Set<string>>()
  const bodies = texts.map((text) =>
    text.replace(/^import \{([^}]*)\} from '([^']*)'\n/gm, (_, list: string, from: string) => {
      const known = names.get(from) ?? new Set()
      for (const one of list.split(',')) if (one.trim()) known.add(one.trim())
      names.set(from, known)
      return ''
    }),
  )
  const imports = Array.from(names, ([from, list]) => `import { ${[...list].join(', ')} } from '${from}'\n`)
  return imports.join('') + bodies.join('\n')
}

const given: Readonly<Record<string, string>> = {
  tidemark: "const tidemark = await connect({ store: 'memory:' })",
  experiment: 'const experiment = await tidemark.createExperiment()',
  bytes: 'const bytes = new Uint8Array(100)',
  flowers: `const flowers = new Artifact('flowers', 'dataset')
await flowers.add(new Uint8Array(9), { logicalPath: 'photos/blurred.png' })
await experiment.logArtifact(flowers)
await experiment.uploadArtifact('settings', { lr: 0.1 })
for (const loss of [5, 4, 3, 2, 1]) await experiment.uploadArtifact('train', [{ id: 1, loss: 6 }, { id: 2, loss }])`,
}

function complete(code: string, path: string, source: string, publicNames: readonly string[]): string {
  const needs = (name: string, text: string) =>
    new RegExp(`(?<![.\\w'/])${name}\\b(?!['/:-])`).test(text) && !declares(name, text)
  const before: string[] = []
  if (/getArtifact\(/.test(code) && !declares('experiment', code)) before.unshift(given.flowers)
  if (needs('bytes', code)) before.unshift(given.bytes)
  if (needs('experiment', code + before.join('\n'))) before.unshift(given.experiment)
  if (needs('tidemark', `${code}\n${before.join('\n')}`)) before.unshift(given.tidemark)
  const text = [...before, code]
    .join('\n')
    .replace(/from '(\.[^']*)'/g, (_, to: string) => `from '${resolve(dirname(path), to)}'`)
  const own = Array.from(source.matchAll(/^export (?:async )?(?:const|function\*?|class) (\w+)/gm), ([, name]) => name)
  const ours = own.filter((name) => needs(name, text))
  const theirs = publicNames.filter((name) => !ours.includes(name) && needs(name, text))
  return [
    ...(ours.length > 0 ? [`import { ${ours.join(', ')} } from '${path}'`] : []),
    ...(theirs.length > 0 ? [`import { ${theirs.join(', ')} } from 'tidemark'`] : []),
    text,
  ].join('\n')
}

function declares(name: string, text: string): boolean {
  return new RegExp(`(?:const|let|class|function|using) (?:\\{[^}]*\\b)?${name}\\b|import \\{[^}]*\\b${name}\\b`).test(
    text,
  )
}

/** Links of a page to files of the repository. */
export function relativeLinks(markdown: string): string[] {
  const prose = markdown.replace(/^```.*?^```$/gms, '')
  return Array.from(prose.matchAll(/\]\(([^)\s]+)\)/g), ([, to]) => to).filter((to) => !/^[a-z]+:/.test(to))
}
