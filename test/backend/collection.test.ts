import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { routes } from '../../src/protocol/routes.ts'
import type { CollectReply, PageReply, VersionWire } from '../../src/protocol/shapes.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { Caller, noise } from '../conformance/backend-caller.ts'
import { copyStore, type FaultPoint, faultyStore } from './faulty-store.ts'

const minute = 60_000

interface Bench {
  readonly store: Store
  readonly call: Caller
  /** Adds to the backend's clock. */
  wait(ms: number): void
  collect(options?: object): Promise<CollectReply>
}

function bench(store: Store = memoryStore()): Bench {
  let offset = 0
  const backend = createBackend({ records: store, blobs: store, now: () => Date.now() + offset })
  const call = new Caller(backend.fetch)
  return {
    store,
    call,
    wait: (ms) => {
      offset += ms
    },
    collect: (options = { graceMs: 0 }) => call.json('POST', routes.collect(), options),
  }
}

async function packKeys(store: Store): Promise<string[]> {
  return (await store.list('packs/')).entries.map(({ key }) => key)
}

async function everything(store: Store): Promise<Map<string, string>> {
  const page = await store.list('', { values: true })
  return new Map(page.entries.map(({ key, bytes, etag }) => [key, `${etag} ${bytes?.length}`]))
}

/** A file large enough to lie in a pack object. */
const file = (seed: number) => noise(20_000, seed)

async function readAll(call: Caller, name: string): Promise<Record<string, Record<string, string>>> {
  const read: Record<string, Record<string, string>> = {}
  const reply = await call.ask('GET', `${routes.versions('default', name)}?limit=1000`)
  if (reply.status === 404) return read
  const { items }: PageReply<VersionWire> = await reply.json()
  for (const { index } of items) read[index] = await call.files(await call.version(name, `v${index}`))
  return read
}

