import { once } from 'node:events'
import { dirname } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fsStore } from '../../src/stores/fs.ts'
import { all, text } from '../conformance/store.ts'
import { bundleWorker, startWorker } from './bundle.ts'
import { inNewFolder } from './new-folder.ts'

let folder: Awaited<ReturnType<typeof inNewFolder>>
let worker: string
beforeAll(async () => {
  folder = await inNewFolder()
  worker = await bundleWorker('crash-worker.ts', dirname(folder.path))
})
afterAll(() => folder.remove())

const whole = (bytes: Uint8Array | undefined) => {
  const [first = '', ...rest] = new TextDecoder().decode(bytes).split(';')
  expect(rest.pop()).toBe('')
  expect(rest.every((part) => part === first)).toBe(true)
  const i = Number(first.split('.')[1])
  expect(rest).toHaveLength((i * 7919) % 4_000)
  return first
}

it('30 kills: all that was acknowledged is there and whole, and the store works on', async () => {
  let acknowledged = 0
  for (let round = 0; round < 30; round++) {
    const child = startWorker(worker, [folder.path, `r${round}`])
    const lines: string[] = []
    let rest = ''
    const enough = new Promise<void>((resolve) => {
      child.stdout?.on('data', (data: Buffer) => {
        const parts = (rest + data).split('\n')
        rest = parts.pop() ?? ''
        lines.push(...parts)
        if (lines.length > 10) resolve()
      })
    })
    const closed = once(child, 'close')
    await enough
    // At another moment of the writing each time.
    await new Promise((resolve) => setTimeout(resolve, (round * 7) % 23))
    child.kill('SIGKILL')
    await closed
    acknowledged += lines.length

    const store = fsStore(folder.path)
    const heads: number[] = []
    for (const line of lines) {
      const [key = '', what = ''] = line.split(' ')
      if (key === 'head') heads.push(Number(what))
      else if (what === 'deleted') expect(await store.get(key)).toBeUndefined()
      else expect(whole((await store.get(key))?.bytes)).toBe(`r${round}.${what}`)
    }
    // The last head acknowledged, or the one that was on its way.
    const head = whole((await store.get('head'))?.bytes)
    const last = heads.at(-1)
    if (last !== undefined) expect([`r${round}.${last}`, `r${round}.${last + 1}`]).toContain(head)
    for (const key of await all(store, '', 1000)) {
      expect(key).toMatch(/^(packs\/[0-2]\/r\d+-\d+|head|gone\/\d+|after\/\d+)$/)
      // Each round its own keys, the last one those of all.
      if (key.startsWith(round === 29 ? 'packs/' : `packs/${key.charAt(6)}/r${round}-`))
        whole((await store.get(key))?.bytes)
    }
    await store.put(`after/${round}`, text('works'), { ifAbsent: true })
    await store.put('head', text('r0.0;'))
    await store.close?.()
  }
  expect(acknowledged).toBeGreaterThan(300)
})
