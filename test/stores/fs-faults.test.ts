import { describe, expect, it } from 'vitest'
import { isTidemarkError } from '../../src/errors.ts'
import { fsStore } from '../../src/stores/fs.ts'
import type { FsIo } from '../../src/stores/fs-io.ts'
import type { Store } from '../../src/stores/store.ts'
import { read, text } from '../conformance/store.ts'
import { type Fault, faultyIo, systemError } from './faulty-io.ts'
import { filesBelow, inNewFolder } from './new-folder.ts'

interface Scenario {
  readonly name: string
  readonly before: readonly Step[]
  readonly step: Step
  readonly old: string | undefined
  readonly now: string | undefined
  readonly linkless?: boolean
}

type Step = (store: Store) => Promise<unknown>

const put =
  (value: string): Step =>
  (store) =>
    store.put('dir/key', text(value))
const create =
  (value: string): Step =>
  (store) =>
    store.put('dir/key', text(value), { ifAbsent: true })
const swap =
  (value: string): Step =>
  async (store) => {
    const { etag = 'none' } = (await store.get('dir/key')) ?? {}
    return store.put('dir/key', text(value), { ifMatch: etag })
  }
const remove: Step = (store) => store.delete('dir/key')

const scenarios: readonly Scenario[] = [
  { name: 'first put into a new store', before: [], step: create('new'), old: undefined, now: 'new' },
  {
    name: 'create',
    before: [(store) => store.put('dir/other', text('x'))],
    step: create('new'),
    old: undefined,
    now: 'new',
  },
  { name: 'create empty', before: [], step: create(''), old: undefined, now: '' },
  { name: 'replace the first value', before: [put('old')], step: swap('new'), old: 'old', now: 'new' },
  { name: 'replace a later value', before: [put('older'), put('old')], step: swap('new'), old: 'old', now: 'new' },
  { name: 'replace by nothing', before: [put('old')], step: put(''), old: 'old', now: '' },
  { name: 'delete the first value', before: [put('old')], step: remove, old: 'old', now: undefined },
  { name: 'delete a later value', before: [put('older'), put('old')], step: remove, old: 'old', now: undefined },
  { name: 'create again', before: [put('older'), remove], step: create('new'), old: undefined, now: 'new' },
  { name: 'create without hard links', before: [], step: create('new'), old: undefined, now: 'new', linkless: true },
  {
    name: 'replace without hard links',
    before: [put('old')],
    step: swap('new'),
    old: 'old',
    now: 'new',
    linkless: true,
  },
]

