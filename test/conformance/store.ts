import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compareKeys } from '../../src/stores/key-order.ts'
import type { ListEntry, Store } from '../../src/stores/store.ts'
import { hostileKeys, invalidKeys } from './store-keys.ts'

/** What the suite needs of a store: itself, another instance over the same data, and a way to be rid of both. */
export interface StoreUnderTest {
  readonly store: Store
  again(): Promise<Store>
  dispose(): Promise<void> | void
}

/** What every `Store` promises, as tests. A new store begins as one line that calls this and fails. */
export function storeConformance(
  name: string,
  open: () => Promise<StoreUnderTest>,
  /** How many keys are listed: fewer, but more than a page, where every write is a round trip. */
  { many = 10_000 }: { many?: number } = {},
): void {
  describe(`${name} conforms`, () => {
    let under: StoreUnderTest
    let store: Store
    beforeEach(async () => {
      under = await open()
      store = under.store
    })
    afterEach(() => under.dispose())

    describe('values', () => {
      it('gives back what was put, in a new instance too', async () => {
        const { etag } = await store.put('a/b', text('hello'))
        expect(await store.get('a/b')).toEqual({ bytes: text('hello'), etag, size: 5 })
        expect(await (await under.again()).get('a/b')).toEqual({ bytes: text('hello'), etag, size: 5 })
      })

      it('replaces, with a shorter value too', async () => {
        await store.put('a', text('a long value'))
        await store.put('a', text('short'))
        await store.put('a', text('s'))
        expect(read(await store.get('a'))).toBe('s')
      })

      it('keeps empty values, at first and later', async () => {
        const { etag } = await store.put('empty', new Uint8Array(0))
        expect(await store.get('empty')).toEqual({ bytes: new Uint8Array(0), etag, size: 0 })
        expect(await page(store, 'empty')).toEqual(['empty'])
        await expect(store.put('empty', text('x'), { ifAbsent: true })).rejects.toMatchObject({
          code: 'store-conflict',
        })
        await store.put('empty', text('full'), { ifMatch: etag })
        await store.put('empty', new Uint8Array(0))
        expect((await store.get('empty'))?.size).toBe(0)
        await store.delete('empty')
        expect(await store.get('empty')).toBeUndefined()
      })

      it('keeps values of a few megabytes', async () => {
        const bytes = pattern(3_000_001)
        await store.put('big', bytes)
        expect(same((await store.get('big'))?.bytes, bytes)).toBe(true)
        await store.put('big', bytes.subarray(1))
        expect(same((await store.get('big'))?.bytes, bytes.subarray(1))).toBe(true)
      })

      it('takes views at odd offsets, leaves them alone, and does not keep them', async () => {
        for (const value of [0, 1, 3, 64, 4097]) {
          const buffer = pattern(8192)
          const view = buffer.subarray(value, value + 1 + value)
          const before = view.slice()
          const around = buffer.slice()
          await store.put('view', view)
          expect(buffer).toEqual(around)
          buffer.fill(0)
          expect(same((await store.get('view'))?.bytes, before)).toBe(true)
        }
      })

      it('gives bytes that later writes do not change', async () => {
        await store.put('a', text('first'))
        const first = await store.get('a')
        await store.put('a', text('later'))
        await store.delete('a')
        expect(read(first)).toBe('first')
      })

      it('gives as many bytes as there are when they are changed by the reader: the store keeps its own', async () => {
        await store.put('a', text('mine'))
        ;(await store.get('a'))?.bytes.fill(0)
        const [entry] = (await store.list('a', { values: true })).entries
        entry?.bytes?.fill(0)
        expect(read(await store.get('a'))).toBe('mine')
      })
    })

    describe('ranges', () => {
      const whole = pattern(1000)
      const ranges: [start: number, end?: number][] = [
        [0],
        [0, 0],
        [0, 1],
        [0, 1000],
        [0, 1001],
        [1, 1000],
        [17, 18],
        [17, 17],
        [18, 17],
        [999],
        [999, 1000],
        [999, 5000],
        [1000],
        [1000, 1000],
        [1000, 2000],
        [1001],
        [5000, 6000],
        [2 ** 40, 2 ** 41],
        [3, Number.MAX_SAFE_INTEGER],
        [333, 777],
      ]

      it.each(ranges)('from %d to %s gives the bytes there are', async (start, end) => {
        await store.put('value', whole)
        const { etag } = await store.put('value', whole)
        const range = end === undefined ? { start } : { start, end }
        expect(await store.get('value', { range })).toEqual({
          bytes: whole.slice(start, Math.max(start, end ?? 1000)),
          etag,
          size: 1000,
        })
        await store.put('once', whole)
        expect((await store.get('once', { range }))?.bytes).toEqual(whole.slice(start, Math.max(start, end ?? 1000)))
      })

      it('of an empty value and of no value', async () => {
        await store.put('empty', new Uint8Array(0))
        expect((await store.get('empty', { range: { start: 5, end: 9 } }))?.bytes).toEqual(new Uint8Array(0))
        expect(await store.get('none', { range: { start: 0, end: 9 } })).toBeUndefined()
      })

      it.each([
        [-1, 5],
        [0.5, 5],
        [0, -1],
        [Number.NaN, 1],
        [0, Number.POSITIVE_INFINITY],
      ])('refuses %d to %d', async (start, end) => {
        await store.put('value', whole)
        await expect(store.get('value', { range: { start, end } })).rejects.toMatchObject({ code: 'invalid-range' })
      })
    })

    describe('absent keys', () => {
      it('by each verb', async () => {
        expect(await store.get('none')).toBeUndefined()
        expect(await store.get('none/of/these')).toBeUndefined()
        await store.delete('none')
        await store.delete('none/of/these')
        expect(await store.list('none')).toEqual({ entries: [] })
        expect(await store.list('')).toEqual({ entries: [] })
        await expect(store.put('none', text('x'), { ifMatch: 'etag' })).rejects.toMatchObject({
          code: 'store-conflict',
        })
        expect(await store.get('none')).toBeUndefined()
      })

      it('below and above a key that is there', async () => {
        await store.put('a/b', text('x'))
        expect(await store.get('a')).toBeUndefined()
        expect(await store.get('a/b/c')).toBeUndefined()
        await store.delete('a')
        await store.delete('a/b/c')
        expect(await page(store, '')).toEqual(['a/b'])
      })

      it('after a deletion, in both instances', async () => {
        await store.put('a', text('x'))
        await store.put('b', text('x'))
        await store.put('b', text('y'))
        const other = await under.again()
        await other.delete('a')
        await store.delete('b')
        for (const each of [store, other]) {
          expect(await each.get('a')).toBeUndefined()
          expect(await each.get('b')).toBeUndefined()
          expect(await page(each, '')).toEqual([])
          await each.delete('a')
        }
      })
    })

    describe('conditions', () => {
      it('ifAbsent creates once, under two instances', async () => {
        const other = await under.again()
        await store.put('a', text('one'), { ifAbsent: true })
        for (const each of [store, other])
          await expect(each.put('a', text('two'), { ifAbsent: true })).rejects.toMatchObject({
            code: 'store-conflict',
            name: 'ConflictError',
          })
        expect(read(await other.get('a'))).toBe('one')
      })

      it('ifMatch replaces only what was read, under two instances', async () => {
        const other = await under.again()
        const first = await store.put('a', text('one'))
        const second = await other.put('a', text('two'), { ifMatch: first.etag })
        await expect(store.put('a', text('three'), { ifMatch: first.etag })).rejects.toMatchObject({
          code: 'store-conflict',
        })
        const third = await store.put('a', text('three'), { ifMatch: second.etag })
        await expect(other.put('a', text('four'), { ifMatch: second.etag })).rejects.toMatchObject({
          code: 'store-conflict',
        })
        await expect(other.put('a', text('four'), { ifMatch: 'nonsense' })).rejects.toMatchObject({
          code: 'store-conflict',
        })
        expect(await other.get('a')).toMatchObject({ etag: third.etag, bytes: text('three') })
      })

      it('a stale etag stays stale after many replacements', async () => {
        const etags: string[] = []
        for (let i = 0; i < 100; i++) etags.push((await store.put('a', text(`${i}`))).etag)
        const current = etags.pop() ?? ''
        for (const etag of etags)
          await expect(store.put('a', text('stale'), { ifMatch: etag })).rejects.toMatchObject({
            code: 'store-conflict',
          })
        await store.put('a', text('fresh'), { ifMatch: current })
        expect(read(await store.get('a'))).toBe('fresh')
      })

      it('one etag for every verb; a new one for each replacement, by an equal value too', async () => {
        const seen = new Set<string>()
        for (let i = 0; i < 5; i++) {
          const { etag } = await store.put('a', text('same'))
          expect((await store.get('a'))?.etag).toBe(etag)
          expect((await store.get('a', { range: { start: 1, end: 2 } }))?.etag).toBe(etag)
          for (const values of [true, false]) expect((await store.list('a', { values })).entries[0]?.etag).toBe(etag)
          seen.add(etag)
        }
        expect(seen.size).toBe(5)
      })

      it('a key deleted and created again has a new etag, and is absent in between', async () => {
        const seen = new Set<string>()
        for (let i = 0; i < 20; i++) {
          const { etag } = await store.put('a', text('same'), { ifAbsent: true })
          seen.add(etag)
          await store.delete('a')
          await expect(store.put('a', text('x'), { ifMatch: etag })).rejects.toMatchObject({ code: 'store-conflict' })
          expect(await store.get('a')).toBeUndefined()
        }
        expect(seen.size).toBe(20)
      })

      it('refuses two conditions at once, and an empty etag', async () => {
        await expect(store.put('a', text('x'), { ifAbsent: true, ifMatch: 'e' })).rejects.toMatchObject({
          code: 'invalid-condition',
        })
        await expect(store.put('a', text('x'), { ifMatch: '' })).rejects.toMatchObject({ code: 'invalid-condition' })
      })

      it('20 creators: one succeeds', async () => {
        const instances = [store, await under.again()]
        for (const value of ['value', '']) {
          const key = `race${value}`
          const puts = Array.from({ length: 20 }, (_, i) =>
            instance(instances, i).put(key, text(value && `${value}${i}`), { ifAbsent: true }),
          )
          const results = await Promise.allSettled(puts)
          const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.etag] : []))
          expect(won).toHaveLength(1)
          for (const result of results)
            if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'store-conflict' })
          expect((await store.get(key))?.etag).toBe(won[0])
        }
      })

      it('20 concurrent increments, each counted once', async () => {
        const instances = [store, await under.again()]
        await store.put('counter', text('0'))
        await Promise.all(Array.from({ length: 20 }, (_, i) => increment(instance(instances, i), 'counter')))
        expect(read(await store.get('counter'))).toBe('20')
      })

      it('writers and deleters at once leave the last state whole', async () => {
        const instances = [store, await under.again()]
        await Promise.all(
          Array.from({ length: 60 }, (_, i) =>
            i % 3 === 0 ? instance(instances, i).delete('a') : instance(instances, i).put('a', text(`value ${i}`)),
          ),
        )
        const { etag } = await store.put('a', text('last'))
        expect(await instance(instances, 1).get('a')).toMatchObject({ etag, bytes: text('last') })
        expect(await page(store, '')).toEqual(['a'])
      })

      it('a reader sees an old value or a new one, never none and never a mixture', async () => {
        const other = await under.again()
        const values = Array.from({ length: 30 }, (_, i) => new Uint8Array(2000 + i).fill(i))
        await store.put('a', values[0] ?? text(''))
        let done = false
        const writing = (async () => {
          for (const value of values) await store.put('a', value)
          done = true
        })()
        let last = 0
        while (!done) {
          const value = await other.get('a')
          const fill = value?.bytes[0] ?? -1
          expect(fill).toBeGreaterThanOrEqual(last)
          expect(same(value?.bytes, values[fill] ?? text(''))).toBe(true)
          expect((await other.list('a')).entries).toHaveLength(1)
          last = fill
        }
        await writing
      })

      it('a lost reply: the retry conflicts, and the value proves that the first attempt was ours', async () => {
        const first = await store.put('head', text('by: nobody'))
        for (const options of [{ ifMatch: first.etag }, { ifAbsent: true }]) {
          const key = 'ifMatch' in options ? 'head' : 'created'
          const attempt = () => store.put(key, text('by: write 7'), options)
          const lossy = async () => {
            await attempt()
            throw new TypeError('fetch failed')
          }
          await expect(lossy()).rejects.toThrow('fetch failed')
          await expect(attempt()).rejects.toMatchObject({ name: 'ConflictError', code: 'store-conflict' })
          expect(read(await store.get(key))).toBe('by: write 7')
        }
      })
    })

    describe('list', () => {
      it('by prefix, which may end anywhere', async () => {
        const keys = ['a', 'a/b', 'a/bc/d', 'a/bd', 'a/c', 'ab', 'b/a', 'a-b', 'a.b', 'a0']
        for (const key of keys) await store.put(key, text(key))
        for (const prefix of [
          '',
          'a',
          'a/',
          'a/b',
          'a/bc',
          'a/bc/',
          'a/bc/d',
          'a/bc/d/',
          'b',
          'c',
          'a/z',
          'aa',
          '/',
          'a//',
          '//',
        ])
          expect([prefix, await page(store, prefix)]).toEqual([
            prefix,
            keys.filter((key) => key.startsWith(prefix)).sort(compareKeys),
          ])
      })

      it('tells size, etag and time, and the value when asked', async () => {
        const before = Date.now()
        const { etag } = await store.put('r/1', text('one'))
        await store.put('r/2', text('x'))
        const two = await store.put('r/2', text('three'))
        const { entries } = await store.list('r/')
        expect(entries).toEqual([
          { key: 'r/1', size: 3, etag, modified: entries[0]?.modified },
          { key: 'r/2', size: 5, etag: two.etag, modified: entries[1]?.modified },
        ])
        // A clock apart and the coarse times of some file systems.
        for (const { modified } of entries) expect(Math.abs(modified - before)).toBeLessThan(60_000)
        const valued = await store.list('r/', { values: true })
        expect(valued.entries.map((entry) => entry.bytes)).toEqual([text('one'), text('three')])
        expect(valued.entries.map(({ key, size, etag: tag }) => [key, size, tag])).toEqual(
          entries.map(({ key, size, etag: tag }) => [key, size, tag]),
        )
      })

      it('pages, with after and limit', async () => {
        const keys = Array.from({ length: 25 }, (_, i) => `p/${String(i).padStart(2, '0')}`)
        for (const key of keys) await store.put(key, text(key))
        for (const limit of [1, 5, 24, 25, 26]) expect(await all(store, 'p/', limit)).toEqual(keys)
        expect(await store.list('p/', { limit: 25 })).not.toHaveProperty('next')
        expect((await store.list('p/', { limit: 24 })).next).toBe('p/23')
        expect((await store.list('p/', { after: 'p/22x' })).entries.map(({ key }) => key)).toEqual(['p/23', 'p/24'])
        expect((await store.list('p/', { after: 'a' })).entries).toHaveLength(25)
        expect((await store.list('p/', { after: 'q' })).entries).toHaveLength(0)
        expect((await store.list('', { after: 'p/' })).entries).toHaveLength(25)
      })

      it.each([0, -1, 1001, 1.5, Number.NaN])('refuses the limit %d', async (limit) => {
        await expect(store.list('', { limit })).rejects.toMatchObject({ code: 'invalid-limit' })
      })

      it(`${many} keys, in key order, each once`, async () => {
        const keys = Array.from(
          { length: many },
          (_, i) => `many/${i % 7 ? 'low' : `High/${i % 11}`}/${i.toString(36)}`,
        )
        await inParallel(keys, 64, (key) => store.put(key, text('v'), { ifAbsent: true }))
        keys.sort(compareKeys)
        expect(await all(store, 'many/', 1000)).toEqual(keys)
        expect(await all(store, 'many/H', 999)).toEqual(keys.filter((key) => key.startsWith('many/H')))
        expect((await store.list('many/', { after: keys[many / 2 - 1] ?? '' })).entries[0]?.key).toBe(keys[many / 2])
      })

      it('a key there all the time is seen once while others come and go', async () => {
        const stay = Array.from({ length: 40 }, (_, i) => `s/${i}`)
        for (const key of stay) await store.put(key, text('x'))
        let after: string | undefined
        const seen: string[] = []
        for (let i = 0; ; i++) {
          const { entries, next } = await store.list('s/', after === undefined ? { limit: 7 } : { limit: 7, after })
          seen.push(...entries.map(({ key }) => key))
          if (next === undefined) break
          after = next
          await store.put(`s/${i}-new`, text('x'))
          await store.put(`s/${i}`, text('changed'))
          await store.delete(`s/${i - 1}-new`)
        }
        expect(seen.filter((key) => stay.includes(key)).sort()).toEqual([...stay].sort())
        expect(new Set(seen).size).toBe(seen.length)
      })
    })

    describe('keys', () => {
      it(`keeps ${hostileKeys.length} hostile keys apart, in order`, async () => {
        await inParallel(hostileKeys, 8, (key) => store.put(key, text(key), { ifAbsent: true }))
        const other = await under.again()
        const keys = [...hostileKeys].sort(compareKeys)
        for (const key of keys) expect(read(await other.get(key))).toBe(key)
        expect(await all(other, '', 13)).toEqual(keys)
        const { entries } = await other.list('', { values: true })
        for (const { key, bytes } of entries)
          expect(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)).toBe(key)
        for (const key of keys) expect((await other.list(key, { limit: 1 })).entries[0]?.key).toBe(key)
        for (const key of keys) await store.put(key, text(`${key}!`))
        for (const key of keys) expect(read(await other.get(key))).toBe(`${key}!`)
        for (const [i, key] of keys.entries()) if (i % 2) await store.delete(key)
        expect(await all(other, '', 1000)).toEqual(keys.filter((_, i) => i % 2 === 0))
      })

      it.each(invalidKeys)('refuses %j by each verb', async (key) => {
        const refusal = { name: 'InvalidInputError', code: 'invalid-key' }
        await expect(store.get(key)).rejects.toMatchObject(refusal)
        await expect(store.put(key, text('x'))).rejects.toMatchObject(refusal)
        await expect(store.put(key, text('x'), { ifAbsent: true })).rejects.toMatchObject(refusal)
        await expect(store.delete(key)).rejects.toMatchObject(refusal)
        expect(await page(store, '')).toEqual([])
      })
    })

    it('an aborted signal stops each verb before it does anything', async () => {
      const { etag } = await store.put('a', text('x'))
      const signal = AbortSignal.abort(new Error('enough'))
      const aborted = { name: 'AbortedError', code: 'aborted' }
      await expect(store.get('a', { signal })).rejects.toMatchObject(aborted)
      await expect(store.put('a', text('y'), { signal })).rejects.toMatchObject(aborted)
      await expect(store.put('b', text('y'), { signal, ifAbsent: true })).rejects.toMatchObject(aborted)
      await expect(store.delete('a', { signal })).rejects.toMatchObject(aborted)
      await expect(store.list('', { signal })).rejects.toMatchObject(aborted)
      expect(await store.get('a')).toMatchObject({ etag, bytes: text('x') })
      expect(await page(store, '')).toEqual(['a'])
    })

    it('an abort on the way leaves the old value or the new one', async () => {
      await store.put('a', text('old'))
      for (const wait of [0, 1, 2, 3]) {
        const abort = new AbortController()
        const put = store.put('a', text('new'), { signal: abort.signal })
        setTimeout(() => abort.abort(), wait)
        const [result] = await Promise.allSettled([put])
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'aborted' })
        expect(read(await store.get('a'))).toBe(result.status === 'rejected' ? 'old' : 'new')
        await store.put('a', text('old'))
      }
    })

    it('says where it is', () => {
      expect(store.uri).not.toBe('')
    })
  })
}

