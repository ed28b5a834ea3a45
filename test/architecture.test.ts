import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const src = join(root, 'src')

/** From the bottom up. A room may import its own files and rooms of lower rows. */
const rows: readonly (readonly string[])[] = [
  [
    'config',
    'config-fs',
    'yaml-fs',
    'server-url',
    'unusual-key',
    'errors',
    'options',
    'paths',
    'platform',
    'logging',
    'log-file',
    'logging-fs',
  ],
  ['protocol'],
  ['references', 'sources', 'codecs', 'content', 'stores'],
  ['client', 'backend', 'watch'],
  [
    'tidemark',
    'experiment',
    'experiment-reads',
    'experiment-writes',
    'artifact',
    'logged-artifact',
    'logged-artifact-asset',
    'registered',
    'watched-tables',
  ],
  ['index', 'connect', 'default-connection', 'embedded'],
  ['cli', 'ui', 'server'],
]

/** Rows whose rooms know each other. */
const open = new Set([0, 4, 5])

/** `sources` makes the files that codecs read; `tidemark start` is the server. */
const exceptions = new Set(['sources -> codecs', 'cli -> server'])

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll('\\', '/'))

function roomOf(file: string): string {
  const slash = file.indexOf('/')
  return slash === -1 ? file.replace(/\.ts$/, '') : file.slice(0, slash)
}

function rowOf(room: string): number {
  return rows.findIndex((row) => row.includes(room))
}

function importsOf(file: string, text: string): string[] {
  const { importedFiles } = ts.preProcessFile(text, true, true)
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(src, resolve(src, dirname(file), name)).replaceAll('\\', '/'))
}

/** What is wrong with an import; undefined when it is allowed. */
function problem(from: string, to: string): string | undefined {
  const [one, other] = [roomOf(from), roomOf(to)]
  if (one === other || exceptions.has(`${one} -> ${other}`)) return undefined
  const [high, low] = [rowOf(one), rowOf(other)]
  if (low < high || (low === high && open.has(low))) return undefined
  return `${from} imports ${to}: ${one} may not know ${other}`
}

describe('who may import whom', () => {
  it('knows the room of every file', () => {
    expect(files.map(roomOf).filter((room) => rowOf(room) === -1)).toEqual([])
  })

  it('every import points down', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file, readFileSync(join(src, file), 'utf8'))
        .map((to) => problem(file, to))
        .filter((one) => one !== undefined),
    )
    expect(wrong).toEqual([])
  })

  it('would notice one that does not', () => {
    expect(
      importsOf('client/x.ts', "import { a } from '../backend/backend.ts'\nconst b = await import('../connect.ts')"),
    ).toEqual(['backend/backend.ts', 'connect.ts'])
    expect(problem('client/x.ts', 'backend/backend.ts')).toBeDefined()
    expect(problem('backend/x.ts', 'client/api.ts')).toBeDefined()
    expect(problem('codecs/x.ts', 'sources/open.ts')).toBeDefined()
    expect(problem('content/x.ts', 'client/api.ts')).toBeDefined()
    expect(problem('errors.ts', 'protocol/shapes.ts')).toBeDefined()
    expect(problem('sources/x.ts', 'codecs/file-source.ts')).toBeUndefined()
  })

  it('nothing but the command line and the servers imports the table of contents', () => {
    const above = new Set(['cli', 'ui', 'server'])
    const wrong = files.filter(
      (file) => !above.has(roomOf(file)) && importsOf(file, readFileSync(join(src, file), 'utf8')).includes('index.ts'),
    )
    expect(wrong).toEqual([])
  })
})

/** Files that say by their name or place that they are for one kind of runtime. */
function isPortable(file: string): boolean {
  return !/(^|\/)(fs(-[^/]*)?|[^/]*-fs)\.ts$/.test(file) && !['cli', 'server'].includes(roomOf(file))
}

describe('the portable core', () => {
  const portable = files.filter(isPortable)

  const planted = new Map([
    ['content/planted.ts', 'export const a = Buffer.from([1])\n'],
    ['client/planted.ts', 'export const b = process.env.HOME\n'],
    ['codecs/planted.ts', "import { readFileSync } from 'node:fs'\nexport const c = readFileSync\n"],
  ])

  // One compilation tells both: that a stray Node name is noticed, and that there is none.
  it('compiles without Node types', () => {
    const found = complaints(planted)
    expect(found.filter((one) => !one.includes('/planted.ts: '))).toEqual([])
    expect(found).toEqual(
      expect.arrayContaining([
        expect.stringContaining("content/planted.ts: Cannot find name 'Buffer'"),
        expect.stringContaining("client/planted.ts: Cannot find name 'process'"),
        expect.stringContaining("codecs/planted.ts: Cannot find module 'node:fs'"),
      ]),
    )
  })

  it('imports a file for one runtime only when it is needed', () => {
    const wrong = portable.flatMap((file) =>
      staticImports(file)
        .filter((to) => !isPortable(to))
        .map((to) => `${file} imports ${to}`),
    )
    expect(wrong).toEqual([])
  })

  /** Type errors of the portable files, and of those planted beside them, as a runtime without Node's names sees them. */
  function complaints(planted: ReadonlyMap<string, string>): string[] {
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config,
      ts.sys,
      root,
    )
    const portableOptions: ts.CompilerOptions = { ...options, types: [], noEmit: true }
    const host = ts.createCompilerHost(portableOptions)
    const texts = new Map([...planted].map(([file, text]) => [join(src, file), text]))
    const { getSourceFile, fileExists, readFile } = host
    // Arrow's declarations refer to Node's types, and would bring them in for everyone; a file for one runtime is there only through its dynamic import.
    const isHidden = (name: string) => name.includes('/@types/node/') || name.includes('/undici-types/')
    host.fileExists = (name) => texts.has(name) || (!isHidden(name) && fileExists.call(host, name))
    host.readFile = (name) => texts.get(name) ?? (isHidden(name) ? undefined : readFile.call(host, name))
    host.getSourceFile = (name, ...rest) => {
      const text = texts.get(name)
      if (text !== undefined) return ts.createSourceFile(name, text, ts.ScriptTarget.ES2022)
      return isHidden(name) ? undefined : getSourceFile.call(host, name, ...rest)
    }
    const names = [...portable.map((file) => join(src, file)), ...texts.keys()]
    const program = ts.createProgram(names, portableOptions, host)
    const judged = new Set(names.map((name) => name.replaceAll('\\', '/')))
    return program
      .getSourceFiles()
      .filter(({ fileName }) => judged.has(fileName))
      .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
      .map(
        ({ file, messageText }) =>
          `${relative(src, file?.fileName ?? '')}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
      )
  }

  function staticImports(file: string): string[] {
    const source = ts.createSourceFile(file, readFileSync(join(src, file), 'utf8'), ts.ScriptTarget.ES2022)
    return source.statements.flatMap((statement) => {
      const isType =
        (ts.isImportDeclaration(statement) && statement.importClause?.isTypeOnly) ||
        (ts.isExportDeclaration(statement) && statement.isTypeOnly)
      if (isType || !(ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement))) return []
      const { moduleSpecifier } = statement
      if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier) || !moduleSpecifier.text.startsWith('.')) return []
      return [relative(src, resolve(src, dirname(file), moduleSpecifier.text)).replaceAll('\\', '/')]
    })
  }
})