describe('a collection', () => {
  it('frees what only a deleted version needs, and leaves the rest', async () => {
    const { store, call, collect } = bench()
    const { version } = await call.log('flowers', { shared: file(1), first: file(2) })
    await call.log('flowers', { shared: file(1), second: file(3) }, { baseVersion: version })
    await call.log('trees', { own: file(4) })
    const before = [await readAll(call, 'flowers'), await readAll(call, 'trees')]
    expect(await collect()).toMatchObject({ packsDeleted: 0, packsRewritten: 0, bytesFreed: 0 })
    await call.json('DELETE', routes.version('default', 'flowers', 1))
    const freed = await collect()
    expect(freed.packsDeleted).toBe(1)
    expect(freed.bytesFreed).toBeGreaterThan(20_000)
    expect(freed.packsKept).toBe(2)
    expect(await readAll(call, 'flowers')).toEqual({ 0: before[0][0] })
    expect(await readAll(call, 'trees')).toEqual(before[1])
    expect(await collect()).toMatchObject({ packsDeleted: 0, bytesFreed: 0 })
    await call.json('DELETE', routes.artifact('default', 'flowers'))
    await call.json('DELETE', routes.artifact('default', 'trees'))
    await collect()
    expect(await packKeys(store)).toEqual([])
    // The tombstones keep their numbers and nothing else.
    const records = (await store.list('artifacts/', { values: true })).entries.filter(({ key }) => key.includes('/v/'))
    expect(records).toHaveLength(3)
    for (const { size } of records) expect(size).toBeLessThan(250)
    expect((await call.log('flowers', { a: 'x' })).version.index).toBe(2)
  })

  it('keeps the small pack of a deleted version while a later one needs it', async () => {
    const { store, call, collect } = bench()
    const text = 'a text that is kept'.repeat(20)
    const { version } = await call.log('flowers', { kept: text, gone: 'gone' })
    const next = await call.log('flowers', { kept: text, new: 'new' }, { baseVersion: version })
    await call.json('DELETE', routes.version('default', 'flowers', 0))
    await collect()
    expect(await call.files(next.version)).toEqual({ kept: text, new: 'new' })
    await call.json('DELETE', routes.version('default', 'flowers', 1))
    await collect()
    expect((await bench(store).call.range('@default/flowers:0')).reply.status).toBe(404)
    expect(await packKeys(store)).toEqual([])
  })

  it('frees what was never committed once it is old enough', async () => {
    const { store, call, collect, wait } = bench()
    const written = await call.write({ a: file(1) })
    await collect({})
    expect(await packKeys(store)).toHaveLength(1)
    wait(25 * 60 * minute)
    expect(await collect({ graceMs: 26 * 60 * minute })).toMatchObject({ packsDeleted: 0 })
    expect(await collect({})).toMatchObject({ packsDeleted: 1 })
    expect(await call.failure('POST', routes.versions('default', 'flowers'), call.request(written))).toMatchObject({
      status: 404,
      code: 'pack-missing',
    })
    await call.log('flowers', { a: file(1) })
    expect(Object.keys(await readAll(call, 'flowers'))).toEqual(['0'])
  })

  it('changes nothing on a dry run, and tells what it would free', async () => {
    const { store, call, collect } = bench()
    const { version } = await call.log('flowers', { a: file(1), b: file(2), c: file(3) })
    await call.log('flowers', { a: file(1) }, { baseVersion: version })
    await call.log('trees', { a: file(9) })
    await call.json('DELETE', routes.version('default', 'flowers', 0))
    await call.json('DELETE', routes.artifact('default', 'trees'))
    const before = await everything(store)
    const told = await collect({ dryRun: true })
    expect(await everything(store)).toEqual(before)
    expect(told).toMatchObject({ packsDeleted: 1, packsRewritten: 1 })
    expect(await collect()).toEqual(told)
  })

  it('makes a pack smaller of which only a part is needed, again and again, and lets go of it in the end', async () => {
    const { store, call, collect } = bench()
    const all = Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => [`file-${seed}`, file(seed)]))
    const { version } = await call.log('flowers', all)
    const four = Object.fromEntries(Object.entries(all).slice(2, 6))
    const second = await call.log('flowers', four, { baseVersion: version })
    await call.log('flowers', { 'file-4': file(4) }, { baseVersion: second.version })
    const before = await readAll(call, 'flowers')
    const bytes = async () => (await store.list('packs/')).entries.reduce((sum, { size }) => sum + size, 0)
    await call.json('DELETE', routes.version('default', 'flowers', 0))
    expect(await collect()).toMatchObject({ packsRewritten: 1, packsDeleted: 0 })
    expect(await bytes()).toBeLessThan(4 * 20_000 + 5_000)
    expect(await readAll(call, 'flowers')).toEqual({ 1: before[1], 2: before[2] })
    await call.json('DELETE', routes.version('default', 'flowers', 1))
    expect(await collect()).toMatchObject({ packsRewritten: 1 })
    expect(await bytes()).toBeLessThan(20_000 + 5_000)
    expect(await readAll(call, 'flowers')).toEqual({ 2: before[2] })
    // The same content again: the whole pack comes back beside what is left of it.
    const again = await call.log('copies', all)
    expect(await call.files(again.version)).toEqual(before[0])
    expect(await readAll(call, 'flowers')).toEqual({ 2: before[2] })
    await call.json('DELETE', routes.artifact('default', 'copies'))
    await collect()
    expect(await readAll(call, 'flowers')).toEqual({ 2: before[2] })
    await call.json('DELETE', routes.version('default', 'flowers', 2))
    await collect()
    expect(await packKeys(store)).toEqual([])
  })

  it('deletes nothing when a page is damaged or missing, and says which', async () => {
    const { store, call, collect } = bench()
    const { version } = await call.log('flowers', { a: file(1) })
    await call.log('trees', { a: file(2) })
    await call.json('DELETE', routes.artifact('default', 'trees'))
    const key = (await packKeys(store)).find((one) => one.endsWith(version.manifest?.pack ?? '-'))
    const { bytes } = (await store.get(key ?? '')) ?? { bytes: new Uint8Array(0) }
    const damaged = bytes.slice()
    damaged[(version.manifest?.offset ?? 0) + 3] ^= 1
    await store.put(key ?? '', damaged)
    const keys = await packKeys(store)
    const failure = await call.failure('POST', routes.collect(), { graceMs: 0 })
    expect(failure).toMatchObject({ status: 500, code: 'chunk-damaged' })
    expect(failure.msg).toContain('flowers:v0')
    expect(await packKeys(store)).toEqual(keys)
    await store.delete(key ?? '')
    expect(await call.failure('POST', routes.collect(), { graceMs: 0 })).toMatchObject({ code: 'pack-missing' })
    await store.put(key ?? '', bytes)
    expect(await collect()).toMatchObject({ packsDeleted: 1 })
  })

  it('is one at a time; one that died is taken over', async () => {
    const inner = memoryStore()
    const { call } = bench(inner)
    await call.log('flowers', { a: file(1) })
    await call.json('DELETE', routes.artifact('default', 'flowers'))
    const faulty = faultyStore({ ...inner, delete: () => Promise.reject(new Error('died')) })
    const dying = createBackend({ records: faulty, blobs: faulty })
    const reply = await new Caller(dying.fetch).ask('POST', routes.collect(), { body: {} })
    expect(reply.status).toBe(500)
    const later = bench(inner)
    expect(await later.call.failure('POST', routes.collect(), {})).toMatchObject({
      status: 409,
      code: 'collection-running',
    })
    later.wait(6 * minute)
    expect(await later.collect({})).toMatchObject({ packsDeleted: 1 })
  })

  it('refuses what it does not know', async () => {
    const { call } = bench()
    for (const body of [{ dryrun: true }, { graceMs: -1 }, { graceMs: '1' }, []])
      expect(await call.failure('POST', routes.collect(), body)).toMatchObject({ status: 400 })
  })
})

