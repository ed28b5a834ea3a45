import { tableFromArrays } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { createBackend } from '../../src/backend/backend.ts'
import { arrays, json, type Logger, memoryStore, table } from '../../src/index.ts'
import { begin, open, places } from '../client/world.ts'
import { onlyComet } from '../conformance/only-comet.ts'
import { decoded, indexesOf, never, nextError, nextVersion, often } from './support.ts'

interface Flower {
  id: number
  label: string
  petals: number
}

const flowers = (): Flower[] => [
  { id: 1, label: 'rose', petals: 5 },
  { id: 2, label: 'tulip', petals: 6 },
  { id: 3, label: 'iris', petals: 3 },
]

describe.each(places)('a watched table over $place', ({ open: openStore }) => {
  it('becomes a version when it is registered, and one for each change that is noticed', async () => {
    const { experiment } = await begin({ store: await openStore() })
    const rows = flowers()
    const train = await experiment.registerArtifact('train', rows, { metadata: { split: 'train' }, interval: often })
    expect(train.name).toBe('train')
    expect(train.source).toBe(rows)
    expect(train.pending).toBe(false)
    expect(train.latest?.version).toBe('1.0.0')
    expect(await decoded(train.latest)).toEqual(flowers())
    const noticed = nextVersion(train)
    rows[1].label = 'lily'
    const logged = await noticed
    expect(train.latest).toBe(logged)
    expect(logged.version).toBe('2.0.0')
    expect(logged.metadata).toEqual({ split: 'train' })
    expect(await decoded(logged)).toEqual(rows)
    await experiment.end()
    expect(await indexesOf(experiment, 'train')).toEqual([0, 1])
  })

  it('is looked at a last time at the end, when its block is left, and when the connection closes', async () => {
    const store = await openStore()
    const { tidemark, experiment } = await begin({ store })
    const rows = flowers()
    {
      await using inner = await tidemark.createExperiment()
      await inner.registerArtifact('train', rows)
      rows.push({ id: 4, label: 'aster', petals: 34 })
    }
    expect(await decoded(await experiment.getArtifact('train'))).toEqual(rows)
    await experiment.registerArtifact('train', rows)
    rows.pop()
    await experiment.end()
    expect(await decoded(await experiment.getArtifact('train:v2'))).toEqual(flowers())
    expect(experiment.getRegisteredArtifacts().size).toBe(0)

    const last = await tidemark.createExperiment()
    await last.registerArtifact('train', rows)
    rows[0].petals = 100
    await tidemark.close()
    if (typeof store !== 'string') return
    const again = await open({ store })
    expect(await decoded(await again.getArtifact('train:v3'))).toEqual(rows)
  })
})

