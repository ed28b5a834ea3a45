import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import jsr from '../../jsr.json'
import manifest from '../../package.json'
import { inChromium } from '../browsers/in-chromium.ts'
import { installPacked } from '../packed.mjs'
import { startMiniflare } from '../runtimes/miniflare.mjs'
import { findRuntimes } from '../runtimes/runtimes.mjs'
import { COMPATIBILITY_DATE } from '../runtimes/workerd.mjs'
import { whereThereIs } from '../where-there-is.ts'
import { withEsbuild, withEsbuildInOne, withVite, withWebpack } from './bundlers.ts'
import { program, told } from './program.ts'
import { serveFolder } from './serve-folder.ts'

const root = resolve(import.meta.dirname, '../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const run = promisify(execFile)

// What it cannot install is told below, tool by tool.
spawnSync(process.execPath, [join(root, 'scripts/install.mjs'), 'test/runtimes'], { stdio: 'inherit' })
const runtimes = new Map(findRuntimes().map((runtime) => [runtime.name, runtime]))
const tools = join(root, 'test/runtimes/node_modules')

/** One project with the packed package installed; each test has a folder of its own in it, from which it is found. */
let project: string

beforeAll(async () => {
  project = await mkdtemp(join(await realpath(tmpdir()), 'tidemark-installed-'))
  await installPacked(project)
  await writeFile(join(project, 'program.ts'), program)
  await writeFile(join(project, 'program.js'), emitted(program))
})
afterAll(() => rm(project, { recursive: true, force: true }))

async function folderFor(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(project, name)
  await mkdir(folder)
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text)
  return folder
}

const main = `import { main } from '../program.js'
console.log(JSON.stringify(await main()))
`

/** What a program told on its last line; what comes before is the tool's. */
async function toldBy(command: string, args: readonly string[], folder: string): Promise<unknown> {
  const env = { ...process.env, NO_COLOR: '1', DENO_DIR: join(project, '.deno'), DENO_NO_UPDATE_CHECK: '1' }
  const { stdout } = await run(command, args, { cwd: folder, env })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
}

function emitted(source: string): string {
  const { ESNext } = ts.ModuleKind
  return ts.transpileModule(source, { compilerOptions: { module: ESNext, target: ts.ScriptTarget.ES2022 } }).outputText
}

describe('Node', () => {
  test('as it is', async () => {
    const folder = await folderFor('node', { 'main.js': main })
    expect(await toldBy(process.execPath, ['main.js'], folder)).toEqual(told)
    // The build for runtimes with files, whose default is a folder.
    expect(await readdir(folder)).toContain('.tidemark')
  })

  const pages = ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.asynciterable.d.ts']
  test.each([
    ['NodeNext', ts.ModuleKind.NodeNext, ts.ModuleResolutionKind.NodeNext, pages, []],
    ['Bundler', ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler, pages, []],
    ['NodeNext, for Node alone', ts.ModuleKind.NodeNext, ts.ModuleResolutionKind.NodeNext, [pages[0] ?? ''], ['node']],
  ])('compiled by TypeScript, strict, with %s resolution', async (name, module, moduleResolution, lib, types) => {
    const folder = await folderFor(`typescript-${name}`, { 'program.ts': program, 'main.ts': main.replace('..', '.') })
    const compiled = ts.createProgram([join(folder, 'main.ts')], {
      module,
      moduleResolution,
      target: ts.ScriptTarget.ES2022,
      lib,
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      types,
    })
    const errors = ts
      .getPreEmitDiagnostics(compiled)
      // Those of the packages it depends on are theirs.
      .filter((one) => !one.file || one.file.fileName.startsWith(project))
      .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
    expect(errors).toEqual([])
    compiled.emit()
    expect(await toldBy(process.execPath, ['main.js'], folder)).toEqual(told)
  })
})

const deno = runtimes.get('Deno')
whereThereIs('Deno', deno?.missing, () => {
  const permissions = ['--no-prompt', '--allow-read=.', '--allow-write=.tidemark']

  async function toldByDeno(folder: string, ...options: readonly string[]): Promise<unknown> {
    const answer = await toldBy(deno?.program ?? '', ['run', '--quiet', ...options, ...permissions, 'main.ts'], folder)
    expect(await readdir(folder)).toContain('.tidemark')
    return answer
  }

  test('from npm, as import maps name it', async () => {
    const folder = await folderFor('deno', {
      'deno.json': JSON.stringify({ nodeModulesDir: 'manual', imports: { tidemark: 'npm:tidemark@^0.1.0' } }),
      'program.ts': program.replace("'apache-arrow'", "'npm:apache-arrow'"),
      'main.ts': main.replace('../program.js', './program.ts'),
    })
    expect(await toldByDeno(folder, '--check')).toEqual(told)
  })

  // Its types are those that the test after this one has checked.
  test('from JSR: the source as it is published', async () => {
    const imports = Object.fromEntries(
      Object.entries(jsr.exports).map(([path, file]) => [path.replace('.', 'tidemark'), file.replace('.', './jsr')]),
    )
    const packages = Object.entries(manifest.dependencies).map(([name, range]) => [name, `npm:${name}@${range}`])
    const folder = await folderFor('jsr', {
      'deno.json': JSON.stringify({
        nodeModulesDir: 'manual',
        imports: { ...imports, ...Object.fromEntries(packages), 'picomatch/': 'npm:/picomatch/' },
      }),
      'program.ts': program,
      'main.ts': main.replace('../program.js', './program.ts'),
    })
    for (const part of jsr.publish.include) await cp(join(root, part), join(folder, 'jsr', part), { recursive: true })
    for (const part of jsr.publish.exclude) await rm(join(folder, 'jsr', part), { recursive: true })
    expect(await toldByDeno(folder)).toEqual(told)
  })

  test('JSR takes it, with types that need no inference', async () => {
    const { stderr } = await run(deno?.program ?? '', ['publish', '--dry-run', '--allow-dirty'], {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1', DENO_DIR: join(project, '.deno') },
      maxBuffer: 2 ** 24,
    })
    expect(stderr).toContain('Success Dry run complete')
    expect(stderr).not.toMatch(/^(warning|error)/m)
  })
})

