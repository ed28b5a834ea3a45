import { deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, memoryStore, type RegisteredArtifact, type Store, table } from '../src/index.ts'
import { type Columns, makeColumns, randomNumbers, splice } from './watch/flights.ts'

const kB = 1000
// A tenth of this on an idle machine.
const timeout = 300_000
// Looks are asked for here; nobody waits for one.
const never = 2 ** 31 - 1

/** A store that counts what is written: every object, packs and records alike. */
function countingStore() {
  const store = memoryStore()
  const counted = { bytes: 0, objects: 0 }
  const counting: Store = {
    ...store,
    put: async (key, bytes, options) => {
      const done = await store.put(key, bytes, options)
      counted.bytes += bytes.length
      counted.objects += 1
      return done
    },
  }
  return { store: counting, counted }
}

async function watch(columns: Columns) {
  const { store, counted } = countingStore()
  const tidemark = await connect({ store })
  const experiment = await tidemark.createExperiment()
  const watched = await experiment.registerArtifact('flights', columns, { interval: never })
  /** What the edit costs: all that is newly written until its version is committed. */
  const costOf = async (edit: () => void) => {
    const before = { ...counted }
    edit()
    await watched.flush()
    return { bytes: counted.bytes - before.bytes, objects: counted.objects - before.objects }
  }
  return { tidemark, experiment, watched, costOf }
}

/** Bytes of a table alone, as an Arrow stream, deflated. */
async function deflated(columns: Readonly<Record<string, ArrayLike<unknown>>>): Promise<number> {
  const tidemark = await connect({ store: memoryStore() })
  const experiment = await tidemark.createExperiment()
  const logged = await experiment.uploadArtifact('alone', table(columns))
  const bytes = new Uint8Array(await new Response(await logged.open()).arrayBuffer())
  await tidemark.close()
  return deflateRawSync(bytes).length
}

describe('bytes newly written for an edit of 1,000,000 rows x 7 columns', { timeout }, () => {
  const rows = 1_000_000
  const random = randomNumbers(7)
  const anyRow = () => Math.floor(random() * columns.id.length)
  let columns: Columns
  let watched: RegisteredArtifact
  let costOf: (edit: () => void) => Promise<{ bytes: number; objects: number }>
  let close: () => Promise<void>

  beforeAll(async () => {
    columns = makeColumns(rows)
    const watching = await watch(columns)
    ;({ watched, costOf } = watching)
    close = () => watching.tidemark.close()
  }, timeout)
  afterAll(() => close())

  it('logged again, unchanged: nothing', async () => {
    expect(await costOf(() => undefined)).toEqual({ bytes: 0, objects: 0 })
    // Others that are equal, in other arrays.
    expect(
      await costOf(() => Object.assign(columns, { delay: columns.delay.slice(), note: [...columns.note] })),
    ).toEqual({
      bytes: 0,
      objects: 0,
    })
  })

  it('one number changed: 3 kB', async () => {
    const { bytes } = await costOf(() => {
      columns.delay[500_000] += 1
    })

    expect(bytes).toBeLessThanOrEqual(3 * kB)
  })

  it('one text changed to one of another length: 10 kB', async () => {
    const { bytes } = await costOf(() => {
      columns.note[321_000] = 'late aircraft, crew rest, and then fog'
    })

    expect(bytes).toBeLessThanOrEqual(10 * kB)
  })

  it('100 scattered numbers changed: 16 kB', async () => {
    const { bytes } = await costOf(() => {
      for (let i = 0; i < 100; i++) columns.delay[anyRow()] = random() * 300
    })

    expect(bytes).toBeLessThanOrEqual(16 * kB)
  })

  it('one row inserted in the middle: 24 kB', async () => {
    const { bytes } = await costOf(() => splice(columns, 400_000, 400_000, makeColumns(1, { first: rows, seed: 2 })))

    expect(bytes).toBeLessThanOrEqual(24 * kB)
  })

  it('one row deleted in the middle: 24 kB', async () => {
    const { bytes } = await costOf(() => splice(columns, 600_000, 600_001))

    expect(bytes).toBeLessThanOrEqual(24 * kB)
  })

  it('1,000 rows appended: 1.15 x those rows alone, deflated, and 16 kB', async () => {
    const appended = makeColumns(1000, { first: rows + 1, seed: 3 })
    const alone = await deflated(appended)
    const { length } = columns.id
    const { bytes } = await costOf(() => splice(columns, length, length, appended))

    expect(bytes).toBeLessThanOrEqual(1.15 * alone + 16 * kB)
  })

  it('one of the columns rewritten: 1.05 x that column alone, deflated, and 48 kB', async () => {
    const delay = Float64Array.from(columns.delay, () => random() * 300)
    const alone = await deflated({ delay })
    const { bytes } = await costOf(() => Object.assign(columns, { delay }))

    expect(bytes).toBeLessThanOrEqual(1.05 * alone + 48 * kB)
  })

  it('a column added: 1.05 x that column alone, deflated, and 96 kB', async () => {
    const fare = Float64Array.from(columns.delay, () => random() * 1000)
    const alone = await deflated({ fare })
    const { bytes } = await costOf(() => Object.assign(columns, { fare }))

    expect(bytes).toBeLessThanOrEqual(1.05 * alone + 96 * kB)
  })

  it('a column dropped: 96 kB', async () => {
    const { bytes } = await costOf(() => Reflect.deleteProperty(columns, 'fare'))

    expect(bytes).toBeLessThanOrEqual(96 * kB)
  })

  it('and the last version reads as the table is', async () => {
    const read = await watched.latest?.get()
    if (!isTable(read)) throw new TypeError('No table came back.')
    expect(read.numRows).toBe(columns.id.length)
    for (const name of ['id', 'delay', 'distance'] as const)
      expect(Buffer.compare(bytesOf(read.getChild(name)?.toArray()), bytesOf(columns[name]))).toBe(0)
    const notes = Array.from(read.getChild('note') ?? [])
    expect(notes.findIndex((note, row) => note !== columns.note[row])).toBe(-1)
  })
})

describe('1,000 single-number edits, one after another, of 1,000,000 rows: 6 MB in all', { timeout }, () => {
  // What an edit costs depends on how many there were before in its chunk (245 of a column in 1,000,000 rows) and in its page of the manifest (256 chunks, so 8). An eighth of
  // the rows with an eighth of the edits has as many of each: eight times as much is the whole, but for the root page, a few lines.
  it('an eighth of the edits of an eighth of the rows: 750 kB', async () => {
    const rows = 1e6 / 8
    const random = randomNumbers(11)
    const columns = makeColumns(rows)
    const { tidemark, experiment, watched, costOf } = await watch(columns)
    let bytes = 0
    for (let edit = 0; edit < 1000 / 8; edit++) {
      bytes += (
        await costOf(() => {
          columns.delay[Math.floor(random() * rows)] = random() * 300
        })
      ).bytes
    }
    expect(bytes).toBeLessThanOrEqual((6000 * kB) / 8)
    expect(watched.latest?.index).toBe(125)
    await experiment.end()
    await tidemark.close()
  })
})

interface ReadTable {
  readonly numRows: number
  getChild(name: string): (Iterable<unknown> & { toArray(): unknown }) | null
}

function isTable(value: unknown): value is ReadTable {
  return typeof value === 'object' && value !== null && 'numRows' in value && 'getChild' in value
}

function bytesOf(values: unknown): Uint8Array {
  if (!ArrayBuffer.isView(values)) throw new TypeError('No typed array.')
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