describe('what can be watched', () => {
  const cells = { id: new Int32Array([1, 2]), label: ['a', 'b'], score: new Float64Array([0.5, 1]) }

  it.each([
    ['an array of records', [{ id: 1 }, { id: 2 }]],
    ['an array without records', []],
    ['an object of columns', cells],
    ['columns in table(...)', table(cells)],
    ['records in table(...)', table([{ nested: { a: [1] } }])],
    ['an Arrow table', tableFromArrays({ id: new Int32Array([1, 2]) })],
    ['record batches', tableFromArrays({ id: new Int32Array([1, 2]) }).batches],
    ['a function', () => [{ id: 1 }]],
    ['an async function', async () => cells],
    ['a function that gives a wrapped value', () => table(cells)],
  ])('%s', async (_, source) => {
    const { experiment } = await begin()
    const watched = await experiment.registerArtifact('table', source)
    expect(experiment.getRegisteredArtifacts()).toEqual(new Map([['table', source]]))
    const [asset] = (await watched.latest?.getAssets()) ?? []
    expect(asset).toMatchObject({ logicalPath: 'table.arrow', type: 'table' })
    await watched.flush()
    expect(watched.latest?.index).toBe(0)
  })

  it('typed arrays in arrays(...), of which the version is an npz', async () => {
    const { experiment } = await begin()
    const weights = {
      w: new Float32Array([1, 2, 3]),
      deep: { data: new Float64Array(4), shape: [2, 2] },
      list: [
        [1, 2],
        [3, 4],
      ],
    }
    const watched = await experiment.registerArtifact('weights', arrays(weights))
    const noted = [watched.latest?.index]
    for (const edit of [
      () => (weights.w[1] = 9),
      () => (weights.deep.data[3] = 1),
      () => (weights.deep.shape = [4]),
      () => (weights.list[1][1] = 5),
      () => undefined,
    ]) {
      edit()
      await watched.flush()
      noted.push(watched.latest?.index)
    }
    expect(noted).toEqual([0, 1, 2, 3, 4, 4])
    expect(await watched.latest?.get()).toEqual({
      w: expect.objectContaining({ data: new Float32Array([1, 9, 3]) }),
      deep: expect.objectContaining({ data: new Float64Array([0, 0, 0, 1]), shape: [4] }),
      list: expect.objectContaining({ data: new Float64Array([1, 2, 3, 5]), shape: [2, 2] }),
    })
  })

  it.each([
    ['a number', 5],
    ['null', null],
    ['a string', 'rows.csv'],
    ['a list of numbers', [1, 2]],
    ['an object that is no columns', { a: 1 }],
    ['a value in another wrapper', json([{ a: 1 }])],
    ['a function that gives no columns', () => ({ a: 'b' })],
    ['a function that gives a function', () => () => []],
    ['a Map', new Map()],
    ['a promise', Promise.resolve([])],
    ['a bare typed array', new Float32Array(3)],
  ])('not %s', async (_, source) => {
    const { experiment } = await begin()
    await expect(experiment.registerArtifact('table', source)).rejects.toMatchObject({ code: 'unsupported-source' })
    expect(experiment.getRegisteredArtifacts().size).toBe(0)
  })

  it('not with options that mean nothing', async () => {
    const { experiment } = await begin()
    const wrong = (options: object) => expect(experiment.registerArtifact('table', flowers(), options)).rejects
    await wrong({ intervall: 5 }).toMatchObject({ code: 'unknown-option' })
    await wrong({ interval: 0 }).toMatchObject({ code: 'invalid-option' })
    await wrong({ interval: 2 ** 31 }).toMatchObject({ code: 'invalid-option' })
    await wrong({ keep: 0 }).toMatchObject({ code: 'invalid-option' })
    await wrong({ keep: 1.5 }).toMatchObject({ code: 'invalid-option' })
    await wrong({ key: 3 }).toMatchObject({ code: 'invalid-option' })
    await wrong({ key: 'labels' }).toMatchObject({
      code: 'key-column-missing',
      message: expect.stringContaining("'label'"),
    })
    await expect(experiment.registerArtifact('a/b', flowers())).rejects.toMatchObject({ code: 'invalid-name' })
    await experiment.end()
    await expect(experiment.registerArtifact('table', flowers())).rejects.toMatchObject({ code: 'experiment-ended' })
  })
})

