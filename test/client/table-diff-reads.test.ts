import { expect, it } from 'vitest'
import { connect, memoryStore, type Store, table } from '../../src/index.ts'
import { tableDiff } from './table-diff-support.ts'

/** The table: 1,000,000 rows of 7 columns; the same every time. */
function millionRows() {
  const rows = 1_000_000
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const words = Array.from({ length: 500 }, (_, index) => `word${index}`)
  const word = () => words[Math.floor(random() * words.length)]
  return {
    id: Int32Array.from({ length: rows }, (_, row) => row),
    at: Array.from({ length: rows }, (_, row) => new Date(1.6e12 + row * 1000)),
    score: Float64Array.from({ length: rows }, random),
    loss: Float64Array.from({ length: rows }, random),
    label: Array.from({ length: rows }, () => `label ${Math.floor(random() * 20)}`),
    text: Array.from({ length: rows }, () => `${word()} ${word()} ${word()} ${word()}`),
    ok: Array.from({ length: rows }, () => random() < 0.5),
  }
}

/** Notes every key that is read, and how many bytes of it. */
function readsOf(store: Store): { store: Store; keys: string[]; sizes: number[] } {
  const keys: string[] = []
  const sizes: number[] = []
  const { uri, put, list } = store
  return {
    keys,
    sizes,
    store: {
      uri,
      put: put.bind(store),
      delete: store.delete.bind(store),
      list: list.bind(store),
      get: async (key, ...rest) => {
        keys.push(key)
        const found = await store.get(key, ...rest)
        sizes.push(found?.bytes.length ?? 0)
        return found
      },
    },
  }
}

it('one cell in a million rows is found with ten reads, whichever way rows are matched', async () => {
  const kept = memoryStore()
  const writer = await connect({ store: kept })
  const experiment = await writer.createExperiment({ project: 'train' })
  const columns = millionRows()
  await experiment.uploadArtifact('train', table(columns))
  const old = columns.score[700_000]
  columns.score[700_000] = 7
  await experiment.uploadArtifact('train', table(columns))
  await writer.close()

  for (const key of [undefined, 'id']) {
    const { store, keys } = readsOf(kept)
    const tidemark = await connect({ store })
    const v0 = await tidemark.getArtifact('train:v0')
    const v1 = await tidemark.getArtifact('train:v1')
    const found = keys.length
    expect(await tableDiff(v0, v1, { key })).toMatchObject({
      rowsAfter: 1_000_000,
      added: 0,
      removed: 0,
      changed: 1,
      cells: 1,
      rows: [{ before: 700_000, cells: { score: { before: old, after: 7 } } }],
    })
    // Ranges read for the difference, and objects in all, with heads and records.
    expect(keys.length - found).toBeLessThanOrEqual(10)
    expect(new Set(keys).size).toBeLessThanOrEqual(10)
    await tidemark.close()
  }
}, 300_000)

it('of a column that was rewritten only that column is read, of one that was added none', async () => {
  const kept = memoryStore()
  const writer = await connect({ store: kept })
  const experiment = await writer.createExperiment({ project: 'train' })
  const rows = 100_000
  const columns = {
    id: Int32Array.from({ length: rows }, (_, row) => row),
    score: Float64Array.from({ length: rows }, (_, row) => Math.sin(row)),
    text: Array.from(
      { length: rows },
      (_, row) => `text ${(row * 7919) % 100_003} and some more of it, long enough to weigh`,
    ),
  }
  const before = await experiment.uploadArtifact('train', table(columns))
  const rewritten = await experiment.uploadArtifact(
    'train',
    table({ ...columns, score: columns.score.map((x) => x + 1) }),
  )
  const wider = await experiment.uploadArtifact('train', table({ ...columns, fresh: columns.score.map((x) => x * 2) }))
  await writer.close()

  const { store, sizes } = readsOf(kept)
  const tidemark = await connect({ store })
  const [v0, v1, v2] = await Promise.all(
    [before, rewritten, wider].map(({ index }) => tidemark.getArtifact(`train:v${index}`)),
  )
  const read = async (run: () => Promise<unknown>) => {
    sizes.length = 0
    await run()
    return sizes.reduce((sum, size) => sum + size, 0)
  }
  const column = columns.score.byteLength
  const bytes = await read(async () =>
    expect(await tableDiff(v0, v1, { limit: 0 })).toMatchObject({ changed: rows, cellsByColumn: { score: rows } }),
  )
  expect(bytes).toBeLessThan(2 * column + 200_000)
  const none = await read(async () =>
    expect(await tableDiff(v0, v2, { key: 'id' })).toMatchObject({
      changed: 0,
      columns: { added: [{ name: 'fresh' }] },
    }),
  )
  expect(none).toBeLessThan(column)
})