test('jsr.json is of the same version and has the same entries as package.json', () => {
  expect(jsr.version).toBe(manifest.version)
  const targets = Object.entries(manifest.exports).flatMap(([path, target]) =>
    typeof target === 'string' ? [] : [[path, target.types.replace('dist', 'src').replace('.d.ts', '.ts')]],
  )
  expect(jsr.exports).toEqual(Object.fromEntries(targets))
})

const bun = runtimes.get('Bun')
whereThereIs('Bun', bun?.missing, () => {
  test('as it is', async () => {
    const folder = await folderFor('bun', {
      'program.ts': program,
      'main.ts': main.replace('../program.js', './program.ts'),
    })
    expect(await toldBy(bun?.program ?? '', ['run', 'main.ts'], folder)).toEqual(told)
    expect(await readdir(folder)).toContain('.tidemark')
  })
})

// It wants Node 22 or newer; what it makes runs here.
const forWrangler = runtimes.get('Node 22')
whereThereIs('wrangler', missingTool('wrangler') ?? runtimes.get('workerd')?.missing ?? forWrangler?.missing, () => {
  test('bundles a worker without compatibility flags, and workerd runs it', async () => {
    const folder = await folderFor('wrangler', {
      'wrangler.json': JSON.stringify({
        name: 'flowers',
        main: 'worker.js',
        compatibility_date: COMPATIBILITY_DATE,
      }),
      'worker.js': `import { main } from '../program.js'
        export default { fetch: async () => Response.json(await main()) }`,
    })
    const wrangler = join(tools, 'wrangler/wrangler-dist/cli.js')
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      CI: 'true',
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_HIDE_BANNER: 'true',
    }
    await run(forWrangler?.program ?? '', [wrangler, 'deploy', '--dry-run', '--outdir', 'out'], { cwd: folder, env })
    const { url, stop } = await startMiniflare(join(folder, 'out'), ['worker.js'])
    try {
      expect(await (await fetch(url)).json()).toEqual(told)
    } finally {
      await stop()
    }
  })
})

inChromium('a page', (newProfile) => {
  let profile: Awaited<ReturnType<typeof newProfile>>
  let browser: Awaited<ReturnType<typeof profile.open>>
  beforeAll(async () => {
    profile = await newProfile()
    browser = await profile.open()
  })
  afterAll(async () => {
    await browser?.close()
    await profile?.remove()
  })

  const script = (path: string) =>
    `import { main } from '${path}'
    main().then(
      (told) => document.body.append(JSON.stringify(told)),
      (error) => document.body.append(JSON.stringify(String(error.stack))),
    )`

  async function toldByPage(folder: string, html: string): Promise<unknown> {
    const { url, close } = await serveFolder(folder, html)
    const page = await browser.context.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
    try {
      await page.goto(url)
      await page.locator('body').filter({ hasText: /./ }).waitFor()
      expect(errors).toEqual([])
      return JSON.parse((await page.locator('body').textContent()) ?? '')
    } finally {
      await page.close()
      await close()
    }
  }

  const pageOf = (head: string) =>
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">${head}</head><body></body></html>`

  const bundlers = { vite: withVite, esbuild: withEsbuild, 'esbuild-in-one': withEsbuildInOne, webpack: withWebpack }
  for (const [name, bundle] of Object.entries(bundlers))
    whereThereIs(`bundled by ${name}`, name === 'webpack' ? missingTool('webpack') : undefined, () => {
      test('runs, with nothing of Node in it', async () => {
        const folder = await folderFor(name, { 'entry.js': script('../program.js') })
        const out = join(folder, 'out')
        await bundle(join(folder, 'entry.js'), out)
        const scripts = (await readdir(out, { recursive: true })).filter((path) => path.endsWith('.js'))
        const texts = await Promise.all(scripts.map((path) => readFile(join(out, path), 'utf8')))
        expect(texts.filter((text) => /(from|import\() ?["'](node:|yaml|[\w@])/.test(text))).toEqual([])
        expect(await toldByPage(out, pageOf('<script type="module" src="/entry.js"></script>'))).toEqual(told)
      })
    })

  test('with an import map and no bundler', async () => {
    const folder = await folderFor('import-map', { 'entry.js': script('./program.js') })
    await cp(join(project, 'program.js'), join(folder, 'program.js'))
    await symlink(join(project, 'node_modules'), join(folder, 'node_modules'), 'junction')
    // What apache-arrow imports lies beside it where npm installs it.
    const beside = ['flatbuffers', 'tslib']
    for (const name of beside) await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name))
    const html = pageOf(`${importMapOfReadme()}<script type="module" src="/entry.js"></script>`)
    expect(await toldByPage(folder, html)).toEqual(told)
  })
})

/** The one that people copy. */
function importMapOfReadme(): string {
  const [found] = /<script type="importmap">.*?<\/script>/s.exec(readme) ?? []
  return found ?? ''
}

function missingTool(name: string): string | undefined {
  return existsSync(join(tools, name))
    ? undefined
    : `no package of it is in test/runtimes/node_modules; delete that folder to have it installed again`
}
