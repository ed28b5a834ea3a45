import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { routes } from '../../src/protocol/routes.ts'
import type { PageReply, VersionWire } from '../../src/protocol/shapes.ts'
import { fsStore } from '../../src/stores/fs.ts'
import { Caller } from '../conformance/backend-caller.ts'
import { bundleWorker, startWorker } from '../stores/bundle.ts'

const writers = 6
const commits = 25

let folder: string
let worker: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-commits-'))
  worker = await bundleWorker('../backend/commit-worker.ts', folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it(`${writers} processes commit ${commits} versions each of one artifact: gapless, each once, aliases on the newest`, async () => {
  const path = join(folder, 'store')
  const reports: { index: number; mine: string }[][] = await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const child = startWorker(worker, [path, `w${writer}`, String(commits)])
      const told = once(child, 'message')
      const [code] = await once(child, 'exit')
      expect(code).toBe(0)
      return (await told)[0]
    }),
  )
  const store = fsStore(path)
  const call = new Caller(createBackend({ records: store, blobs: store }).fetch)
  const { items } = await call.json<PageReply<VersionWire>>('GET', `${routes.versions('default', 'busy')}?limit=1000`)
  const total = writers * commits
  expect(items.map(({ index }) => index)).toEqual(Array.from({ length: total }, (_, at) => total - 1 - at))
  const told = new Map(reports.flat().map(({ index, mine }) => [index, mine]))
  expect(told.size).toBe(total)
  for (const { index, metadata, version } of items) {
    expect(metadata?.mine).toBe(told.get(index))
    expect(version).toBe(`${index + 1}.0.0`)
  }
  for (const [writer, report] of reports.entries())
    expect((await call.version('busy', `w${writer}`)).index).toBe(report.at(-1)?.index)
  // They did meet: no writer had a run of indexes to itself.
  const alone = reports.filter((report) => report.every(({ index }, at) => index === (report[0]?.index ?? 0) + at))
  expect(alone.length).toBeLessThan(writers)
})
