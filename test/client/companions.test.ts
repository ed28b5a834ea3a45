import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { Api } from '../../src/client/api.ts'
import { Heartbeat } from '../../src/client/log/heartbeat.ts'
import { captureConsole } from '../../src/client/surroundings/capture-console.ts'
import { withoutCredentials } from '../../src/client/surroundings/git-origin.ts'
import { webSurroundings } from '../../src/client/surroundings/surroundings-web.ts'
import { connect, memoryStore } from '../../src/index.ts'
import { silentLogger } from '../../src/logging.ts'
import { cometDouble } from '../conformance/comet-double.ts'
import { git, repositoryIn } from '../repository.mjs'
import { bundleWorker } from '../stores/bundle.ts'
import { open, temporaryFolder } from './world.ts'

const run = promisify(execFile)

describe('a program that is logged', () => {
  let folder: string
  let worker: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-companions-'))
    worker = await bundleWorker('../client/companions-worker.ts', folder)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function runIn(cwd: string, args: readonly string[] = []) {
    const store = join(cwd, '.tidemark')
    const { stdout, stderr } = await run(process.execPath, [worker, store, ...args], { cwd })
    const key = /^KEY (\w+)$/m.exec(stdout)?.[1] ?? ''
    const tidemark = await open({ store })
    return { stdout, stderr, experiment: await tidemark.getExperiment(key) }
  }

  it('shows its output as ever, and it is kept, with script, system and repository', async () => {
    const cwd = await repositoryIn(join(folder, 'repository'))
    const { stdout, stderr, experiment } = await runIn(cwd, ['--fast'])
    expect(stdout).toBe(`before\none 1 { a: 1 }\ntwo ä\nwithout an endafter\nKEY ${experiment.key}\n`)
    expect(stderr).toBe('trouble\nmore\n')
    expect((await experiment.getOutput()).split('\n')).toEqual([
      'one 1 { a: 1 }',
      'two ä',
      'trouble',
      'more',
      'without an end',
    ])
    expect(await experiment.getCode()).toContain('without an end')
    const head = await git(cwd, 'rev-parse', 'HEAD')
    expect(await experiment.getGitMetadata()).toMatchObject({
      branch: 'dev',
      origin: 'https://host.example/x.git',
      parent: head,
      user: 'ada <a@b>',
      root: expect.stringMatching(/repository$/),
    })
    const patch = await experiment.getGitPatch()
    expect(patch).toContain('-one\n+two\n')
    await git(cwd, 'checkout', '-q', 'train.js')
    await writeFile(join(folder, 'p.patch'), patch)
    await git(cwd, 'apply', join(folder, 'p.patch'))
    expect(await git(cwd, 'diff')).toBe(patch.trim())
    expect(await experiment.getSystemDetails()).toMatchObject({
      command: ['worker.mjs', join(cwd, '.tidemark'), '--fast'],
      executable: process.execPath,
      installedPackages: ['left@1.2.3'],
      osType: expect.any(String),
      pid: expect.any(Number),
      logAdditionalSystemInfoList: expect.arrayContaining([{ key: 'runtime', value: `node ${process.versions.node}` }]),
    })
  })

  it('where there is no repository: nothing is known of one', async () => {
    const cwd = join(folder, 'plain')
    await mkdir(cwd)
    const { experiment } = await runIn(cwd)
    expect(Object.values(await experiment.getGitMetadata())).toEqual([null, null, null, null, null])
    expect(await experiment.getGitPatch()).toBe('')
  })
})

describe('signs of life', () => {
  it('come at once and as often as the server asks, whatever becomes of one of them, and end with the experiment', async () => {
    const waits: number[] = []
    let tasks: (() => void)[] = []
    const after = (ms: number, task: () => void) => {
      waits.push(ms)
      tasks.push(task)
      return () => {
        tasks = tasks.filter((one) => one !== task)
      }
    }
    const answers = ['{"isAliveBeatDurationMillis":1500}', 'oops', '{}', '{"isAliveBeatDurationMillis":0}']
    let beats = 0
    const api = new Api({
      url: 'https://host.example',
      remote: true,
      fetch: async () => new Response(answers[beats++] ?? '{"isAliveBeatDurationMillis":9}'),
      retry: { attempts: 1 },
    })
    const heartbeat = new Heartbeat(api, 'key', silentLogger, { after, soon: after })
    for (let n = 0; n < 4; n++) {
      await expect.poll(() => waits.length).toBe(n + 1)
      tasks.shift()?.()
    }
    await expect.poll(() => waits.length).toBe(5)
    expect(waits).toEqual([1500, 10_000, 10_000, 500, 500])
    heartbeat.stop()
    expect(tasks).toEqual([])
  })

  it('are given to a server, unless nobody wants them', async () => {
    const comet = cometDouble('k')
    const tidemark = await open({ url: 'https://comet.example', apiKey: 'k', fetch: comet.fetch })
    const beats = () => comet.requests.filter((one) => one === 'GET /write/experiment/set-status').length
    const quiet = await tidemark.createExperiment({ keepActive: false })
    await quiet.end()
    expect(beats()).toBe(0)
    const alive = await tidemark.createExperiment()
    await expect.poll(beats).toBe(1)
    await alive.end()
  })
})

