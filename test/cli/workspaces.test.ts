import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Backend, createBackend } from '../../src/backend/backend.ts'
import { connect, memoryStore } from '../../src/index.ts'
import { serve } from '../../src/server/node.ts'
import type { Serving } from '../../src/server/serving.ts'
import { bundleProgram, type Program } from './program.ts'

let program: Program
let cwd: string
let serving: Serving
let backend: Backend
beforeAll(async () => {
  program = await bundleProgram()
  cwd = await mkdtemp(join(tmpdir(), 'tidemark-cli-'))
  await writeFile(join(cwd, 'a.txt'), 'a')
  const store = memoryStore()
  backend = createBackend({ records: store, blobs: store, access: 'keys' })
  serving = await serve({ fetch: backend.fetch, port: 0 })
  const owner = await keyOf({ '*': 'owner' })
  for (const workspace of ['vision', 'speech']) {
    const tidemark = await connect({ url: serving.url, apiKey: owner, workspace })
    const experiment = await tidemark.createExperiment({ project: 'p', name: `of ${workspace}` })
    await experiment.uploadArtifact(`${workspace}-data`, { a: 1 })
    await experiment.end()
    await tidemark.close()
  }
})
afterAll(async () => {
  await serving.close()
  await program.remove()
  await rm(cwd, { recursive: true, force: true })
})

async function keyOf(roles: Record<string, 'reader' | 'writer' | 'owner'>): Promise<string> {
  return (await backend.keys.create('test', new Map(Object.entries(roles)))).key
}

it('a key of one workspace needs no --workspace', async () => {
  const env = { TIDEMARK_URL: serving.url, TIDEMARK_API_KEY: await keyOf({ vision: 'writer' }) }
  const run = (...args: string[]) => program.run(args, { cwd, env })
  expect(await run('put', 'more', 'a.txt')).toMatchObject({ code: 0, err: '' })
  const all = await run('ls')
  expect(all).toMatchObject({ code: 0, err: '', out: expect.stringContaining('vision-data') })
  expect(all.out).toContain('more')
  expect(all.out).not.toContain('speech')
  expect(await run('ls', 'vision-data')).toMatchObject({ code: 0, out: expect.stringContaining('1.0.0') })
  expect(await run('experiments')).toMatchObject({ code: 0, out: expect.stringContaining('of vision') })
  expect(await run('get', 'vision-data:latest', 'out')).toMatchObject({ code: 0 })
  expect(await run('verify')).toMatchObject({ code: 0 })
  expect(await run('ls', '--workspace', 'speech')).toMatchObject({
    code: 5,
    err: expect.stringContaining("in the workspace 'speech'"),
  })
})

it('a key of several lists what is in all of them, and is asked which is meant otherwise', async () => {
  const env = { TIDEMARK_URL: serving.url, TIDEMARK_API_KEY: await keyOf({ vision: 'reader', speech: 'reader' }) }
  const run = (...args: string[]) => program.run(args, { cwd, env })
  const all = await run('ls', '--json')
  expect(JSON.parse(all.out).map((one: { workspace: string; name: string }) => [one.workspace, one.name])).toEqual(
    expect.arrayContaining([
      ['speech', 'speech-data'],
      ['vision', 'vision-data'],
    ]),
  )
  expect((await run('ls', 'vision-data')).code).toBe(5)
  expect((await run('ls', 'vision-data', '--workspace', 'vision')).code).toBe(0)
  expect((await run('ls', 'speech/speech-data:latest')).code).toBe(0)
})
