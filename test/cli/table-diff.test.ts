import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { cellText, changedTexts, cutTogether } from '../../src/cli/cell-text.ts'
import { displayWidth } from '../../src/cli/cells.ts'
import { exactJson } from '../../src/cli/exact-json.ts'
import { plainStyle, styleFor } from '../../src/cli/style.ts'
import { tableDiffLines } from '../../src/cli/table-diff.ts'
import type { TableDiff } from '../../src/index.ts'
import { bundleProgram, type Program } from './program.ts'

const found: TableDiff = {
  key: ['id'],
  columns: {
    added: [{ name: 'tag', type: 'Utf8' }],
    removed: [{ name: 'old', type: 'Bool' }],
    renamed: [{ from: 'loss', to: 'cost', type: 'Float64' }],
    retyped: [{ name: 'n', before: 'Int32', after: 'Int64' }],
    reordered: true,
  },
  rowsBefore: 1_000_000,
  rowsAfter: 1_000_001,
  added: 1,
  removed: 0,
  changed: 120,
  cells: 121,
  cellsByColumn: { score: 120, label: 1 },
  rows: [
    {
      change: 'changed',
      before: 12,
      after: 12,
      key: { id: 7 },
      cells: { score: { before: 0.5, after: null }, label: { before: 'a tulip', after: 'an iris' } },
    },
    { change: 'changed', before: 40, after: 41, key: { id: 8 }, cells: { score: { before: 0, after: -0 } } },
    {
      change: 'added',
      after: 900,
      key: { id: 99 },
      values: { id: 99, score: Number.NaN, label: `a label that goes on ${'and on '.repeat(20)}`, at: new Date(0) },
    },
  ],
}

describe('a table that changed, in lines', () => {
  test('says how much, which columns, and which cells', () => {
    expect(tableDiffLines(found, { style: plainStyle, width: undefined })).toEqual([
      '  +1 row, -0, ~121 cells in 2 columns  1,000,000 → 1,000,001 rows, matched by id',
      '  + column tag Utf8',
      '  - column old Bool',
      '  ~ column loss → cost (renamed, Float64)',
      '  ~ column n: Int32 → Int64',
      '  ~ columns are in another order',
      '        ROW  id  score       label                             at',
      '  ~      12  7   0.5 → null  a tulip → an iris',
      '  ~ 40 → 41  8   0 → -0',
      '  +     900  99  NaN         a label that goes on and on and…  1970-01-01 00:00:00Z',
      '  … 118 more rows: --limit says how many are shown',
    ])
  })

  test('fits the terminal: cells are cut, and columns that have no room are counted', () => {
    for (const width of [30, 40, 60, 80, 200]) {
      const rows = tableDiffLines(found, { style: plainStyle, width }).filter((line) => /^ {2}[~+-] +\d/.test(line))
      expect(rows).toHaveLength(3)
      for (const line of rows) expect(displayWidth(line)).toBeLessThanOrEqual(width)
    }
    expect(tableDiffLines(found, { style: plainStyle, width: 50 }).slice(6)).toEqual([
      '        ROW  id  score       label',
      '  ~      12  7   0.5 → null  a tulip → an iris',
      '  ~ 40 → 41  8   0 → -0',
      '  +     900  99  NaN         a label that goes on…',
      '  … 1 more column: a wider terminal shows more',
      '  … 118 more rows: --limit says how many are shown',
    ])
  })

  test('is red before and green after where there are colours', () => {
    const style = styleFor({ isTTY: true, env: {} })
    const [, , , , , , , changed, , added] = tableDiffLines(found, { style, width: undefined })
    expect(changed).toContain('\u001b[31m0.5\u001b[39m\u001b[2m → \u001b[22m\u001b[32mnull\u001b[39m')
    expect(added).toContain('\u001b[32m+\u001b[39m')
  })

  test('without rows that differ is told in a line', () => {
    const same = {
      ...found,
      added: 0,
      changed: 0,
      cells: 0,
      cellsByColumn: {},
      rows: [],
      key: null,
      rowsAfter: 1_000_000,
    }
    const columns = { added: [], removed: [], renamed: [], retyped: [], reordered: false }
    expect(tableDiffLines({ ...same, columns }, { style: plainStyle, width: undefined })).toEqual([
      '  +0 rows, -0, ~0 cells  1,000,000 rows, matched by position',
    ])
  })
})

