import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { OpenBrowser, Profile } from './chromium.ts'
import { inChromium } from './in-chromium.ts'
import { check, logForEver, versionsFound } from './log-for-ever.ts'
import { filesOf } from './new-worker.ts'
import { type PageServer, servePages } from './page-server.ts'

inChromium('what a browser stores', (newProfile) => {
  let server: PageServer
  let profile: Profile
  let browser: OpenBrowser
  let messages: string[]
  beforeAll(async () => {
    server = await servePages('storage-page')
  })
  afterAll(() => server?.close())
  beforeEach(async () => {
    profile = await newProfile()
    messages = []
    browser = await profile.open()
  })
  afterEach(async () => {
    await browser?.close()
    await profile?.remove()
  })

  async function newPage(): Promise<Page> {
    const page = await browser.context.newPage()
    page.on('console', (message) => messages.push(message.text()))
    await page.goto(`${server.url}/storage-page`)
    return page
  }

  describe('the main job', () => {
    const edited = { id: 1234, label: 'changed' }

    test('log, edit, log again, read back: after a reload and after the browser was closed, without a connection named', async () => {
      let page = await newPage()
      const logged = await page.evaluate(async (edited) => {
        const { arrays, createExperiment, folder } = tidemark
        const experiment = await createExperiment({ project: 'flowers' })
        const rows = Array.from({ length: 3000 }, (_, id) => ({ id, label: `label ${id % 7}` }))
        const canvas = document.createElement('canvas')
        canvas.width = canvas.height = 8
        const context = canvas.getContext('2d')
        if (!context) throw new Error('no canvas')
        context.fillStyle = '#c08040'
        context.fillRect(0, 0, 8, 4)
        await experiment.uploadArtifact('settings', { lr: 1e-3, layers: [64, 64] })
        await experiment.uploadArtifact('weights', arrays({ w: new Float32Array([1, 2, 3]) }))
        await experiment.uploadArtifact('sample', canvas)
        await experiment.uploadArtifact('report', new File(['a,b\n'], 'report.csv'))
        const root = await navigator.storage.getDirectory()
        const photos = await root.getDirectoryHandle('photos', { create: true })
        const writable = await (await photos.getFileHandle('a.jpg', { create: true })).createWritable()
        await writable.write('A')
        await writable.close()
        await experiment.uploadArtifact('photos', folder(photos))
        const indexes = [(await experiment.uploadArtifact('train', rows)).index]
        rows[edited.id] = edited
        indexes.push((await experiment.uploadArtifact('train', rows)).index)
        const watched = await experiment.registerArtifact('watched', rows, { interval: 10 })
        rows[0] = { id: 0, label: 'noticed' }
        await watched.flush()
        await experiment.end()
        return { key: experiment.key, indexes, watched: watched.latest?.index }
      }, edited)
      expect(logged).toMatchObject({ indexes: [0, 1], watched: 1 })

      const readBack = async () => {
        return page.evaluate(async () => {
          const { getArtifact, getExperiments, verify } = tidemark
          const read = async (name: string) => (await getArtifact(name)).get()
          const row = async (name: string, at: number) => {
            const value = await read(name)
            return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function'
              ? { ...value.get(at) }
              : undefined
          }
          const keys: string[] = []
          for (const { experimentKey } of await getExperiments()) keys.push(experimentKey)
          const damaged: string[] = []
          for await (const { name, ok } of verify()) if (!ok) damaged.push(name)
          const photos = await read('photos')
          return {
            keys,
            damaged,
            settings: await read('settings'),
            weights: JSON.stringify(await read('weights')),
            sample: JSON.stringify(await read('sample')).slice(0, 80),
            report: await new Response(await (await getArtifact('report')).open()).text(),
            photos: photos instanceof Map ? [...photos.keys()] : undefined,
            before: await row('train:v0', 1234),
            after: await row('train', 1234),
            noticed: await row('watched', 0),
          }
        })
      }
      const expected = {
        keys: [logged.key],
        damaged: [],
        settings: { lr: 1e-3, layers: [64, 64] },
        weights: expect.stringContaining('"shape":[3]'),
        sample: expect.stringContaining('"width":8,"height":8'),
        report: 'a,b\n',
        photos: ['a.jpg'],
        before: { id: 1234, label: 'label 2' },
        after: edited,
        noticed: { id: 0, label: 'noticed' },
      }
      expect(await readBack()).toEqual(expected)
      await page.reload()
      expect(await readBack()).toEqual(expected)
      await browser.close()
      browser = await profile.open()
      page = await newPage()
      expect(await readBack()).toEqual(expected)
      expect(await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).toEqual([
        'tidemark',
      ])
    })

    test('two tabs log to one artifact at once: no gap, nothing twice, nothing lost', async () => {
      const pages = [await newPage(), await newPage()]
      const each = 20
      const indexes = await Promise.all(
        pages.map((page, tab) =>
          page.evaluate(
            async ({ tab, each }) => {
              const experiment = await tidemark.createExperiment()
              const indexes: number[] = []
              for (let i = 0; i < each; i++)
                indexes.push((await experiment.uploadArtifact('shared', { tab, i, text: 'x'.repeat(i * 99) })).index)
              await experiment.end()
              return indexes
            },
            { tab, each },
          ),
        ),
      )
      expect(indexes.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 2 * each }, (_, i) => i))
      const read = await pages[0]?.evaluate(async () => {
        const read: unknown[] = []
        for await (const { index } of tidemark.getVersions('shared'))
          read.push(JSON.stringify(await (await tidemark.getArtifact(`shared:v${index}`)).get()))
        return new Set(read).size
      })
      expect(read).toBe(2 * each)
    })
  })

  test('a clock that jumps: versions keep their order, and nothing is lost', async () => {
    const page = await newPage()
    const years = [2026, 2019, 2041, 1970, 2026]
    for (const [i, year] of years.entries()) {
      await page.clock.setFixedTime(new Date(Date.UTC(year, 5, 1)))
      await page.evaluate(async (i) => {
        const experiment = await tidemark.createExperiment()
        await experiment.uploadArtifact('timed', { i })
        const rows = [{ i }]
        const watched = await experiment.registerArtifact('watched', rows, { interval: 10 })
        rows.push({ i: -i })
        await watched.flush()
        await experiment.end()
      }, i)
    }
    const found = await page.evaluate(async () => {
      const read: unknown[] = []
      for await (const { index, createdAt } of tidemark.getVersions('timed')) {
        const { i } = (await (await tidemark.getArtifact(`timed:v${index}`)).get()) as { i: number }
        read.push([index, i, createdAt.getUTCFullYear()])
      }
      const damaged: string[] = []
      for await (const { name, ok } of tidemark.verify()) if (!ok) damaged.push(name)
      return { read: read.reverse(), damaged, latest: (await tidemark.getArtifact('watched')).index }
    })
    expect(found).toEqual({ read: years.map((year, i) => [i, i, year]), damaged: [], latest: 2 * years.length - 1 })
  })

  // What differs in a worker is where large values are: test/browsers/opfs.test.ts has more of that.
  const places = [
    { place: 'page', closings: 30, kills: 5 },
    { place: 'worker', closings: 10, kills: 2 },
  ] as const
  describe.each(places)('a tab that ends in the middle, which logs in a $place', ({ place, closings, kills }) => {
    test(`closed ${closings} times: nothing acknowledged is lost, no half version is seen`, async () => {
      const acknowledged: string[] = []
      const first = await newPage()
      for (let round = 0; round < closings; round++) {
        const page = await newPage()
        await logForEver(page, place, round, round % 3 === 0 ? 1 : 0, acknowledged)
        await first.waitForTimeout((round * 37) % 120)
        await page.close()
      }
      check(await versionsFound(first), acknowledged)
      if (place === 'worker') expect((await filesOf(first)).length).toBeGreaterThanOrEqual(acknowledged.length)
      expect(acknowledged.length).toBeGreaterThanOrEqual(closings / 3)
    }, 300_000)

    test(`a browser killed ${kills} times: the same`, async () => {
      const acknowledged: string[] = []
      for (let round = 0; round < kills; round++) {
        const page = await newPage()
        await logForEver(page, place, round, 1, acknowledged)
        await page.waitForTimeout((round * 37) % 120)
        await browser.kill()
        browser = await profile.open()
      }
      check(await versionsFound(await newPage()), acknowledged)
      expect(acknowledged.length).toBeGreaterThanOrEqual(kills)
    }, 300_000)
  })

  describe('a database in trouble', () => {
    test('a full disk is told, changes nothing, and room heals it', async () => {
      const page = await newPage()
      const session = await browser.context.newCDPSession(page)
      const origin = server.url
      // Before the first write: Chromium remembers for half a minute how much room there was.
      await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 3_000_000 })
      const first = await page.evaluate(async () => {
        const store = tidemark.indexedDbStore('small')
        const { etag } = await store.put('a', new Uint8Array(1000).fill(1))
        await store.put('b', new Uint8Array(700_000).fill(2))
        return etag
      })
      const full = await page.evaluate(async () => {
        const store = tidemark.indexedDbStore('small')
        const noise = (size: number) => {
          const bytes = new Uint8Array(size)
          for (let at = 0; at < size; at += 50_000) crypto.getRandomValues(bytes.subarray(at, at + 50_000))
          return bytes
        }
        const attempt = (key: string, size: number) =>
          store.put(key, noise(size)).then(
            () => 'stored',
            (error: unknown) => (tidemark.isTidemarkError(error) ? `${error.category} ${error.code}` : String(error)),
          )
        const outcomes = await Promise.all([attempt('a', 20_000_000), attempt('c', 30_000_000), attempt('d', 10)])
        const { entries } = await store.list('')
        return { outcomes, keys: entries.map(({ key, size, etag }) => ({ key, size, etag })) }
      })
      expect(full.outcomes).toEqual(['UnavailableError disk-full', 'UnavailableError disk-full', 'stored'])
      expect(full.keys).toMatchObject([
        { key: 'a', size: 1000, etag: first },
        { key: 'b', size: 700_000 },
        { key: 'd', size: 10 },
      ])
      await session.send('Storage.overrideQuotaForOrigin', { origin })
      const later = await page.evaluate(async () => {
        const store = tidemark.indexedDbStore('small')
        await store.put('a', new Uint8Array(20_000_000).fill(7))
        return [(await store.get('a'))?.size, (await store.get('b'))?.bytes.every((byte) => byte === 2)]
      })
      expect(later).toEqual([20_000_000, true])
    })

    test('deleted by another tab while it is in use: not held up, and begun anew', async () => {
      const [one, other] = [await newPage(), await newPage()]
      await one.evaluate(async () => {
        const store = tidemark.indexedDbStore('gone')
        await store.put('a', new Uint8Array(3))
        Object.assign(globalThis, { store })
      })
      const how = await other.evaluate(
        () =>
          new Promise((resolve) => {
            const request = indexedDB.deleteDatabase('gone')
            request.onsuccess = () => resolve('deleted')
            request.onblocked = () => resolve('blocked')
          }),
      )
      expect(how).toBe('deleted')
      const after = await one.evaluate(async () => {
        const store: ReturnType<typeof tidemark.indexedDbStore> = Reflect.get(globalThis, 'store')
        const none = await store.get('a')
        await store.put('a', new Uint8Array(5), { ifAbsent: true })
        return [none, (await store.get('a'))?.size]
      })
      expect(after).toEqual([undefined, 5])
    })

    test('cleared by the browser in the middle of writes: each is stored or fails with a code, and it goes on', async () => {
      const page = await newPage()
      const session = await browser.context.newCDPSession(page)
      // Before anything is cleared, so that every write below is one of an open database.
      await page.evaluate(async () => {
        const store = tidemark.indexedDbStore('cleared')
        await store.put('first', new Uint8Array(1))
        Object.assign(globalThis, { store })
      })
      const work = page.evaluate(async () => {
        const store: ReturnType<typeof tidemark.indexedDbStore> = Reflect.get(globalThis, 'store')
        const outcomes = new Set<string>()
        for (let i = 0; i < 40; i++) {
          const puts = Array.from({ length: 5 }, (_, n) => store.put(`k/${i}/${n}`, new Uint8Array(50_000)))
          for (const result of await Promise.allSettled(puts)) {
            if (result.status === 'fulfilled') outcomes.add('stored')
            else outcomes.add(tidemark.isTidemarkError(result.reason) ? result.reason.code : String(result.reason))
          }
        }
        return [...outcomes].sort()
      })
      for (let i = 0; i < 3; i++) {
        await page.waitForTimeout(120)
        await session.send('Storage.clearDataForOrigin', { origin: server.url, storageTypes: 'indexeddb' })
      }
      const outcomes = await work
      expect(outcomes.filter((one) => !['stored', 'store-io', 'store-blocked'].includes(one))).toEqual([])
      expect(outcomes).toContain('stored')
      const last = await page.evaluate(async () => {
        const store: ReturnType<typeof tidemark.indexedDbStore> = Reflect.get(globalThis, 'store')
        while ((await store.put('last', new Uint8Array(1)).then(() => 'stored', String)) !== 'stored');
        return (await store.get('last'))?.size
      })
      expect(last).toBe(1)
    }, 90_000)

    test('an opening that the browser never ends is told after ten seconds, and the next one begins anew', async () => {
      const page = await browser.context.newPage()
      await page.clock.install()
      await page.goto(`${server.url}/storage-page`)
      await page.evaluate(() => {
        // As Chromium leaves one that was waiting when it clears what a site stored.
        const open = indexedDB.open.bind(indexedDB)
        indexedDB.open = () => {
          indexedDB.open = open
          return new EventTarget() as IDBOpenDBRequest
        }
        const store = tidemark.indexedDbStore('forgotten')
        const told = store.put('a', new Uint8Array(1)).then(
          () => 'stored',
          (error: unknown) => (tidemark.isTidemarkError(error) ? error.code : String(error)),
        )
        Object.assign(globalThis, { store, told })
      })
      await page.clock.runFor(10_000)
      expect(await page.evaluate(() => Reflect.get(globalThis, 'told'))).toBe('store-blocked')
      const stored = await page.evaluate(() =>
        Reflect.get(globalThis, 'store')
          .put('a', new Uint8Array(1))
          .then(() => 'stored', String),
      )
      expect(stored).toBe('stored')
    })

    test('held up by a tab that does not let go: told after ten seconds, and it works once the tab does', async () => {
      const holder = await newPage()
      await holder.evaluate(async () => {
        const store = tidemark.indexedDbStore('held')
        await store.put('a', new Uint8Array(1))
        await store.close?.()
        const db = await new Promise<IDBDatabase>((resolve) => {
          const request = indexedDB.open('held')
          request.onsuccess = () => resolve(request.result)
        })
        Object.assign(globalThis, { release: () => db.close() })
        indexedDB.deleteDatabase('held')
      })
      const page = await browser.context.newPage()
      await page.clock.install()
      await page.goto(`${server.url}/storage-page`)
      await page.evaluate(() => {
        const store = tidemark.indexedDbStore('held')
        const told = store.get('a').then(
          () => 'read',
          (error: unknown) => (tidemark.isTidemarkError(error) ? error.code : String(error)),
        )
        Object.assign(globalThis, { store, told })
      })
      await page.clock.runFor(10_000)
      expect(await page.evaluate(() => Reflect.get(globalThis, 'told'))).toBe('store-blocked')
      await holder.evaluate(() => Reflect.get(globalThis, 'release')())
      expect(await page.evaluate(async () => (await Reflect.get(globalThis, 'store').get('a')) ?? 'none')).toBe('none')
    })

    test("one that is something else's is refused and left alone; so is one of a later version", async () => {
      const page = await newPage()
      const codes = await page.evaluate(async () => {
        const make = (name: string, store: string) =>
          new Promise<void>((resolve) => {
            const request = indexedDB.open(name, 3)
            request.onupgradeneeded = () => request.result.createObjectStore(store)
            request.onsuccess = () => {
              request.result.close()
              resolve()
            }
          })
        await make('theirs', 'photos')
        await make('newer', 'tidemark-2')
        const code = (name: string) =>
          tidemark
            .indexedDbStore(name)
            .put('a', new Uint8Array(1))
            .then(String, (error: unknown) => (tidemark.isTidemarkError(error) ? error.code : String(error)))
        const codes = [await code('theirs'), await code('newer')]
        // Nobody of us keeps its owner from upgrading it.
        const upgraded = await new Promise((resolve) => {
          const request = indexedDB.open('theirs', 4)
          request.onblocked = () => resolve('blocked')
          request.onsuccess = () => resolve([...request.result.objectStoreNames])
        })
        return [...codes, upgraded]
      })
      expect(codes).toEqual(['store-database-foreign', 'store-format-too-new', ['photos']])
    })

    test('the default one is no reason to keep things in memory', async () => {
      const page = await newPage()
      const code = await page.evaluate(async () => {
        await new Promise<void>((resolve) => {
          const request = indexedDB.open('tidemark', 3)
          request.onupgradeneeded = () => request.result.createObjectStore('tidemark-2')
          request.onsuccess = () => {
            request.result.close()
            resolve()
          }
        })
        return tidemark
          .createExperiment()
          .then(String, (error: unknown) => (tidemark.isTidemarkError(error) ? error.code : String(error)))
      })
      expect(code).toBe('store-format-too-new')
      expect(messages.filter((message) => message.includes('kept in memory'))).toEqual([])
    })
  })

  describe('what is promised', () => {
    test('persistence is asked for once a page, at the first write; without it the user is told, once', async () => {
      const page = await newPage()
      const asked = await page.evaluate(async () => {
        let asked = 0
        navigator.storage.persisted = async () => false
        navigator.storage.persist = async () => {
          asked++
          return false
        }
        const counts: number[] = []
        const connection = await tidemark.connect({ store: 'indexeddb:one' })
        counts.push(asked)
        const experiment = await connection.createExperiment()
        await experiment.uploadArtifact('a', 1)
        await experiment.uploadArtifact('a', 2)
        counts.push(asked)
        const other = tidemark.indexedDbStore('other')
        await other.put('a', new Uint8Array(1))
        counts.push(asked)
        return counts
      })
      expect(asked).toEqual([0, 1, 1])
      const told = messages.filter((message) => message.includes('may delete'))
      expect(told).toEqual([expect.stringContaining("the database 'one'")])
    })

    test('granted, nothing is said', async () => {
      const page = await newPage()
      await page.evaluate(async () => {
        navigator.storage.persisted = async () => true
        await (await tidemark.createExperiment()).uploadArtifact('a', 1)
      })
      expect(messages.filter((message) => message.includes('may delete'))).toEqual([])
    })

    test('where a page may store nothing, it is kept in memory, and that is said once', async () => {
      const page = await newPage()
      const work = async () => {
        const experiment = await tidemark.createExperiment()
        await experiment.uploadArtifact('a', { kept: true })
        const read = await (await tidemark.getArtifact('a')).get()
        const refused = await tidemark
          .indexedDbStore('x')
          .get('a')
          .then(String, (error: unknown) => (tidemark.isTidemarkError(error) ? error.code : String(error)))
        return { read, refused }
      }
      // What a sandboxed frame and pages whose site data are blocked see.
      await page.evaluate(() => {
        IDBFactory.prototype.open = () => {
          throw new DOMException('The operation is insecure.', 'SecurityError')
        }
      })
      expect(await page.evaluate(work)).toEqual({ read: { kept: true }, refused: 'store-permission' })
      expect(messages.filter((message) => message.includes('kept in memory'))).toHaveLength(1)
      await page.reload()
      // What Chromium tells a frame of another site.
      await page.evaluate(() => {
        IDBFactory.prototype.open = () => {
          const error = new DOMException('The user denied permission to access the database.', 'UnknownError')
          const request = Object.assign(new EventTarget(), { error, onerror: () => undefined })
          setTimeout(() => request.onerror())
          return request as unknown as IDBOpenDBRequest
        }
      })
      expect(await page.evaluate(work)).toEqual({ read: { kept: true }, refused: 'store-permission' })
      await page.reload()
      await page.evaluate(() => Reflect.deleteProperty(globalThis, 'indexedDB'))
      expect(await page.evaluate(work)).toEqual({ read: { kept: true }, refused: 'no-indexeddb' })
    })
  })
})
