import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { memoryStore } from '../../src/index.ts'
import { serve } from '../../src/server/node.ts'
import type { Serving } from '../../src/server/serving.ts'
import { bundleProgram, type Program } from './program.ts'

let program: Program
let cwd: string
let serving: Serving
let key: string
beforeAll(async () => {
  program = await bundleProgram()
  cwd = await mkdtemp(join(tmpdir(), 'tidemark-cli-'))
  await writeFile(join(cwd, 'history.csv'), 'step,loss\n')
  const store = memoryStore()
  const backend = createBackend({ records: store, blobs: store, access: 'keys' })
  key = (await backend.keys.create('ada', new Map([['*', 'owner']]))).key
  serving = await serve({ fetch: backend.fetch, port: 0 })
})
afterAll(async () => {
  await serving.close()
  await program.remove()
  await rm(cwd, { recursive: true, force: true })
})

const places = [
  ['a store', () => ({})],
  ['a server', () => ({ TIDEMARK_URL: serving.url, TIDEMARK_API_KEY: key })],
] as const

it.each(places)('what a shell logs to %s is listed and shown', async (_, envOf) => {
  const env = envOf()
  const run = (...args: string[]) => program.run(args, { cwd, env })
  const made = await run(
    'log',
    '--name',
    'first',
    '--metric',
    'loss=0.5',
    '--metric',
    'odd=NaN',
    '--step',
    '3',
    '--tag',
    'wet',
  )
  expect(made).toMatchObject({ code: 0, err: '' })
  const experiment = made.out.trim()
  expect(
    await run(
      'log',
      experiment,
      '--metric',
      'loss=0.25',
      '--parameter',
      'lr=0.1',
      '--other',
      'note=a b',
      '--asset',
      'history.csv',
    ),
  ).toMatchObject({ code: 0, out: `${experiment}\n`, err: '' })
  const listed = JSON.parse((await run('experiments', '--json')).out)
  expect(listed).toMatchObject([{ experimentKey: experiment, experimentName: 'first' }])
  expect((await run('experiments')).out).toContain(experiment)
  expect(JSON.parse((await run('metrics', experiment, '--json')).out)).toMatchObject([
    { name: 'loss', current: 0.25, min: 0.25, max: 0.5 },
    { name: 'odd', current: 'NaN' },
  ])
  expect(JSON.parse((await run('metrics', experiment, 'loss', '--json')).out)).toMatchObject([
    { value: 0.5, step: 3 },
    { value: 0.25, step: null },
  ])
  expect((await run('metrics', experiment)).out).toMatch(/METRIC +LAST +LEAST +GREATEST/)
  expect(await run('put', 'flowers', 'history.csv')).toMatchObject({ code: 0 })
  expect((await run('ls')).out).toContain('flowers')
  expect(await run('get', 'flowers', 'out')).toMatchObject({ code: 0 })
  await rm(join(cwd, 'out'), { recursive: true })
})

it('a server is named on the command line, and without its key it refuses', async () => {
  const run = (...args: string[]) => program.run(args, { cwd })
  expect(await run('ls', '--url', serving.url, '--api-key', key)).toMatchObject({ code: 0 })
  const refused = await run('ls', '--url', serving.url)
  expect(refused.code).toBe(5)
  expect(await run('ls', '--url', serving.url, '--store', 'x')).toMatchObject({ code: 2 })
})

it.each([
  [['log', '--metric', 'loss'], 2, 'NAME=VALUE'],
  [['log', '--metric', 'loss=many'], 2, 'takes a number'],
  [['log', '0af3c2d1e9f847d9a10af3c2d1e9f847', '--metric', 'a=1'], 3, '0af3c2d1e9f847d9a10af3c2d1e9f847'],
  [['metrics'], 2, 'EXPERIMENT'],
])('%j is refused', async (args, code, message) => {
  const ended = await program.run(args, { cwd })
  expect(ended.code).toBe(code)
  expect(ended.err).toContain(message)
})

it.each(places)(
  'what put stores in %s has an experiment; what is not new, and what is refused, leaves none',
  async (_, envOf) => {
    const env = envOf()
    const run = (...args: string[]) => program.run(args, { cwd, env })
    const count = async () => JSON.parse((await run('experiments', '--json')).out).length
    const before = await count()
    expect(await run('put', 'history', 'history.csv', '--version', '1.0.0')).toMatchObject({ code: 0 })
    expect(await count()).toBe(before + 1)
    expect(await run('put', 'history', 'history.csv')).toMatchObject({ code: 0 })
    expect(await run('put', 'history', 'history.csv', '--description', 'other', '--version', '1.0.0')).toMatchObject({
      code: 4,
    })
    expect(await count()).toBe(before + 1)
  },
)

it.each(places)(
  'what cannot be logged to %s leaves no experiment, and of a metric given twice both are logged',
  async (_, envOf) => {
    const env = envOf()
    const run = (...args: string[]) => program.run(args, { cwd, env })
    const list = async () => JSON.parse((await run('experiments', '--json')).out)
    const before = await list()
    expect(await run('log', '--metric', 'a=1', '--asset', 'missing.csv')).toMatchObject({ code: 3 })
    expect(await run('log', '--metric', 'a=1', '--step', '1e999')).toMatchObject({ code: 2 })
    expect(await list()).toEqual(before)
    const made = (await run('log', '--metric', 'a=1', '--metric', 'a=2')).out.trim()
    expect(JSON.parse((await run('metrics', made, 'a', '--json')).out)).toMatchObject([{ value: 1 }, { value: 2 }])
  },
)
