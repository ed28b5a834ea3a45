import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { OpenBrowser, Profile } from './chromium.ts'
import { inChromium } from './in-chromium.ts'
import { filesOf, newWorker, type Place } from './new-worker.ts'
import { type PageServer, servePages } from './page-server.ts'

inChromium('large values as files', (newProfile) => {
  let server: PageServer
  let profile: Profile
  let browser: OpenBrowser
  let messages: string[]
  let page: Page
  beforeAll(async () => {
    server = await servePages('storage-page')
    profile = await newProfile()
    browser = await profile.open()
  })
  afterAll(async () => {
    await browser?.close()
    await profile?.remove()
    await server?.close()
  })
  beforeEach(async () => {
    messages = []
    page = await newPage()
  })
  afterEach(async () => {
    const session = await browser.context.newCDPSession(page)
    for (const open of browser.context.pages()) if (open !== page) await open.close()
    await page.evaluate(() => {
      for (const worker of Reflect.get(globalThis, 'workers') ?? []) worker.terminate()
    })
    await session.send('Storage.clearDataForOrigin', { origin: server.url, storageTypes: 'all' })
    await page.close()
  })

  async function newPage(): Promise<Page> {
    const page = await browser.context.newPage()
    page.on('console', (message) => messages.push(message.text()))
    await page.goto(`${server.url}/storage-page`)
    return page
  }

  /** Puts 1.5 MB of one byte into a store, and gives the code of what went wrong. */
  function putLarge(place: Place, kind: 'indexedDbStore' | 'opfsStore', key: string, byte: number) {
    return place.evaluate(
      ({ kind, key, byte }) =>
        tidemark[kind]('shared')
          .put(key, new Uint8Array(1_500_000).fill(byte))
          .then(
            () => 'stored',
            (error: unknown) => (tidemark.isTidemarkError(error) ? error.code : String(error)),
          ),
      { kind, key, byte },
    )
  }

  /** What a store has under a key: its size and its first and last bytes, or the code of what went wrong. */
  function look(place: Place, kind: 'indexedDbStore' | 'opfsStore', key: string) {
    return place.evaluate(
      ({ kind, key }) =>
        tidemark[kind]('shared')
          .get(key)
          .then(
            (value) => value && [value.size, value.bytes[0], value.bytes.at(-1)],
            (error: unknown) => (tidemark.isTidemarkError(error) ? error.code : String(error)),
          ),
      { kind, key },
    )
  }

  test('a page and a worker see the same data at once, whichever of the two stores they open', async () => {
    const worker = await newWorker(page)
    expect(await putLarge(page, 'indexedDbStore', 'old', 1)).toBe('stored')
    expect(await filesOf(page, 'shared')).toEqual([])
    expect(await putLarge(worker, 'opfsStore', 'new', 2)).toBe('stored')
    expect(await filesOf(page, 'shared')).toHaveLength(1)
    const places: Place[] = [page, worker]
    for (const place of places)
      for (const kind of ['indexedDbStore', 'opfsStore'] as const) {
        expect(await look(place, kind, 'old')).toEqual([1_500_000, 1, 1])
        expect(await look(place, kind, 'new')).toEqual([1_500_000, 2, 2])
        const [first] = await place.evaluate(
          async (kind) => (await tidemark[kind]('shared').list('n', { values: true })).entries,
          kind,
        )
        expect(first?.size).toBe(1_500_000)
      }
    // Each replaces what the other kind wrote, and leaves nothing behind.
    expect(await putLarge(worker, 'opfsStore', 'old', 3)).toBe('stored')
    expect(await putLarge(page, 'indexedDbStore', 'new', 4)).toBe('stored')
    expect(await filesOf(page, 'shared')).toHaveLength(1)
    expect(await look(page, 'opfsStore', 'old')).toEqual([1_500_000, 3, 3])
    expect(await look(worker, 'indexedDbStore', 'new')).toEqual([1_500_000, 4, 4])
    await page.evaluate(() => tidemark.indexedDbStore('shared').delete('old'))
    expect(await filesOf(page, 'shared')).toEqual([])
  })

  test('in a worker they are files without being asked for; a page reads them', async () => {
    const worker = await newWorker(page)
    await worker.evaluate(async () => {
      const noise = new Uint8Array(3_000_000)
      for (let at = 0; at < noise.length; at += 50_000) crypto.getRandomValues(noise.subarray(at, at + 50_000))
      const experiment = await tidemark.createExperiment()
      await experiment.uploadArtifact('noise', noise)
      await experiment.uploadArtifact('settings', { lr: 1 })
      await experiment.end()
    })
    expect(await filesOf(page)).toHaveLength(1)
    const read = await page.evaluate(async () => {
      const damaged: string[] = []
      for await (const { name, ok } of tidemark.verify()) if (!ok) damaged.push(name)
      const noise = await (await tidemark.getArtifact('noise')).get()
      return { damaged, size: noise instanceof Uint8Array && noise.length }
    })
    expect(read).toEqual({ damaged: [], size: 3_000_000 })
    expect(messages.filter((message) => message.includes('Files cannot'))).toEqual([])
  })

  test('two tabs put the same pack at once: one stores it, the other is told, one file stays', async () => {
    const workers = [await newWorker(page), await newWorker(await newPage())]
    for (let round = 0; round < 10; round++) {
      const outcomes = await Promise.all(
        workers.map((worker, tab) =>
          worker.evaluate(
            ({ key, tab }) =>
              tidemark
                .opfsStore('shared')
                .put(key, new Uint8Array(1_200_000).fill(tab), { ifAbsent: true })
                .then(
                  () => tab,
                  (error: unknown) => (tidemark.isTidemarkError(error) ? error.code : String(error)),
                ),
            { key: `packs/${round}`, tab },
          ),
        ),
      )
      expect(outcomes).toContain('store-conflict')
      const winner = outcomes.find((one) => typeof one === 'number')
      expect(await look(page, 'opfsStore', `packs/${round}`)).toEqual([1_200_000, winner, winner])
    }
    expect(await filesOf(page, 'shared')).toHaveLength(10)
  })

  test('a full disk is told, changes nothing and leaves no file; room heals it', async () => {
    const session = await browser.context.newCDPSession(page)
    const origin = server.url
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 4_000_000 })
    const worker = await newWorker(page)
    expect(await putLarge(worker, 'opfsStore', 'a', 1)).toBe('stored')
    const outcomes: unknown[] = []
    for (let byte = 2; byte < 6; byte++) outcomes.push(await putLarge(worker, 'opfsStore', 'a', byte))
    const tooLarge = await worker.evaluate(() =>
      tidemark
        .opfsStore('shared')
        .put('b', new Uint8Array(20_000_000))
        .then(String, (error: unknown) =>
          tidemark.isTidemarkError(error) ? `${error.category} ${error.code}` : String(error),
        ),
    )
    expect(tooLarge).toBe('UnavailableError disk-full')
    for (const outcome of outcomes) expect(['stored', 'disk-full']).toContain(outcome)
    const kept = 1 + outcomes.lastIndexOf('stored') + 1
    expect(await look(page, 'opfsStore', 'a')).toEqual([1_500_000, kept, kept])
    expect(await look(page, 'opfsStore', 'b')).toBeUndefined()
    expect(await filesOf(page, 'shared')).toHaveLength(1)
    await session.send('Storage.overrideQuotaForOrigin', { origin })
    expect(await putLarge(worker, 'opfsStore', 'b', 9)).toBe('stored')
    expect(await look(page, 'opfsStore', 'b')).toEqual([1_500_000, 9, 9])
  })

  test('files that somebody deleted are damage, told with a code; the store goes on', async () => {
    const worker = await newWorker(page)
    await worker.evaluate(async () => {
      const store = tidemark.opfsStore('shared')
      Object.assign(globalThis, { store })
      await store.put('a', new Uint8Array(1_500_000))
      await store.put('small', new Uint8Array(10))
    })
    await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory()
      await root.removeEntry(tidemark.filesFolder('shared') ?? '', { recursive: true })
    })
    expect(await look(worker, 'opfsStore', 'a')).toBe('store-damaged')
    expect(await look(page, 'indexedDbStore', 'a')).toBe('store-damaged')
    const after = await worker.evaluate(async () => {
      const store: ReturnType<typeof tidemark.opfsStore> = Reflect.get(globalThis, 'store')
      await store.put('b', new Uint8Array(1_500_000).fill(7))
      await store.put('a', new Uint8Array(1_500_000).fill(8))
      const sizes: unknown[] = []
      for (const key of ['small', 'a', 'b']) sizes.push((await store.get(key))?.bytes.at(-1))
      return sizes
    })
    expect(after).toEqual([0, 8, 7])
    expect(await filesOf(page, 'shared')).toHaveLength(2)
  })

  test('a file cut short is damage', async () => {
    const worker = await newWorker(page)
    await putLarge(worker, 'opfsStore', 'a', 1)
    await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory()
      const folder = await root.getDirectoryHandle(tidemark.filesFolder('shared') ?? '')
      for await (const entry of folder.values()) {
        if (!(entry instanceof FileSystemFileHandle)) continue
        const writable = await entry.createWritable({ keepExistingData: true })
        await writable.truncate(1_400_000)
        await writable.close()
      }
    })
    expect(await look(page, 'opfsStore', 'a')).toBe('store-damaged')
  })

  test('what tabs that ended left is swept; a writer who comes later than that stores all the same', async () => {
    const worker = await newWorker(page)
    await putLarge(worker, 'opfsStore', 'kept', 1)
    const left = await worker.evaluate(async () => {
      const root = await navigator.storage.getDirectory()
      const folder = await root.getDirectoryHandle(tidemark.filesFolder('shared') ?? '')
      await folder.getFileHandle('left-behind', { create: true })
      // To this one every file is old at once, so that it condemns the file of the other, whose record is held up.
      const store = tidemark.openDatabaseStore('shared', {}, { scheme: 'opfs', filesFrom: 1, abandonedAfter: -1000 })
      let held: (() => void) | undefined
      const released = new Promise<void>((resolve) => {
        held = resolve
      })
      const slow = tidemark.openDatabaseStore('shared', {}, { scheme: 'opfs', filesFrom: 1 })
      await slow.get('none')
      let first = true
      const createSyncAccessHandle: (...none: []) => Promise<{
        write(bytes: Uint8Array, options: object): number
        flush(): void
        close(): void
      }> = Reflect.get(FileSystemFileHandle.prototype, 'createSyncAccessHandle')
      Object.assign(FileSystemFileHandle.prototype, {
        async createSyncAccessHandle(this: FileSystemFileHandle) {
          const handle = await Reflect.apply(createSyncAccessHandle, this, [])
          if (!first) return handle
          first = false
          return {
            write: (bytes: Uint8Array, options: object) => handle.write(bytes, options),
            flush: () => handle.flush(),
            // Asleep between its file and its record.
            async close() {
              handle.close()
              await released
            },
          }
        },
      })
      const sleeping = slow.put('slow', new Uint8Array(100).fill(5))
      while (first) await new Promise((resolve) => setTimeout(resolve, 1))
      await new Promise((resolve) => setTimeout(resolve, 50))
      await store.put('quick', new Uint8Array(100).fill(6))
      await store.close?.()
      held?.()
      await sleeping
      await slow.close?.()
      const found: unknown[] = []
      for (const key of ['kept', 'slow', 'quick']) {
        const value = await tidemark.indexedDbStore('shared').get(key)
        found.push([value?.size, value?.bytes.at(-1)])
      }
      return found
    })
    expect(left).toEqual([
      [1_500_000, 1],
      [100, 5],
      [100, 6],
    ])
    const files = await filesOf(page, 'shared')
    expect(files).not.toContain('left-behind')
    // That of the sleeper is gone: its value went into the database.
    expect(files).toHaveLength(2)
  })

  test.each(['SecurityError', 'NotAllowedError', 'UnknownError'])(
    'where the browser has no files for this site (%s), everything goes into IndexedDB, and that is said once',
    async (name) => {
      const worker = await newWorker(page)
      const told = await worker.evaluate(async (name) => {
        // What private windows of Firefox and Safari do.
        StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('Security error', name))
        const told: string[] = []
        const store = tidemark.opfsStore('private', { warn: (message) => told.push(message) })
        await store.put('a', new Uint8Array(1_500_000).fill(4))
        await store.put('b', new Uint8Array(1_500_000).fill(5))
        const { bytes } = (await store.get('a', { range: { start: 1_499_999 } })) ?? {}
        return { told: told.filter((message) => message.startsWith('Files')), last: bytes?.[0] }
      }, name)
      expect(told).toEqual({
        told: [expect.stringContaining("'opfs:private' keeps large values in IndexedDB")],
        last: 4,
      })
      expect(await filesOf(page, 'private')).toEqual([])
    },
  )

  test('stores have folders of their own, whatever their names are', async () => {
    const names = ['a', 'A', 'a/b', '..', 'a%2f', 'ä', '\ud800', 'x'.repeat(300)]
    const worker = await newWorker(page)
    const seen = await worker.evaluate(async (names) => {
      for (const [i, name] of names.entries())
        await tidemark.opfsStore(name).put('value', new Uint8Array(1_100_000).fill(i))
      const seen: unknown[] = []
      for (const name of names) seen.push((await tidemark.opfsStore(name).get('value'))?.bytes[9])
      return seen
    }, names)
    expect(seen).toEqual(names.map((_, i) => i))
    const folders = await worker.evaluate((names) => names.map((name) => tidemark.filesFolder(name)), names)
    expect(new Set(folders.map((folder) => folder?.toLowerCase())).size).toBe(names.length)
    expect(folders.at(-1)).toBeUndefined()
  })
})