describe('a table that changes', () => {
  it('its rows, columns and types: each an ordinary change, also when nothing is left', async () => {
    const { experiment } = await begin()
    const rows: Record<string, unknown>[] = flowers().map((flower) => ({ ...flower }))
    const watched = await experiment.registerArtifact('table', rows, { interval: never })
    const edits: (() => void)[] = [
      () => rows.push({ id: 4, label: 'aster', petals: 34 }),
      () => rows.splice(1, 1),
      () => rows.reverse(),
      () => rows.map((row) => Object.assign(row, { origin: 'field' })),
      () => rows.map((row) => Reflect.deleteProperty(row, 'petals')),
      () => rows.map((row) => Object.assign(row, { id: String(row.id) })),
      () => Object.assign(rows[0], { label: null }),
      () => rows.splice(0),
      () => rows.push({ id: 1 }),
    ]
    for (const [at, edit] of edits.entries()) {
      edit()
      await watched.flush()
      expect(watched.latest?.index).toBe(at + 1)
      const read = await decoded(watched.latest)
      expect(read).toEqual(rows)
    }
  })

  it('is a version only where it is another table: not for equal columns in other arrays', async () => {
    const { experiment } = await begin()
    const columns: Record<string, unknown> = {
      id: new Int32Array([1, 2]),
      label: ['a', null],
      score: [0.5, Number.NaN],
    }
    const watched = await experiment.registerArtifact('table', columns, { interval: never })
    const seen = new Set<number | undefined>()
    for (const edit of [
      () => undefined,
      () => Object.assign(columns, { id: new Int32Array([1, 2]), label: ['a', undefined] }),
      () => Object.assign(columns, { score: Float64Array.from([0.5, Number.NaN]) }),
    ]) {
      edit()
      await watched.flush()
      seen.add(watched.latest?.index)
    }
    expect([...seen]).toEqual([0])
    expect(await indexesOf(experiment, 'table', 3)).toEqual([0])
  })

  it('in many places at once is one version', async () => {
    const { experiment } = await begin()
    const rows = flowers()
    const watched = await experiment.registerArtifact('table', rows, { interval: never })
    for (const row of rows) row.petals += 1
    await Promise.all([watched.flush(), watched.flush(), watched.flush()])
    expect(await indexesOf(experiment, 'table', 4)).toEqual([0, 1])
  })

  it('by being another one: a function, or registered anew, where listeners stay', async () => {
    const { experiment } = await begin()
    let current = tableFromArrays({ id: new Int32Array([1, 2]) })
    const watched = await experiment.registerArtifact('table', () => current, { interval: never })
    current = tableFromArrays({ id: new Int32Array([1, 3]) })
    await watched.flush()
    expect(await decoded(watched.latest)).toEqual([{ id: 1 }, { id: 3 }])

    const indexes: number[] = []
    watched.addEventListener('version', ({ logged }) => indexes.push(logged.index))
    const rows = flowers()
    current = tableFromArrays({ id: new Int32Array([4]) })
    const again = await experiment.registerArtifact('table', rows, { interval: never, metadata: { from: 'field' } })
    expect(again).toBe(watched)
    expect(again.source).toBe(rows)
    expect(again.latest?.metadata).toEqual({ from: 'field' })
    // The last state of the old source, and the new one.
    expect(indexes).toEqual([2, 3])
    expect(await decoded(await experiment.getArtifact('table:v2'))).toEqual([{ id: 4 }])
    expect(await decoded(again.latest)).toEqual(rows)
  })

  it('of a function, which is called once for each look', async () => {
    const { experiment } = await begin()
    let calls = 0
    const watched = await experiment.registerArtifact('view', () => [{ calls: ++calls }], { interval: never })
    expect(calls).toBe(1)
    await watched.flush()
    expect(calls).toBe(2)
    expect(await decoded(watched.latest)).toEqual([{ calls: 2 }])
    await watched.unregister({ discard: true })
  })

  it('of many tables at the same time leaves others their turn', async () => {
    const { experiment } = await begin()
    const tables = Array.from({ length: 200 }, (_, id) => [{ id }])
    await Promise.all(tables.map((rows, id) => experiment.registerArtifact(`t${id}`, rows, { interval: never })))
    for (const [row] of tables) row.id = -row.id
    let ended = false
    const ending = experiment.end().then(() => {
      ended = true
    })
    let turns = 0
    while (!ended) {
      turns++
      await new Promise((resolve) => setImmediate(resolve))
    }
    await ending
    // One for each look and one for each commit, about; without any, all of them were one task.
    expect(turns).toBeGreaterThan(tables.length)
  })

  it('under two experiments at once, and under two names', async () => {
    const store = memoryStore()
    const one = await begin({ store })
    const other = await begin({ store })
    const rows = flowers()
    const watched = await Promise.all([
      one.experiment.registerArtifact('table', rows, { interval: often }),
      other.experiment.registerArtifact('table', rows, { interval: often }),
      other.experiment.registerArtifact('copy', rows, { interval: often }),
    ])
    for (let edit = 0; edit < 5; edit++) {
      const noticed = watched.map(nextVersion)
      rows[edit % 3].petals += 1
      for (const logged of await Promise.all(noticed)) expect(await decoded(logged)).toEqual(rows)
    }
    await Promise.all([one.experiment.end(), other.experiment.end()])
    const versions = await indexesOf(one.experiment, 'table', 12)
    expect(await decoded(await one.experiment.getArtifact('table'))).toEqual(rows)
    // Equal content is one version, whoever saw it first.
    expect(versions).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('keeps the order of rows and columns, and an index column', async () => {
    const { experiment } = await begin()
    const columns = { '': new Int32Array([7, 3, 5]), z: [1, 2, 3], a: ['x', 'y', 'z'] }
    const watched = await experiment.registerArtifact('table', columns)
    expect(await decoded(watched.latest)).toEqual([
      { '': 7, z: 1, a: 'x' },
      { '': 3, z: 2, a: 'y' },
      { '': 5, z: 3, a: 'z' },
    ])
    expect(Object.keys((await decoded(watched.latest))[0])).toEqual(['', 'z', 'a'])
  })
})

describe('a table that is wrong for a while', () => {
  it('is an error event once, and a version when it is right again', async () => {
    const { experiment } = await begin()
    const rows: Record<string, unknown>[] = [{ id: 1 }, { id: 2 }]
    const watched = await experiment.registerArtifact('table', rows, { interval: often })
    const errors: unknown[] = []
    watched.addEventListener('error', ({ error }) => errors.push(error))
    const wrong = nextError(watched)
    rows[1].id = 'two'
    expect(await wrong).toMatchObject({ code: 'mixed-column' })
    expect(watched.pending).toBe(true)
    await expect(watched.flush()).rejects.toMatchObject({ code: 'mixed-column' })
    const told = errors.length
    await new Promise((resolve) => setTimeout(resolve, 20 * often))
    expect(errors.length).toBe(told)
    const right = nextVersion(watched)
    rows[1].id = 3
    expect(await decoded(await right)).toEqual([{ id: 1 }, { id: 3 }])
    expect(watched.pending).toBe(false)
  })

  it.each([
    ['a function that throws', () => Promise.reject(new Error('no such view')), 'source-failed', /no such view/],
    ['a function that throws no error', () => Promise.reject(), 'source-failed', /it threw undefined/],
    [
      'a cell that throws',
      () => [Object.defineProperty({}, 'id', { enumerable: true, get: boom })],
      'value-unreadable',
      /no such cell/,
    ],
  ])(
    'by %s is told as an error of ours, with the name of the table, and mended by the next look',
    async (_, fail, code, reason) => {
      const { experiment } = await begin()
      let source: () => unknown = () => [{ id: 1 }]
      const watched = await experiment.registerArtifact('view', () => source(), { interval: never })
      source = fail
      const refused = { code, message: expect.stringMatching(/^Watching 'view': /), fields: { artifact: 'view' } }
      await expect(watched.flush()).rejects.toMatchObject(refused)
      await expect(watched.flush()).rejects.toMatchObject({ message: expect.stringMatching(reason) })
      await expect(experiment.end()).rejects.toMatchObject(refused)
      source = () => [{ id: 2 }]
      await experiment.end()
      expect(await decoded(watched.latest)).toEqual([{ id: 2 }])
    },
  )

  it('holds up the end, which can be tried again', async () => {
    const { experiment } = await begin()
    const rows: Record<string, unknown>[] = [{ id: 1 }, { id: 2 }]
    await experiment.registerArtifact('table', rows)
    rows[1].id = 'two'
    await expect(experiment.end()).rejects.toMatchObject({ code: 'mixed-column' })
    await expect(experiment.unregisterArtifact('table')).rejects.toMatchObject({ code: 'mixed-column' })
    expect(experiment.getRegisteredArtifacts().size).toBe(1)
    rows[1].id = 4
    await experiment.end()
    expect(await decoded(await experiment.getArtifact('table'))).toEqual(rows)
  })

  it('is told to the logger when nobody listens', async () => {
    const lines: string[] = []
    const ignore = () => undefined
    const logger: Logger = { debug: ignore, info: ignore, warn: ignore, error: (line) => lines.push(line) }
    const { experiment } = await begin({ store: memoryStore(), logger })
    const rows: Record<string, unknown>[] = [{ id: 1 }, { id: 2 }]
    const watched = await experiment.registerArtifact('table', rows, { interval: often })
    rows[1].id = 'two'
    await expect
      .poll(() => lines)
      .toEqual([expect.stringMatching(/^Watching 'table': Column 'id' holds values of two types/)])
    await watched.unregister({ discard: true })
  })
})

function boom(): never {
  throw new Error('no such cell')
}

describe('unregistering', () => {
  it('takes a last look, and then none', async () => {
    const { experiment } = await begin()
    const rows = flowers()
    const watched = await experiment.registerArtifact('table', rows, { interval: often })
    rows[0].petals = 50
    await experiment.unregisterArtifact('table')
    expect(watched.latest?.index).toBe(1)
    rows[0].petals = 51
    await new Promise((resolve) => setTimeout(resolve, 10 * often))
    await expect(watched.flush()).rejects.toMatchObject({ code: 'not-watched' })
    await expect(watched.unregister()).rejects.toMatchObject({ code: 'not-watched' })
    expect(await indexesOf(experiment, 'table', 3)).toEqual([0, 1])
    expect(experiment.getRegisteredArtifacts().size).toBe(0)
    await expect(experiment.unregisterArtifact('tables')).rejects.toMatchObject({ code: 'not-watched' })
  })

  it('takes no last look with discard', async () => {
    const { experiment } = await begin()
    const rows = flowers()
    const watched = await experiment.registerArtifact('table', rows, { interval: never })
    rows[0].petals = 50
    await watched.unregister({ discard: true })
    expect(await indexesOf(experiment, 'table', 3)).toEqual([0])
  })
})

describe('an experiment that is deleted', () => {
  it('watches no longer, and lets the connection close', async () => {
    const { tidemark, experiment } = await begin()
    const rows = flowers()
    const watched = await experiment.registerArtifact('table', rows, { interval: often })
    const errors: unknown[] = []
    watched.addEventListener('error', ({ error }) => errors.push(error))
    await experiment.delete()
    rows.pop()
    expect([...experiment.getRegisteredArtifacts().keys()]).toEqual([])
    await expect(watched.flush()).rejects.toMatchObject({ code: 'not-watched' })
    await tidemark.close()
    expect(errors).toEqual([])
  })
})

describe('what goes with each version', () => {
  it('type and aliases; the key is recorded', async () => {
    const { experiment } = await begin()
    const rows = flowers()
    const watched = await experiment.registerArtifact('table', rows, { type: 'dataset', aliases: ['live'], key: 'id' })
    rows.pop()
    await watched.flush()
    expect(watched.latest).toMatchObject({ type: 'dataset', aliases: ['live'], index: 1 })
    expect((await experiment.getArtifact('table:live')).index).toBe(1)
    expect((await experiment.getArtifact('table:v0')).aliases).toEqual([])
  })

  it('keep: older versions of this experiment go, but for those with an alias and those of others', async () => {
    const { tidemark, experiment: before } = await begin()
    await before.uploadArtifact('table', table([{ id: 0 }]))
    const experiment = await tidemark.createExperiment()
    const rows = flowers()
    const watched = await experiment.registerArtifact('table', rows, { keep: 2, interval: never })
    for (let edit = 0; edit < 5; edit++) {
      if (edit === 2) await watched.latest?.updateAliases(['golden'])
      rows[0].petals += 1
      await watched.flush()
    }
    // 0 is another's, 3 is golden.
    expect(await indexesOf(experiment, 'table', 8)).toEqual([0, 3, 5, 6])
    expect(await decoded(watched.latest)).toEqual(rows)
    await experiment.end()
    expect(await tidemark.collectGarbage({ graceMs: 0 })).toMatchObject({ packsDeleted: expect.any(Number) })
    expect(await decoded(await experiment.getArtifact('table:golden'))).toHaveLength(3)
    expect(await decoded(await experiment.getArtifact('table'))).toEqual(rows)
  })

  it('keep is refused where versions cannot be deleted', async () => {
    const fetch = onlyComet(createBackend({ records: memoryStore(), blobs: memoryStore() }).fetch)
    const { experiment } = await begin({ url: 'https://server.example', fetch })
    await expect(experiment.registerArtifact('table', flowers(), { keep: 2 })).rejects.toMatchObject({
      code: 'server-cannot',
      message: expect.stringContaining('keep'),
    })
    expect(experiment.getRegisteredArtifacts().size).toBe(0)
  })
})