/** Calls `during` once, right after the operation that `isIt` recognises. */
function interrupted(store: Store, isIt: (verb: string, key: string) => boolean, during: () => Promise<void>): Store {
  let done = false
  const after = async <T>(verb: string, key: string, result: Promise<T>): Promise<T> => {
    const value = await result
    if (!done && isIt(verb, key)) {
      done = true
      await during()
    }
    return value
  }
  return {
    uri: store.uri,
    get: (key, options) => after('get', key, store.get(key, options)),
    put: (key, bytes, options) => after('put', key, store.put(key, bytes, options)),
    delete: (key, options) => after('delete', key, store.delete(key, options)),
    list: (prefix, options) => after('list', prefix, store.list(prefix, options)),
  }
}

describe('a commit during a collection', () => {
  const moments: [string, (verb: string, key: string) => boolean][] = [
    ['when all is marked', (verb, key) => verb === 'list' && key === 'packs/'],
    ['when packs are condemned', (verb, key) => verb === 'put' && key === 'gc/condemned'],
    ['when packs are being deleted', (verb, key) => verb === 'delete' && key.startsWith('packs/')],
  ]

  it.each(moments)('of content that is about to go, %s, is told or kept', async (_, isIt) => {
    const store = memoryStore()
    const outside = bench(store)
    const { version } = await outside.call.log('flowers', { a: file(1), b: file(2) })
    const written = await outside.call.write({ a: file(1), c: file(3) }, outside.call.reader(version))
    await outside.call.json('DELETE', routes.version('default', 'flowers', 0))
    const statuses: number[] = []
    const inside = bench(
      interrupted(store, isIt, async () => {
        // On a base that was deleted: refused. All of it again: kept.
        const onBase = outside.call.request(written, { base: { workspace: 'default', name: 'flowers', index: 0 } })
        statuses.push((await outside.call.ask('POST', routes.versions('default', 'flowers'), { body: onBase })).status)
        await outside.call.log('flowers', { a: file(1), b: file(2) })
      }),
    )
    await inside.collect()
    expect(statuses).toEqual([409])
    const kept = await readAll(outside.call, 'flowers')
    expect(Object.values(kept)).toHaveLength(1)
    outside.wait(48 * 60 * minute)
    await outside.collect()
    expect(await readAll(outside.call, 'flowers')).toEqual(kept)
    await outside.call.json('DELETE', routes.artifact('default', 'flowers'))
    await outside.collect()
    expect(await packKeys(store)).toEqual([])
  })

  it.each(moments)('that was begun before, %s, is never acknowledged without its bytes', async (_, isIt) => {
    const store = memoryStore()
    const outside = bench(store)
    const { version } = await outside.call.log('flowers', { a: file(1), b: file(2) })
    // Sent, but not committed: with no grace this is garbage.
    const written = await outside.call.write({ a: file(1), c: file(3) }, outside.call.reader(version))
    const outcome: string[] = []
    const inside = bench(
      interrupted(store, isIt, async () => {
        const request = outside.call.request(written, { baseVersion: version })
        const reply = await outside.call.ask('POST', routes.versions('default', 'flowers'), { body: request })
        outcome.push(reply.status === 200 ? 'created' : (await reply.json()).tidemark.code)
      }),
    )
    await inside.collect()
    const versions = await readAll(outside.call, 'flowers')
    expect(Object.keys(versions)).toEqual(outcome[0] === 'created' ? ['0', '1'] : ['0'])
    expect(['created', 'base-gone', 'pack-missing']).toContain(outcome[0])
    expect(
      (await outside.call.log('flowers', { a: file(1), c: file(3) }, { baseVersion: version })).version.version,
    ).toMatch(/^\d\.0\.0$/)
    expect(Object.keys((await readAll(outside.call, 'flowers'))[0])).toEqual(['a', 'b'])
  })
})