describe.concurrent.each(scenarios)('$name', ({ before, step, old, now, linkless = false }) => {
  const io = (fault: Fault): FsIo =>
    faultyIo((call, path) => fault(call, path) ?? (linkless && call === 'link' ? systemError('EPERM') : undefined))
  const none: Fault = () => undefined

  async function scene(fault: Fault, check: (path: string, result: PromiseSettledResult<unknown>) => Promise<void>) {
    const { path, remove: tidy } = await inNewFolder()
    try {
      for (const earlier of before) await earlier(fsStore(path, { io: io(none) }))
      const [result] = await Promise.allSettled([step(fsStore(path, { io: io(fault) }))])
      await check(path, result)
    } finally {
      await tidy()
    }
  }

  it('each call failing once: a typed error, nothing half-visible, nothing left, a retry works', async () => {
    let calls = 0
    for (let failed = 'not yet', n = 1; failed !== ''; n++) {
      let seen = 0
      const code = n % 2 ? 'ENOSPC' : 'EIO'
      failed = ''
      const fault: Fault = (call, path) => {
        if (++seen !== n) return undefined
        failed = `${n}: ${call} ${path.replace(/^.*\/store/, '')}`
        return systemError(code)
      }
      await scene(fault, async (path, result) => {
        const store = fsStore(path, { io: io(none) })
        const value = read(await store.get('dir/key'))
        if (result.status === 'fulfilled') expect([failed, value]).toEqual([failed, now])
        else {
          expect([old, now]).toContain(value)
          expect(isTidemarkError(result.reason) || result.reason).toBe(true)
          expect(result.reason).toMatchObject({
            name: 'UnavailableError',
            code: code === 'EIO' ? 'store-io' : 'disk-full',
            cause: { code },
          })
          expect(result.reason.message).toContain(path)
        }
        // A swap that could not be made durable keeps the file of the old value: after a power cut it may be the current one again.
        const undone = result.status === 'rejected' && value === now && old !== now
        const left = (await leftovers(path)).filter((name) => !(undone && /#h\/v-/.test(name)))
        expect([failed, left]).toEqual([failed, []])
        await store.put('dir/key', text('retried'))
        expect(read(await store.get('dir/key'))).toBe('retried')
      })
      calls = n
    }
    // The scenario was walked to its end: an ordinary put makes this many calls.
    expect(calls).toBeGreaterThan(8)
  })

  it('a crash after each call: the old value or the new one, and the store works on', async () => {
    let calls = 0
    for (let crashed = true, n = 0; crashed; n++) {
      let seen = 0
      const fault: Fault = () => (++seen > n ? systemError('EIO') : undefined)
      await scene(fault, async (path, result) => {
        const store = fsStore(path, { io: io(none) })
        const value = read(await store.get('dir/key'))
        expect([old, now]).toContain(value)
        if (result.status === 'fulfilled') expect(value).toBe(now)
        const { entries } = await store.list('')
        expect(entries.filter(({ key }) => key !== 'dir/key' && key !== 'dir/other')).toEqual([])
        expect(entries.some(({ key }) => key === 'dir/key')).toBe(value !== undefined)
        await swap('after')(store).catch(() => create('after')(store))
        expect(read(await store.get('dir/key'))).toBe('after')
        await store.delete('dir/key')
        expect(await store.get('dir/key')).toBeUndefined()
        await create('again')(store)
      })
      crashed = seen > n
      calls = n
    }
    expect(calls).toBeGreaterThan(8)
  })
})

it('a read that fails is a typed error, and the next one works', async () => {
  const { path, remove: tidy } = await inNewFolder()
  for (const value of ['first', 'second']) await put(value)(fsStore(path))
  for (const verb of [
    (store: Store) => store.get('dir/key'),
    (store: Store) => store.list('', { values: true }),
    (store: Store) => store.list(''),
  ]) {
    let calls = 0
    for (let failed = true, n = 1; failed; n++) {
      let seen = 0
      const store = fsStore(path, { io: faultyIo(() => (++seen === n ? systemError('EIO') : undefined)) })
      const [result] = await Promise.allSettled([verb(store)])
      failed = seen >= n
      seen = n
      calls = n
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'store-io' })
      expect(read(await store.get('dir/key'))).toBe('second')
    }
    expect(calls).toBeGreaterThan(5)
  }
  await tidy()
})

it.each([
  ['EACCES', 'PermissionError', 'store-permission'],
  ['EPERM', 'PermissionError', 'store-permission'],
  ['EROFS', 'PermissionError', 'store-read-only'],
  ['ENAMETOOLONG', 'InvalidInputError', 'store-path-too-long'],
  ['EMFILE', 'UnavailableError', 'too-many-open-files'],
  ['EBUSY', 'UnavailableError', 'store-io'],
])('%s is a %s', async (code, category, ours) => {
  const { path, remove: tidy } = await inNewFolder()
  const store = fsStore(path, { io: faultyIo((call) => (call === 'open create' ? systemError(code) : undefined)) })
  await expect(store.put('a', text('x'))).rejects.toMatchObject({
    name: category,
    code: ours,
    fields: { key: 'a', errno: code },
  })
  expect(await filesBelow(path)).toEqual(['aside'])
  await tidy()
})

/** Files that no reader needs: what lies aside, and values in a history that are not the current one. */
async function leftovers(path: string): Promise<string[]> {
  const files = await filesBelow(path)
  return files.filter((name) => {
    if (/^aside./.test(name)) return true
    const value = /^(.*\/)v-([0-9a-f]+)$/.exec(name)
    return value !== null && !files.includes(`${value[1]}now-${value[2]}`)
  })
}
