import type { Table } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { Artifact } from '../../src/index.ts'
import { begin } from './world.ts'

const records = (count: number, salt = 0) =>
  Array.from({ length: count }, (_, id) => ({ id: id + salt, name: `row ${id ^ salt}`, late: id % 3 === 0 }))

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && 'batches' in value
}

/** As plain records; digests and such are not what this is about. */
function rowsOf(value: unknown): unknown[] {
  if (!isTable(value)) throw new TypeError('Not a table.')
  return value.toArray().map((row) => ({ ...row }))
}

describe('more records than are looked at first', () => {
  const flat = records(3000)

  it('are a table when all of them are flat', async () => {
    const { experiment } = await begin()
    const logged = await experiment.uploadArtifact('data', flat)
    expect((await logged.getAssets()).map(({ logicalPath }) => logicalPath)).toEqual(['data.arrow'])
    expect(rowsOf(await logged.get())).toEqual(flat)
  })

  it.each([
    ['a list', { id: 1, name: [1] }],
    ['an object', { id: 1, name: { first: 'a' } }],
    ['a list in a column of its own', { tags: ['x'] }],
    ['a Map', { id: 1, name: new Map([['a', 1]]) }],
    ['a record that is none', [1, 2]],
    ['another type in the same column, and a list', { id: 'one', name: ['x'] }],
  ])('are JSON when the last one holds %s, however they are logged', async (_what, last) => {
    const { experiment } = await begin()
    const value = [...flat, last]
    const logged = await experiment.uploadArtifact('data', value)
    expect((await logged.getAssets()).map(({ logicalPath }) => logicalPath)).toEqual(['data.json'])
    const artifact = new Artifact('added', 'dataset')
    await artifact.add(value, { logicalPath: 'data.json' })
    expect(artifact.assets.map(({ type }) => type)).toEqual(['json'])
    const added = await experiment.logArtifact(artifact)
    expect(await added.get()).toEqual(await logged.get())
  })

  it('are refused by the rules of what they are', async () => {
    const { experiment } = await begin()
    await expect(experiment.uploadArtifact('data', [...flat, { id: 'one' }])).rejects.toMatchObject({
      code: 'mixed-column',
    })
    await expect(experiment.uploadArtifact('data', [...flat, { id: () => 1 }])).rejects.toMatchObject({
      code: 'unsupported-value',
    })
  })
})

describe('memory that serves again', () => {
  it('never shows in another version: one after another, side by side, after one that failed', async () => {
    const { experiment } = await begin()
    const first = await experiment.uploadArtifact('first', records(30_000, 1))
    await expect(experiment.uploadArtifact('bad', [...records(30_000, 9), { id: 'x' }])).rejects.toThrow('two types')
    const [second, third] = await Promise.all([
      experiment.uploadArtifact('second', records(20_000, 2)),
      experiment.uploadArtifact('third', records(40_000, 3)),
    ])
    const fourth = await experiment.uploadArtifact('first', records(30_000, 4))
    const all = await Promise.all([first, second, third, fourth].map(async (logged) => rowsOf(await logged.get())))
    expect(all.map(({ length }) => length)).toEqual([30_000, 20_000, 40_000, 30_000])
    for (const [index, [count, salt]] of [
      [30_000, 1],
      [20_000, 2],
      [40_000, 3],
      [30_000, 4],
    ].entries())
      expect(JSON.stringify(all[index])).toBe(JSON.stringify(records(count, salt)))
  })
})
