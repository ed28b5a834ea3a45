import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readSettings } from '../../src/config.ts'
import * as tidemark from '../../src/index.ts'
import { connect, createExperiment, getArtifact, getArtifacts, memoryStore } from '../../src/index.ts'
import { open, temporaryFolder, untyped } from './world.ts'

const project = {
  name: './.comet.yml',
  text: 'COMET_WORKSPACE: from-project\nCOMET_PROJECT_NAME: p1\nTIDEMARK_STORE: store-p\n',
}
const home = {
  name: '~/.comet.yml',
  text: 'COMET_API_KEY: secret\nCOMET_WORKSPACE: from-home\nCOMET_URL_OVERRIDE: https://home\n',
}

describe('configuration', () => {
  it.each([
    ['nothing', {}, [], {}],
    [
      'files, the project before the home',
      {},
      [project, home],
      { workspace: 'from-project', project: 'p1', store: 'store-p', apiKey: 'secret' },
    ],
    [
      'the environment before files',
      { COMET_WORKSPACE: 'env', COMET_URL_OVERRIDE: 'https://env' },
      [project, home],
      { workspace: 'env', url: 'https://env', project: 'p1', apiKey: 'secret' },
    ],
    [
      'our names before Comet names',
      { COMET_WORKSPACE: 'c', TIDEMARK_WORKSPACE: 't', TIDEMARK_STORE: 's', COMET_URL_OVERRIDE: 'https://c' },
      [home],
      { workspace: 't', store: 's', apiKey: 'secret' },
    ],
    ['an empty variable is none', { TIDEMARK_WORKSPACE: '', COMET_WORKSPACE: 'c' }, [], { workspace: 'c' }],
    ['a key alone is no place to send to', { COMET_API_KEY: 'k' }, [], { apiKey: 'k' }],
    [
      'values in YAML as they stand there',
      {},
      [
        {
          name: 'f',
          text: 'COMET_WORKSPACE: 0123\nCOMET_PROJECT_NAME: 1.0\nCOMET_API_KEY: 123456789012345678901234\nother: {a: 1}',
        },
      ],
      { workspace: '0123', project: '1.0', apiKey: '123456789012345678901234' },
    ],
    [
      'words of YAML',
      {},
      [{ name: 'f', text: 'COMET_WORKSPACE: no\nCOMET_PROJECT_NAME: ~\nCOMET_API_KEY: null\nTIDEMARK_STORE:\n' }],
      { workspace: 'no' },
    ],
    [
      'anchors and merged maps in YAML',
      {},
      [
        {
          name: 'f',
          text: 'team: &team vision\nCOMET_WORKSPACE: *team\nbase: &base {COMET_PROJECT_NAME: p}\n<<: *base\n',
        },
      ],
      { workspace: 'vision', project: 'p' },
    ],
    [
      'blanks and line ends around values are none of them',
      { COMET_WORKSPACE: ' team\r', COMET_API_KEY: 'sesame\n', TIDEMARK_STORE: ' ' },
      [],
      { workspace: 'team', apiKey: 'sesame' },
    ],
    ['an empty file', {}, [{ name: 'f', text: '# nothing\n' }], {}],
    [
      'logging',
      { COMET_LOGGING_FILE: 'x.log', COMET_LOGGING_FILE_LEVEL: 'INFO' },
      [],
      { loggingFile: 'x.log', loggingLevel: 'INFO' },
    ],
  ])('%s', async (_, env, files, expected) => {
    const settings = await readSettings(false, { env, files })
    expect(Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))).toEqual(expected)
  })

  it('leaves the place to the caller who names one', async () => {
    expect(await readSettings(true, { env: { TIDEMARK_URL: 'https://env' }, files: [project] })).toMatchObject({
      url: undefined,
      store: undefined,
      workspace: 'from-project',
    })
  })

  it('refuses what is contradictory or broken, by name', async () => {
    const both = { TIDEMARK_URL: 'https://env', TIDEMARK_STORE: 's' }
    await expect(readSettings(false, { env: both, files: [] })).rejects.toMatchObject({ code: 'url-and-store' })
    for (const text of ['a: [', '- a list', '"text"'])
      await expect(readSettings(false, { env: {}, files: [{ name: './.comet.yml', text }] })).rejects.toMatchObject({
        code: 'config-invalid',
        message: expect.stringContaining('./.comet.yml'),
      })
  })

  it.each([
    ['COMET_API_KEY: "sesame\n foo: ][', /not valid YAML \(missing char at line 2, column \d+\)/],
    ['a: 1\nCOMET_API_KEY: sesame\na: 2\n', /duplicate key at line 3/],
    ['COMET_API_KEY: *sesame', /not valid YAML/],
    ['COMET_API_KEY=sesame', /lines such as "COMET_WORKSPACE: team", not plain text/],
    ['COMET_API_KEY: [sesame]', /COMET_API_KEY in \.\/\.comet\.yml must be one value/],
    ['COMET_API_KEY: {key: sesame}', /COMET_API_KEY in \.\/\.comet\.yml must be one value/],
  ])('says what is wrong in a file, and nothing that stands in it: %j', async (text, message) => {
    const reading = readSettings(false, { env: {}, files: [{ name: './.comet.yml', text }] })
    const error = await reading.then(() => undefined).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'config-invalid', message: expect.stringMatching(message) })
    expect(inspect(error, { depth: 9 })).not.toContain('sesame')
  })

  it('sends no key from elsewhere to a server that a project names', async () => {
    const cloned = (text: string) => ({ name: './.comet.yml', text, ofProject: true })
    const evil = cloned('COMET_URL_OVERRIDE: https://evil.example\n')
    const refused = { code: 'key-for-project-url', category: 'InvalidInputError' }
    await expect(readSettings(false, { env: { COMET_API_KEY: 'k' }, files: [evil] })).rejects.toMatchObject(refused)
    await expect(readSettings(false, { env: { TIDEMARK_API_KEY: 'k' }, files: [evil] })).rejects.toMatchObject(refused)
    await expect(readSettings(false, { env: {}, files: [evil, home] })).rejects.toMatchObject(refused)
    const both = cloned('COMET_URL_OVERRIDE: https://team.example\nCOMET_API_KEY: theirs\n')
    await expect(readSettings(false, { env: { COMET_API_KEY: 'k' }, files: [both] })).rejects.toMatchObject(refused)
    expect(await readSettings(false, { env: {}, files: [both] })).toMatchObject({
      url: 'https://team.example',
      apiKey: 'theirs',
    })
    // Named by the person, or nobody's key: then it is used.
    const env = { COMET_API_KEY: 'k', TIDEMARK_URL: 'https://mine.example' }
    expect(await readSettings(false, { env, files: [evil] })).toMatchObject({
      url: 'https://mine.example',
      apiKey: 'k',
    })
    expect(await readSettings(false, { env: {}, files: [evil] })).toMatchObject({ url: 'https://evil.example' })
    expect(await readSettings(true, { env: { COMET_API_KEY: 'k' }, files: [evil] })).toMatchObject({ apiKey: 'k' })
    expect(await readSettings(false, { env: {}, files: [home] })).toMatchObject({
      url: 'https://home',
      apiKey: 'secret',
    })
  })

  it('adds lines to no file outside of a project that names it', async () => {
    for (const name of ['/home/ada/.bashrc', '../up.log', 'a/../../up.log', '~/.profile', 'C:\\\\x', '\\\\\\\\host']) {
      const text = `COMET_LOGGING_FILE: "${name}"\n`
      const reading = readSettings(false, { env: {}, files: [{ name: './.comet.yml', text, ofProject: true }] })
      await expect(reading, name).rejects.toMatchObject({ code: 'config-invalid' })
    }
    const text = 'COMET_LOGGING_FILE: logs/tidemark..log\n'
    expect(
      await readSettings(false, { env: {}, files: [{ name: './.comet.yml', text, ofProject: true }] }),
    ).toMatchObject({ loggingFile: 'logs/tidemark..log' })
  })

  it('is data: tags neither make objects nor run anything', async () => {
    const text =
      'COMET_WORKSPACE: !!js/function "function () { globalThis.ran = true }"\nCOMET_PROJECT_NAME: !expr Sys.time()\n__proto__: {polluted: yes}\n'
    const settings = await readSettings(false, { env: {}, files: [{ name: 'f', text }] })
    expect(settings.workspace).toBe('function () { globalThis.ran = true }')
    expect(settings.project).toBe('Sys.time()')
    expect('ran' in globalThis || 'polluted' in {}).toBe(false)
  })
})