describe('where there is no process', () => {
  it('what a browser honestly knows is told, and the console is captured', async () => {
    expect(await webSurroundings.code()).toBeUndefined()
    expect(await webSurroundings.git()).toBeUndefined()
    expect(JSON.stringify(await webSurroundings.system())).not.toMatch(/undefined|null/)
    const before = console.log
    const taken: string[] = []
    const shown: unknown[][] = []
    console.log = (...args: unknown[]) => void shown.push(args)
    try {
      const stop = captureConsole('stdout', (text) => taken.push(text))
      console.log('a', 1, { b: [2] }, null)
      stop()
      console.log('not taken')
    } finally {
      console.log = before
    }
    expect(taken).toEqual(['a 1 {"b":[2]} null\n'])
    expect(shown).toEqual([['a', 1, { b: [2] }, null], ['not taken']])
  })

  it.each([
    ['https://ada:s3cret@host/x', 'https://host/x'],
    ['https://token@host/x', 'https://host/x'],
    ['https://a@b:c@host/x', 'https://host/x'],
    ['git@host:x/y.git', 'git@host:x/y.git'],
    ['https://host/x@y', 'https://host/x@y'],
  ])('%s is kept as %s', (origin, clean) => {
    expect(withoutCredentials(origin)).toBe(clean)
  })

  it('a key on the command line or in the script is not kept', async () => {
    const comet = cometDouble('s3same')
    const tidemark = await connect({ url: 'https://comet.example', apiKey: 's3same', fetch: comet.fetch })
    const argv = process.argv
    process.argv = [argv[0], argv[1], '--api-key', 's3same']
    try {
      const experiment = await tidemark.createExperiment()
      const { command } = await experiment.getSystemDetails()
      expect(command).toEqual([expect.any(String), '--api-key', '***'])
      await experiment.end()
    } finally {
      process.argv = argv
      await tidemark.close()
    }
  })
})

describe('what the program writes', () => {
  it('is without the key', async () => {
    const comet = cometDouble('s3same')
    const tidemark = await open({ url: 'https://comet.example', apiKey: 's3same', fetch: comet.fetch })
    const experiment = await tidemark.createExperiment({ logOutput: true })
    process.stdout.write('with the key s3s')
    process.stdout.write('ame, that is\n')
    await experiment.end()
    expect(await experiment.getOutput()).toContain('with the key ***, that is')
  })

  it('is taken down once, though somebody put theirs on top of what took it down before', async () => {
    const tidemark = await open()
    const ours = process.stdout.write
    const first = await tidemark.createExperiment({ logOutput: true })
    const below = process.stdout.write
    const theirs = (...args: unknown[]): unknown => Reflect.apply(below, process.stdout, args)
    Reflect.set(process.stdout, 'write', theirs)
    try {
      await first.end()
      const second = await tidemark.createExperiment({ logOutput: true })
      process.stdout.write('one line\n')
      await second.end()
      expect(await second.getOutput()).toBe('one line')
    } finally {
      process.stdout.write = ours
    }
  })
})

describe('a change that is not committed', () => {
  it('is kept as it is, line ends too, but for the key in it', async () => {
    const store = memoryStore()
    const behind = createBackend({ records: store, blobs: store })
    const tidemark = await open({ url: 'https://host.example', apiKey: 's3same', fetch: behind.fetch })
    const cwd = await repositoryIn(await temporaryFolder())
    await writeFile(join(cwd, 'train.js'), "key = 's3same'\r\n")
    const before = process.cwd()
    process.chdir(cwd)
    try {
      const experiment = await tidemark.createExperiment({ logGitInfo: true })
      expect(await experiment.getGitPatch()).toMatch(/\n-one\n\+key = '\*\*\*'\r\n$/)
      await experiment.end()
    } finally {
      process.chdir(before)
    }
  })
})

describe('an experiment whose connection is closed at once', () => {
  it('has what it was to log of itself', async () => {
    const store = memoryStore()
    const tidemark = await connect({ store })
    const { key } = await tidemark.createExperiment()
    await tidemark.close()
    const again = await (await open({ store })).getExperiment(key)
    expect(await again.getSystemDetails()).toMatchObject({ pid: process.pid })
  })

  it('has its last words, though nobody ended it', async () => {
    const store = memoryStore()
    const tidemark = await connect({ store })
    const { key } = await tidemark.createExperiment({ logOutput: true })
    process.stdout.write('last words')
    await tidemark.close()
    const again = await (await open({ store })).getExperiment(key)
    expect(await again.getOutput()).toContain('last words')
  })
})
