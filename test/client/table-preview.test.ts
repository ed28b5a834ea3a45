import { expect, it } from 'vitest'
import { table } from '../../src/index.ts'
import { begin } from './world.ts'

it('each version of a table has its own preview: schema, rows, a summary of each column, the first rows', async () => {
  const { experiment, tidemark } = await begin()
  const rows = [
    { id: 1, label: 'rose', at: new Date(0) },
    { id: 2, label: null, at: null },
    { id: 3, label: 'rose', at: new Date(1000) },
  ]
  await experiment.uploadArtifact('flowers', rows)
  await experiment.uploadArtifact('flowers', rows.with(0, { id: 7, label: 'tulip', at: new Date(0) }))
  await experiment.uploadArtifact('flowers', table({ id: new Float64Array(0), label: [] }))
  const preview = async (version: string) =>
    (await (await tidemark.getArtifact(`flowers:${version}`)).getAsset()).preview()
  expect(await preview('v0')).toEqual({
    kind: 'table',
    rows: 3,
    columnCount: 3,
    columns: [
      { name: 'id', type: 'Float64', nulls: 0, min: 1, max: 3, mean: 2, distinct: 3 },
      {
        name: 'label',
        type: 'Utf8',
        nulls: 1,
        min: 'rose',
        max: 'rose',
        distinct: 1,
        top: [{ value: 'rose', count: 2 }],
      },
      {
        name: 'at',
        type: 'Timestamp<MILLISECOND, UTC>',
        nulls: 1,
        min: '1970-01-01T00:00:00.000Z',
        max: '1970-01-01T00:00:01.000Z',
        distinct: 2,
      },
    ],
    head: [
      [1, 'rose', '1970-01-01T00:00:00.000Z'],
      [2, null, null],
      [3, 'rose', '1970-01-01T00:00:01.000Z'],
    ],
  })
  expect(await preview('v1')).toMatchObject({
    rows: 3,
    columns: [{ max: 7, mean: 4 }, { min: 'rose', max: 'tulip', distinct: 2 }, {}],
  })
  expect(await preview('v2')).toEqual({
    kind: 'table',
    rows: 0,
    columnCount: 2,
    columns: [
      { name: 'id', type: 'Float64', nulls: 0, distinct: 0 },
      { name: 'label', type: 'Null', nulls: 0 },
    ],
    head: [],
  })
})

it('a preview too large for the list of assets is kept beside it, and comes back whole', async () => {
  const { experiment } = await begin()
  const columns = Object.fromEntries(
    Array.from({ length: 300 }, (_, at) => [`column ${at}`, Float64Array.of(at, at + 1)]),
  )
  const logged = await experiment.uploadArtifact('wide', table(columns))
  const preview = await (await logged.getAsset()).preview()
  expect(preview).toMatchObject({ columnCount: 300, rows: 2 })
  expect(preview?.columns).toHaveLength(100)
})