describe('a collection that fails or dies at any operation', () => {
  it.each<[FaultPoint]>([['before'], ['after']])(
    '(%s it took effect) loses nothing, and the next one finishes',
    async (point) => {
      const prepared = memoryStore()
      const start = bench(prepared)
      const { version } = await start.call.log('flowers', { a: file(1), b: file(2), c: file(3), d: file(4) })
      await start.call.log('flowers', { a: file(1) }, { baseVersion: version })
      await start.call.log('trees', { a: file(5) })
      await start.call.log('birds', { a: file(6) })
      await start.call.json('DELETE', routes.version('default', 'flowers', 0))
      await start.call.json('DELETE', routes.artifact('default', 'trees'))
      const kept = [await readAll(start.call, 'flowers'), await readAll(start.call, 'birds')]
      let n = 0
      let operations: number
      do {
        n++
        const inner = memoryStore()
        await copyStore(prepared, inner)
        const store = faultyStore(inner)
        const dying = bench(store)
        store.failAt(n, point, true)
        await dying.call.ask('POST', routes.collect(), { body: { graceMs: 0 } })
        operations = store.operations
        const { call, wait, collect } = bench(inner)
        expect([await readAll(call, 'flowers'), await readAll(call, 'birds')]).toEqual(kept)
        const back = await call.log('trees', { a: file(5) })
        expect(Object.keys(await call.files(back.version))).toEqual(['a'])
        wait(6 * minute)
        await collect()
        expect([await readAll(call, 'flowers'), await readAll(call, 'birds')]).toEqual(kept)
        expect(Object.keys(await call.files(back.version))).toEqual(['a'])
        wait(48 * 60 * minute)
        await collect()
        expect(await packKeys(inner)).toHaveLength(3)
        const size = (await inner.list('packs/')).entries.reduce((sum, one) => sum + one.size, 0)
        expect(size).toBeLessThan(3 * 25_000)
      } while (operations >= n)
      expect(n).toBeGreaterThan(20)
    },
  )
})

describe('any history', () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('log' as const),
        files: fc.subarray([1, 2, 3, 4, 5]),
        artifact: fc.constantFrom('a', 'b'),
        onBase: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('delete' as const),
        artifact: fc.constantFrom('a', 'b'),
        index: fc.nat(6),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), artifact: fc.constantFrom('a', 'b') }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('collect' as const), graceMs: fc.constantFrom(0, 1_000_000) }),
    },
  )

  it('of logging, deleting and collecting leaves every live version readable', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), fc.boolean(), async (steps, together) => {
        const { call, collect } = bench()
        const run = async (one: (typeof steps)[number]) => {
          if (one.do === 'collect') {
            const reply = await call.ask('POST', routes.collect(), { body: { graceMs: one.graceMs } })
            expect([200, 409]).toContain(reply.status)
          } else if (one.do === 'drop') await call.ask('DELETE', routes.artifact('default', one.artifact))
          else if (one.do === 'delete') await call.ask('DELETE', routes.version('default', one.artifact, one.index))
          else {
            const files = Object.fromEntries(one.files.map((seed) => [`f${seed}`, noise(9_000, seed)]))
            const latest = await call.ask('GET', `${routes.versions('default', one.artifact)}?select=latest`)
            const base: VersionWire | undefined = one.onBase && latest.status === 200 ? await latest.json() : undefined
            try {
              await call.log(one.artifact, files, base && { baseVersion: base })
            } catch (error) {
              // With no grace a collection may take an upload, or the base, from under a commit: it must say so.
              if (!together || !/base-gone|pack-missing/.test(String(error))) throw error
            }
          }
        }
        // In pairs at once, or one after another.
        for (let at = 0; at < steps.length; at += together ? 2 : 1)
          await Promise.all(steps.slice(at, at + (together ? 2 : 1)).map(run))
        const before = [await readAll(call, 'a'), await readAll(call, 'b')]
        await collect()
        expect([await readAll(call, 'a'), await readAll(call, 'b')]).toEqual(before)
      }),
      { numRuns: 60 },
    )
  })
})
