import fc from 'fast-check'
import { expect, it } from 'vitest'
import { begin } from '../client/world.ts'
import { asArrowGives } from '../codecs/as-arrow-gives.ts'
import { decoded, never } from './support.ts'

type Cell = string | number | boolean | null
type Row = Record<string, Cell | undefined>

const names = ['a', 'b', 'c', 'd']

/** What a column holds: a table's column has one type. */
const cells: Record<string, fc.Arbitrary<Cell>> = {
  a: fc.option(fc.double({ noNaN: true })),
  b: fc.option(fc.string({ unit: 'binary' })),
  c: fc.option(fc.boolean()),
  d: fc.option(fc.integer()),
}

const cell = fc.constantFrom(...names).chain((name) => cells[name].map((value) => ({ name, value })))
const row = fc.record(cells, { requiredKeys: ['a', 'd'] })
const place = fc.nat()

type Edit = (rows: Row[]) => void

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, cell).map(
    ([at, { name, value }]): Edit =>
      (rows) => {
        if (rows.length > 0) rows[at % rows.length][name] = value
      },
  ),
  fc.tuple(place, row).map(
    ([at, added]): Edit =>
      (rows) =>
        rows.splice(at % (rows.length + 1), 0, added),
  ),
  fc.tuple(place, place).map(
    ([at, count]): Edit =>
      (rows) =>
        rows.splice(at % (rows.length + 1), count % 9),
  ),
  fc.array(row, { maxLength: 40 }).map(
    (added): Edit =>
      (rows) =>
        rows.push(...added),
  ),
  fc.tuple(place, place).map(
    ([one, other]): Edit =>
      (rows) => {
        if (rows.length === 0) return
        const [i, j] = [one % rows.length, other % rows.length]
        ;[rows[i], rows[j]] = [rows[j], rows[i]]
      },
  ),
  // One column stays: rows of nothing are no table.
  fc.constantFrom(...names.slice(1)).map(
    (name): Edit =>
      (rows) => {
        for (const one of rows) Reflect.deleteProperty(one, name)
      },
  ),
  fc.constant<Edit>(() => undefined),
)

/** As they come back: every column of any row in every row, in order of first appearance; what is missing is null. */
function filled(rows: readonly Row[]): Record<string, Cell>[] {
  const columns = [...new Set(rows.flatMap(Object.keys))]
  return rows.map((one) => Object.fromEntries(columns.map((name) => [name, wellFormed(one[name] ?? null)])))
}

function asGiven(rows: readonly Row[]): Record<string, unknown>[] {
  return filled(rows).map((one) => Object.fromEntries(Object.entries(one).map(([k, v]) => [k, asArrowGives(v)])))
}

const wellFormed = (value: Cell): Cell => (typeof value === 'string' ? Buffer.from(value).toString() : value)

function textOf(rows: readonly Row[]): string {
  return JSON.stringify(filled(rows), (_, value) => (Object.is(value, -0) ? '-0' : value))
}

/** The rows as an object of columns. */
function columnsOf(rows: readonly Row[]): Record<string, Cell[]> {
  const all = filled(rows)
  return Object.fromEntries(Object.keys(all[0] ?? {}).map((name) => [name, all.map((one) => one[name])]))
}

it('after any edits, the latest version is the table as it is, of records as of columns', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 60 }),
      fc.array(fc.array(edit, { maxLength: 4 }), { minLength: 1, maxLength: 8 }),
      async (rows, turns) => {
        const { tidemark, experiment } = await begin()
        const records = await experiment.registerArtifact('records', rows, { interval: never })
        const columns = await experiment.registerArtifact('columns', () => columnsOf(rows), { interval: never })
        let versions = 1
        let before = textOf(rows)
        for (const edits of turns) {
          for (const one of edits) one(rows)
          await Promise.all([records.flush(), columns.flush()])
          const after = textOf(rows)
          expect(await decoded(records.latest)).toEqual(asGiven(rows))
          expect(await decoded(columns.latest)).toEqual(asGiven(rows))
          if (after !== before) versions += 1
          before = after
        }
        // No change, no version.
        expect(records.latest?.index).toBe(versions - 1)
        expect(columns.latest?.index).toBe(versions - 1)
        await tidemark.close()
      },
    ),
    { numRuns: 40 },
  )
})
