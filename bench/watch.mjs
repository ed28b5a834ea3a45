// Watched tables: what it costs to notice a change, to make a version of it, and to read a version with a long history.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createXXHash128 } from 'hash-wasm'
import { connect } from 'tidemark'
import { makeColumns, makeRecords, randomNumbers } from './lib/data.mjs'
import { openEmbedded } from './lib/embedded.mjs'
import { pythonWith } from './lib/python.mjs'
import { inFolder, race, runOnce } from './lib/race.mjs'
import { countRow, timeRow } from './lib/results.mjs'
import { writeSynced } from './lib/write-synced.mjs'

export const question = 'What do watched tables cost?'

const rows = 1_000_000
const records = 100_000
const edits = 1000
// Looks are asked for.
const never = 2 ** 31 - 1
const longestSlice = 12

export const jobs = {
  async noticing({ folder }) {
    const { watched } = await watch(folder, makeColumns(rows))
    return { sample: () => watched.flush() }
  },
  async hashing({ folder }) {
    const { watched, experiment } = await watch(folder, makeColumns(rows))
    const bytes = new Uint8Array(watched.latest.size).fill(7)
    await experiment.end()
    const hash = await createXXHash128()
    return {
      sample: () => {
        hash.init()
        // In parts of the size that is fastest.
        for (let at = 0; at < bytes.length; at += 2 ** 20) hash.update(bytes.subarray(at, at + 2 ** 20))
        hash.digest()
      },
    }
  },
  async noticingRecords({ folder }) {
    const { watched } = await watch(folder, makeRecords(records))
    return { sample: () => watched.flush() }
  },
  async stringify() {
    const table = makeRecords(records)
    return { sample: () => void JSON.stringify(table) }
  },
  async committing({ folder }) {
    const columns = makeColumns(rows)
    const { watched } = await watch(folder, columns)
    const random = randomNumbers(5)
    return {
      before: () => {
        columns.delay[Math.floor(random() * rows)] = random() * 300
      },
      sample: () => watched.flush(),
    }
  },
  async syncing({ folder }) {
    const bytes = new Uint8Array(1000)
    let count = 0
    return { sample: () => writeSynced(join(folder, `synced-${count++}`), bytes) }
  },
  async slices({ folder }) {
    const columns = makeColumns(rows)
    const { watched } = await watch(folder, columns, 200)
    return {
      sample: async () => {
        const slices = []
        let last = performance.now()
        let on = true
        const tick = () => {
          const now = performance.now()
          slices.push(now - last)
          last = now
          if (on) setImmediate(tick)
        }
        setImmediate(tick)
        for (let edit = 0; edit < 10; edit++) {
          const noticed = once(watched, 'version')
          columns.delay[edit * 1000] += 1
          await noticed
        }
        on = false
        // Turns of the loop in which nothing was done say nothing.
        const busy = slices.filter((ms) => ms > 1).sort((a, b) => a - b)
        return { p99: busy[Math.floor(busy.length * 0.99)], longest: busy.at(-1), count: busy.length }
      },
    }
  },
  // Both read in turn, from a store in which every version is kept.
  async newest({ store }) {
    return reading(store, `v${edits}`)
  },
  async oldest({ store }) {
    return reading(store, 'v0')
  },
  // The way of the peers: the whole table again.
  async pandas({ folder, python }) {
    const child = spawn(python, [new URL('./lib/to_csv.py', import.meta.url).pathname, String(rows), folder], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })
    await once(lines, 'line')
    return {
      sample: async () => {
        child.stdin.write('\n')
        await once(lines, 'line')
      },
    }
  },
}

export async function run() {
  const { noticing, hashing } = await race(import.meta.url, ['noticing', 'hashing'])
  const { noticingRecords, stringify } = await race(import.meta.url, ['noticingRecords', 'stringify'])
  const { committing, syncing } = await race(import.meta.url, ['committing', 'syncing'])
  const slices = await runOnce(import.meta.url, 'slices')
  const { newest, oldest, written } = await inFolder(async (folder) => {
    const store = join(folder, 'store')
    const written = await makeHistory(store)
    return { written, ...(await race(import.meta.url, ['newest', 'oldest'], { context: { store } })) }
  })
  const python = pythonWith('pandas')
  const columns = '1,000,000 rows x 7 columns'
  const found = [
    timeRow(`noticing: ${columns}, typed where they have a type`, {
      ours: noticing,
      against: 'one xxHash128 pass over its bytes',
      theirs: hashing,
      bar: 8,
    }),
    timeRow('noticing: 100,000 records of 10 fields', {
      ours: noticingRecords,
      against: 'JSON.stringify',
      theirs: stringify,
      bar: 2,
    }),
    timeRow('a one-number edit of that table, from noticing to committed on disk', {
      ours: { median: committing.median - noticing.median, cpu: committing.cpu - noticing.cpu },
      against: '5 x the noticing and 5 fsyncs',
      theirs: { median: 5 * (noticing.median + syncing.median), cpu: 5 * (noticing.cpu + syncing.cpu) },
      bar: 1,
    }),
    countRow(`99 of 100 slices, of ${slices.count} while 10 edits are noticed and committed`, {
      value: Math.round(slices.p99 * 10) / 10,
      bar: longestSlice,
      unit: 'ms',
    }),
    countRow('1,000 such edits, one after another: bytes newly in the store, every object counted', {
      value: Math.round(written / 1e4) / 100,
      bar: 6,
      unit: 'MB',
    }),
    timeRow('reading the whole of version 1,000 of them', {
      ours: newest,
      against: 'reading version 0',
      theirs: oldest,
      bar: 1.3,
    }),
  ]
  if (!python) return found
  const { pandas } = await race(import.meta.url, ['pandas'], { rounds: 1, warmUps: 0, context: { python } })
  found.push(
    timeRow('a one-number edit of that table, noticed and committed', {
      ours: committing,
      against: "pandas to_csv(compression='gzip') of the table",
      theirs: pandas,
      elsewhere: true,
    }),
  )
  return found
}

async function watch(folder, source, interval = never) {
  const { experiment } = await openEmbedded(folder)
  return { experiment, watched: await experiment.registerArtifact('table', source, { interval }) }
}

/** A store with a version for each of many edits; how many bytes the edits took. */
async function makeHistory(store) {
  const tidemark = await connect({ store })
  const experiment = await tidemark.createExperiment()
  const columns = makeColumns(rows)
  const watched = await experiment.registerArtifact('table', columns, { interval: never })
  const before = sizeOf(store)
  const random = randomNumbers(6)
  for (let edit = 0; edit < edits; edit++) {
    columns.delay[Math.floor(random() * rows)] = random() * 300
    await watched.flush()
  }
  const written = sizeOf(store) - before
  await experiment.end()
  await tidemark.close()
  return written
}

function sizeOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.reduce((sum, { parentPath, path, name }) => sum + statSync(join(parentPath ?? path, name)).size, 0)
}

async function reading(store, version) {
  const tidemark = await connect({ store })
  return {
    sample: async () => {
      await (await tidemark.getArtifact(`table:${version}`)).get()
    },
  }
}