describe('a cell', () => {
  test('is one line of text', () => {
    expect([null, true, 1n, '', 'a\nb\t\u001b[31m', [1, 'x'], { a: new Date(0) }].map(cellText)).toEqual([
      'null',
      'true',
      '1',
      "''",
      'a\\nb\\t\ufffd[31m',
      '[1,"x"]',
      '{"a":"1970-01-01T00:00:00.000Z"}',
    ])
    expect(cellText(Uint8Array.from({ length: 10 }, (_, byte) => byte))).toBe('<10 bytes: 00 01 02 03 04 05 06 07 …>')
  })

  test('that differs looks different', () => {
    expect(changedTexts(1, '1')).toEqual(['1', "'1'"])
    const long = 'the same words for a long while and then '
    expect(cutTogether(`${long}one`, `${long}another thing altogether`, 16)).toEqual(['…hen one', '…hen another th…'])
    expect(cutTogether('one, and much that follows it', 'two, and much that follows it', 12)).toEqual([
      'one, and mu…',
      'two, and mu…',
    ])
  })

  test('is exact in JSON', () => {
    const value = {
      a: 2n ** 63n,
      b: [Number.NaN, -0, Number.NEGATIVE_INFINITY],
      c: new Date(1),
      d: Uint8Array.of(1, 2),
    }
    expect(JSON.stringify(exactJson(value))).toBe(
      '{"a":"9223372036854775808","b":["NaN","-0","-Infinity"],"c":"1970-01-01T00:00:00.001Z","d":"AQI="}',
    )
  })
})

describe('tidemark diff', () => {
  let program: Program
  beforeAll(async () => {
    program = await bundleProgram()
  }, 300_000)
  afterAll(() => program.remove())

  async function twoVersions(): Promise<string> {
    const cwd = await mkdtemp(join(tmpdir(), 'tidemark-cli-'))
    onTestFinished(() => rm(cwd, { recursive: true, force: true }))
    const columns = { id: Int32Array.of(1, 2, 3), score: Float64Array.of(0.5, 1, 2), name: ['a', 'b', 'c'] }
    const edited = { id: Int32Array.of(1, 3, 4), score: Float64Array.of(0.75, 2, 9), name: ['a', 'c', 'd'] }
    for (const one of [columns, edited]) {
      await writeFile(join(cwd, 'train.arrow'), tableToIPC(tableFromArrays(one), 'stream'))
      expect(await program.run(['put', 'train', 'train.arrow'], { cwd })).toMatchObject({ code: 0, err: '' })
    }
    return cwd
  }

  test('shows the rows of a table', async () => {
    const cwd = await twoVersions()
    const run = (...args: string[]) => program.run(['diff', 'train:v0', ':v1', ...args], { cwd })
    const { out, code } = await run('--key', 'id')
    expect(code).toBe(0)
    expect(out.split('\n').slice(2)).toEqual([
      '  +1 row, -1, ~1 cell in 1 column  3 rows, matched by id',
      '    ROW  id  score       name',
      '  -   1  2   1           b',
      '  ~   0  1   0.5 → 0.75',
      '  +   2  4   9           d',
      '0 added, 0 removed, 1 changed',
      '',
    ])
    expect((await run('--limit', '1')).out).toContain('… 2 more rows')
    const { changed } = JSON.parse((await run('--json', '--key', 'id', '--limit', 'all')).out)
    expect(changed[0]).toMatchObject({
      path: 'train.arrow',
      table: {
        key: ['id'],
        added: 1,
        removed: 1,
        changed: 1,
        rows: [
          { change: 'removed', before: 1, key: { id: 2 }, values: { id: 2, score: 1, name: 'b' } },
          { change: 'changed', before: 0, after: 0, cells: { score: { before: 0.5, after: 0.75 } } },
          { change: 'added', after: 2 },
        ],
      },
    })
  })

  test('refuses what makes no sense', async () => {
    const cwd = await twoVersions()
    const run = (...args: string[]) => program.run(['diff', 'train:v0', ':v1', ...args], { cwd })
    expect(await run('--limit', 'few')).toMatchObject({ code: 2, err: expect.stringContaining('--limit is a number') })
    expect(await run('--key', 'id', '--by-position')).toMatchObject({ code: 2 })
    expect(await run('--key', 'ide')).toMatchObject({ code: 2, err: expect.stringContaining("Did you mean 'id'?") })
  })
})
