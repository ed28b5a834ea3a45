import { once } from 'node:events'
import { dirname } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fsStore } from '../../src/stores/fs.ts'
import { bundleWorker, startWorker } from './bundle.ts'
import { filesBelow, inNewFolder } from './new-folder.ts'

let folder: Awaited<ReturnType<typeof inNewFolder>>
let worker: string
beforeAll(async () => {
  folder = await inNewFolder()
  worker = await bundleWorker('counter-worker.ts', dirname(folder.path))
})
afterAll(() => folder.remove())

it('8 processes commit 200 times each: 1,600 effects, none lost, none twice', async () => {
  const reports = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const child = startWorker(worker, [folder.path, `p${i}`, '200'])
      const [[report], [code]] = await Promise.all([once(child, 'message'), once(child, 'exit')])
      expect(code).toBe(0)
      return report
    }),
  )
  const value = await fsStore(folder.path).get('history')
  const history: string[] = JSON.parse(new TextDecoder().decode(value?.bytes))
  expect(history).toHaveLength(1600)
  expect(new Set(history).size).toBe(1600)
  for (const [i, { done }] of reports.entries()) {
    expect(done).toHaveLength(200)
    // In the order in which that process was told so.
    expect(history.filter((effect) => effect.startsWith(`p${i}-`))).toEqual(done)
  }
  // They did meet, or this would prove nothing.
  expect(reports.reduce((sum, { conflicts }) => sum + conflicts, 0)).toBeGreaterThan(100)
  // Nothing is left of the 1,599 values that were replaced.
  expect((await filesBelow(folder.path)).filter((name) => /(v|now)-/.test(name))).toHaveLength(2)
  expect((await filesBelow(folder.path)).filter((name) => /^aside./.test(name))).toEqual([])
})
