import { afterAll, beforeAll, expect, test } from 'vitest'
import { arrays, connect } from '../../src/index.ts'
import { whereThereIs } from '../where-there-is.ts'
import { type Driver, openDriver, until } from './driver.ts'
import { findBrowsers } from './installed.mjs'
import { type PageServer, servePages } from './page-server.ts'

/** What becomes of the worker that a page starts. */
type Fate = 'works' | 'none' | 'refused' | 'no script' | 'breaks'

interface Uploaded {
  readonly digests: readonly (string | undefined)[]
  readonly damage: number
  /** Tasks given to workers. */
  readonly digested: number
  readonly deflated: number
}

for (const browser of findBrowsers())
  whereThereIs(`work beside a page in ${browser.name}`, browser.missing, () => {
    if (browser.missing === undefined) drive(browser)
  })

function drive(browser: Parameters<typeof openDriver>[0]): void {
  let server: PageServer
  let driver: Driver
  let expected: readonly string[]
  beforeAll(async () => {
    server = await servePages('storage-page')
    driver = await openDriver(browser, false)
    expected = await digestsHere()
  }, 120_000)
  afterAll(async () => {
    await driver?.close()
    await server?.close()
  })

  async function uploadedIn(fate: Fate): Promise<Uploaded> {
    await driver.goto(`${server.url}/storage-page`)
    await until(driver, 'loaded', () => 'tidemark' in globalThis, 0)
    return driver.evaluate(upload, fate)
  }

  test('digests and deflates much in a worker', async () => {
    const { digests, damage, digested, deflated } = await uploadedIn('works')
    expect(digests).toEqual(expected)
    expect(damage).toBe(0)
    expect(digested).toBeGreaterThan(30)
    expect(deflated).toBeGreaterThan(10)
  }, 120_000)

  test.each<Fate>(['none', 'refused', 'no script', 'breaks'])(
    'does the same by itself where the worker %s',
    async (fate) => {
      const { digests, damage } = await uploadedIn(fate)
      expect(digests).toEqual(expected)
      expect(damage).toBe(0)
    },
    120_000,
  )
}

/** The same values, logged without a browser. */
async function digestsHere(): Promise<string[]> {
  const tidemark = await connect({ store: 'memory:' })
  const experiment = await tidemark.createExperiment({ logCode: false, logSystemDetails: false })
  const { bytes, weights, rows } = valuesOf()
  const logged = [
    await experiment.uploadArtifact('bytes', new Blob([bytes])),
    await experiment.uploadArtifact('weights', arrays({ weights })),
    await experiment.uploadArtifact('rows', rows),
  ]
  await tidemark.close()
  return logged.map(({ digest }) => digest ?? '')
}

// Sent to the page as text: it can use nothing from here but what it is given.
async function upload(fate: Fate): Promise<Uploaded> {
  const counts = { digested: 0, deflated: 0 }
  const RealWorker = Worker
  class WatchedWorker extends RealWorker {
    constructor(url: URL, options: WorkerOptions) {
      if (fate === 'refused') throw new DOMException('Refused by a policy.', 'SecurityError')
      super(fate === 'no script' ? '/there-is-none.js' : url, options)
    }
    override postMessage(task: object, transfer: unknown): void {
      counts['bytes' in task ? 'digested' : 'deflated'] += 1
      if (fate === 'breaks' && counts.digested > 20) this.dispatchEvent(new ErrorEvent('error'))
      else super.postMessage(task, transfer as Transferable[])
    }
  }
  Object.assign(globalThis, { Worker: fate === 'none' ? undefined : WatchedWorker })

  const connection = await tidemark.connect({ store: 'memory:', compress: true })
  const experiment = await connection.createExperiment({ logSystemDetails: false })
  const rows = Array.from({ length: 50_000 }, (_, id) => ({ id, score: Math.fround(id / 7), text: `row ${id % 997}` }))
  const bytes = Uint8Array.from({ length: 6_000_000 }, (_, at) =>
    at % 100_000 < 50_000 ? at % 251 : (at * 40503) >> 7,
  )
  const weights = Float64Array.from({ length: 200_000 }, (_, at) => at % 1000)
  const logged = [
    await experiment.uploadArtifact('bytes', new Blob([bytes])),
    await experiment.uploadArtifact('weights', tidemark.arrays({ weights })),
    await experiment.uploadArtifact('rows', rows),
  ]
  let damage = 0
  const read = await logged[0].get()
  if (!(read instanceof Uint8Array) || read.length !== bytes.length) damage += 1
  else for (const [at, byte] of read.entries()) if (byte !== bytes[at]) damage += 1
  await connection.close()
  return { digests: logged.map(({ digest }) => digest), damage, ...counts }
}

/** Those of `upload`. */
function valuesOf() {
  return {
    rows: Array.from({ length: 50_000 }, (_, id) => ({ id, score: Math.fround(id / 7), text: `row ${id % 997}` })),
    bytes: Uint8Array.from({ length: 6_000_000 }, (_, at) => (at % 100_000 < 50_000 ? at % 251 : (at * 40503) >> 7)),
    weights: Float64Array.from({ length: 200_000 }, (_, at) => at % 1000),
  }
}