/** Adds one to the number under a key, by compare-and-swap. */
export async function increment(store: Store, key: string): Promise<void> {
  for (;;) {
    const value = await store.get(key)
    if (!value) throw new Error(`no ${key}`)
    try {
      await store.put(key, text(`${Number(read(value)) + 1}`), { ifMatch: value.etag })
      return
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'store-conflict')) throw error
    }
  }
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

export function read(value: { readonly bytes: Uint8Array } | undefined): string | undefined {
  // Without this option a byte order mark at the beginning would be dropped.
  return value && new TextDecoder('utf-8', { ignoreBOM: true }).decode(value.bytes)
}

async function page(store: Store, prefix: string): Promise<string[]> {
  return (await store.list(prefix)).entries.map(({ key }) => key)
}

/** Every key with a prefix, page by page; checks what each page promises. */
export async function all(store: Store, prefix: string, limit: number): Promise<string[]> {
  const keys: string[] = []
  for (let after: string | undefined; ; ) {
    const { entries, next }: { entries: readonly ListEntry[]; next?: string } = await store.list(
      prefix,
      after === undefined ? { limit } : { limit, after },
    )
    keys.push(...entries.map(({ key }) => key))
    expect(entries.length).toBeLessThanOrEqual(limit)
    if (next === undefined) return keys
    expect(next).toBe(entries.at(-1)?.key)
    after = next
  }
}

async function inParallel<T>(items: readonly T[], width: number, task: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values()
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of queue) await task(item)
    }),
  )
}

function instance(stores: readonly Store[], i: number): Store {
  const store = stores[i % stores.length]
  if (!store) throw new Error('no store')
  return store
}

function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8)) & 255
  return bytes
}

// Comparing element by element through `toEqual` takes seconds for megabytes.
function same(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a?.length === b.length && a.every((byte, i) => byte === b[i])
}