describe('connect', () => {
  it.each([
    [{ ulr: 'https://x' }, 'unknown-option', /Did you mean url/],
    [{ url: 7 }, 'invalid-option', /url must be a string/],
    [{ url: 'https://x', store: 'memory:' }, 'url-and-store', /not both/],
    [{ url: 'ftp://x' }, 'invalid-url', /https:\/\/host/],
    [{ url: 'https://me:pw@host' }, 'invalid-url', /^(?!.*pw)/],
    [{ url: 'nonsense' }, 'invalid-url', /address/],
    [{ apiKey: 'k', store: 'memory:' }, 'url-missing', /url/],
    [{ store: 'gopher://x' }, 'unknown-store-scheme', /gopher/],
    [{ store: { records: 'memory:', blob: 'memory:' } }, 'unknown-option', /Did you mean blobs/],
    [{ store: 5 }, 'invalid-store', /store/],
    [{ store: 'memory:', workspace: 'a/b' }, 'invalid-name', /a\/b/],
    [{ store: 'memory:', logger: { info: 1 } }, 'invalid-option', /logger needs/],
    [{ store: 'memory:', compress: 'yes' }, 'invalid-option', /compress/],
    ['memory:', 'invalid-options', /object of options/],
  ])('%j', async (options, code, message) => {
    await expect(connect(untyped(options))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it.each(['se\nsame', 'sesamé', '\u0000', 'ключ'])(
    'refuses a key that cannot be sent, without repeating it: %j',
    async (apiKey) => {
      const asked: Request[] = []
      const fetch = async (request: Request) => {
        asked.push(request)
        return new Response()
      }
      const error = await connect({ url: 'https://x', apiKey, fetch }).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'invalid-api-key', message: expect.stringContaining('API key') })
      expect(inspect(error, { depth: 9 })).not.toContain(apiKey)
      expect(asked).toEqual([])
    },
  )

  it('sends a key without the line end it was read with, and hides it in the log', async () => {
    const lines: string[] = []
    const log = (line: string) => void lines.push(line)
    const sent: unknown[] = []
    const tidemark = await open({
      url: 'https://x',
      apiKey: 'sesame\n',
      logger: { debug: log, info: log, warn: log, error: log },
      fetch: async ({ headers }) => {
        sent.push(headers.get('authorization'))
        return Response.json({ msg: `No ${headers.get('authorization')}!` }, { status: 503 })
      },
    })
    await expect(tidemark.getWorkspaces()).rejects.toMatchObject({ message: expect.stringContaining('No ***!') })
    expect(new Set(sent)).toEqual(new Set(['sesame']))
    expect(lines.join()).toContain('No ***!')
    expect(lines.join()).not.toContain('sesame')
  })

  it('keeps metadata and bytes apart, and leaves stores it was given open', async () => {
    const [records, blobs] = [memoryStore(), memoryStore()]
    const closed: string[] = []
    const given = { ...bound(records), close: async () => void closed.push('records') }
    const first = await open({ store: { records: given, blobs } })
    const experiment = await first.createExperiment()
    await experiment.uploadArtifact('x', new Uint8Array(50_000).fill(7))
    await experiment.uploadArtifact('y', crypto.getRandomValues(new Uint8Array(50_000)))
    await first.close()
    expect(closed).toEqual([])
    expect((await records.list('packs/')).entries).toEqual([])
    expect((await blobs.list('packs/')).entries.length).toBeGreaterThan(0)
    expect((await blobs.list('artifacts/')).entries).toEqual([])
    expect(await (await open({ store: { records, blobs } })).getArtifacts().toArray()).toHaveLength(2)
  })
})

function bound(store: tidemark.Store): tidemark.Store {
  return {
    uri: store.uri,
    get: store.get.bind(store),
    put: store.put.bind(store),
    delete: store.delete.bind(store),
    list: store.list.bind(store),
  }
}

describe('the default connection', () => {
  let before: string

  beforeEach(async () => {
    before = process.cwd()
    const home = await temporaryFolder()
    await mkdir(join(home, 'work'))
    process.chdir(join(home, 'work'))
    vi.stubEnv('HOME', home)
  })

  afterEach(async () => {
    await tidemark.close()
    process.chdir(before)
    vi.unstubAllEnvs()
    vi.unstubAllGlobals()
  })

  it('keeps things in the folder .tidemark, also for the next process', async () => {
    const experiment = await createExperiment({ project: 'flowers' })
    await experiment.uploadArtifact('settings', { lr: 1 })
    await experiment.end()
    await tidemark.close()
    expect(await (await getArtifact('settings')).get()).toEqual({ lr: 1 })
    expect((await getArtifacts().toArray()).map(({ name }) => name)).toEqual(['settings'])
    expect((await stat('.tidemark')).isDirectory()).toBe(true)
  })

  it('follows the environment and files', async () => {
    vi.stubEnv('TIDEMARK_STORE', 'elsewhere')
    await writeFile('.comet.yml', 'COMET_WORKSPACE: team\n')
    await writeFile('../.comet.yml', 'COMET_WORKSPACE: other\nCOMET_PROJECT_NAME: birds\n')
    expect(await createExperiment()).toMatchObject({ workspace: 'team', project: 'birds', url: null })
    expect((await stat('elsewhere')).isDirectory()).toBe(true)
    await expect(stat('.tidemark')).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('reads what it was permitted to read, and asks nobody for more: Deno would ask the person in front of it', async () => {
    vi.stubEnv('COMET_WORKSPACE', 'permitted')
    vi.stubEnv('COMET_PROJECT_NAME', 'not permitted')
    await writeFile('.comet.yml', 'COMET_API_KEY: project\n')
    await writeFile('../.comet.yml', 'COMET_API_KEY: home\n')
    const permitted = ['env COMET_WORKSPACE', 'read .comet.yml']
    const querySync = ({ name, variable, path }: Partial<Record<string, string>>) => ({
      state: permitted.includes(`${name} ${variable ?? path}`) ? 'granted' : 'prompt',
    })
    vi.stubGlobal('Deno', { permissions: { querySync } })
    const found = await readSettings(false)
    expect(found).toMatchObject({ workspace: 'permitted', apiKey: 'project' })
    expect(found.project).toBeUndefined()
    permitted.pop()
    expect((await readSettings(false)).apiKey).toBeUndefined()
  })

  it('gives a key to no server that a project names, not even one it was given', async () => {
    await writeFile('.comet.yml', 'COMET_URL_OVERRIDE: https://evil.example\n')
    vi.stubEnv('COMET_API_KEY', 'sesame')
    await expect(createExperiment()).rejects.toMatchObject({ code: 'key-for-project-url' })
    vi.stubEnv('COMET_API_KEY', '')
    await expect(connect({ apiKey: 'sesame' })).rejects.toMatchObject({ code: 'key-for-project-url' })
  })

  it.each([
    ['COMET_WORKSPACE', 'a/b', 'invalid-name'],
    ['TIDEMARK_PROJECT', 'a:b', 'invalid-name'],
    ['COMET_URL_OVERRIDE', 'localhost:5173', 'invalid-url'],
  ])('says where a setting stands that is wrong: %s', async (name, value, code) => {
    vi.stubEnv(name, value)
    const refused = { code, message: expect.stringMatching(new RegExp(`It comes from ${name}\\.$`)) }
    await expect(createExperiment()).rejects.toMatchObject(refused)
    vi.stubEnv(name, '')
    await writeFile('../.comet.yml', `${name}: "${value}"\n`)
    const inFile = { code, message: expect.stringMatching(`It comes from ${name} in ~/.comet.yml.`) }
    await expect(createExperiment()).rejects.toMatchObject(inFile)
    // What the program says itself is its own fault.
    const own = { workspace: 'a/b', project: 'a/b', store: 'memory:' }
    await expect(connect(own)).rejects.toMatchObject({ message: expect.not.stringContaining('comes from') })
  })

  it('tries again after a configuration that was wrong', async () => {
    vi.stubEnv('TIDEMARK_STORE', 'gopher://x')
    await expect(createExperiment()).rejects.toMatchObject({ code: 'unknown-store-scheme' })
    vi.stubEnv('TIDEMARK_STORE', 'memory:')
    expect((await createExperiment()).project).toBe('general')
  })

  it.each(['info', 'INFO'])('writes a log file where it is asked to, without the key: %s', async (level) => {
    vi.stubEnv('TIDEMARK_STORE', 'memory:')
    vi.stubEnv('COMET_API_KEY', 'sesame')
    vi.stubEnv('COMET_LOGGING_FILE', 'tidemark.log')
    vi.stubEnv('COMET_LOGGING_FILE_LEVEL', level)
    const experiment = await createExperiment()
    await experiment.uploadArtifact('sesame', 1)
    const log = await readFile('tidemark.log', 'utf8')
    expect(log).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[INF\] Logged \*\*\*:v0 \(1\.0\.0\)/m)
    expect(log).not.toContain('sesame')
    expect(log).not.toContain('[DBG]')
  })
})
