import { describe, expect, test } from 'vitest'
import { displayWidth, printable, shorten } from '../../src/cli/cells.ts'
import { styleFor } from '../../src/cli/style.ts'
import { renderTable } from '../../src/cli/table.ts'
import { versionTitle } from '../../src/cli/version-facts.ts'

describe('tables', () => {
  test('are aligned, numbers on the right, and end without spaces', () => {
    const text = renderTable(
      [{ title: 'NAME' }, { title: 'SIZE', align: 'right' }, { title: 'TAGS' }],
      [
        ['a', '1 B', 'x'],
        ['longer', '120 MB', ''],
      ],
    )
    expect(text).toBe(['NAME      SIZE  TAGS', 'a          1 B  x', 'longer  120 MB'].join('\n'))
  })

  test('leave out a column that says nothing', () => {
    expect(renderTable([{ title: 'A' }, { title: 'B' }, { title: 'C' }], [['1', '', '2']])).toBe('A  C\n1  2')
  })

  test('count wide characters and marks as a terminal does', () => {
    expect(displayWidth('データ')).toBe(6)
    expect(displayWidth('e\u0301')).toBe(1)
    expect(displayWidth('👩‍🚀x')).toBe(3)
    const lines = renderTable(
      [{ title: 'N' }, { title: 'X' }],
      [
        ['データ', '1'],
        ['ab', '2'],
      ],
    ).split('\n')
    expect(lines).toEqual(['N       X', 'データ  1', 'ab      2'])
  })

  test('fit the terminal by shortening what may be shortened', () => {
    const long = `photos/${'deep/'.repeat(20)}a.png`
    const rows = [[long, 'file', '1.2 MB']]
    const columns = [{ title: 'PATH', shrink: true }, { title: 'KIND' }, { title: 'SIZE', align: 'right' as const }]
    const fitted = renderTable(columns, rows, { width: 50 }).split('\n')
    for (const line of fitted) expect(displayWidth(line)).toBeLessThanOrEqual(50)
    expect(fitted[1]).toMatch(/^photos\/.*….*a\.png {2}file {2}1\.2 MB$/)
    expect(renderTable(columns, rows)).toContain(long)
  })

  test('never pass on what a terminal would act on', () => {
    const hostile = '\u001b[2Jx\r\n\u202eexe.png'
    expect(printable(hostile)).toBe('\ufffd[2Jx\ufffd\ufffd\ufffdexe.png')
    expect(renderTable([{ title: 'P' }], [[hostile]])).toBe('P\n\ufffd[2Jx\ufffd\ufffd\ufffdexe.png')
    expect(versionTitle({ name: hostile, index: 0, version: '1.0.0' })).toBe(
      '\ufffd[2Jx\ufffd\ufffd\ufffdexe.png v0 (1.0.0)',
    )
  })

  test.each([0, 1, 2, 5, 9])('a text is shortened to %i columns at most', (width) => {
    expect(displayWidth(shorten('データベース.csv', width))).toBeLessThanOrEqual(width)
  })

  test('a text that fits is left alone', () => expect(shorten('abc', 3)).toBe('abc'))
})

describe('colours', () => {
  const coloured = '\u001b[1mx\u001b[22m'

  test.each([
    ['a terminal', { isTTY: true, env: {} }, coloured],
    ['a pipe', { isTTY: false, env: {} }, 'x'],
    ['NO_COLOR', { isTTY: true, env: { NO_COLOR: '1' } }, 'x'],
    ['FORCE_COLOR', { isTTY: false, env: { FORCE_COLOR: '1' } }, coloured],
    ['a dumb terminal', { isTTY: true, env: { TERM: 'dumb' } }, 'x'],
  ])('on %s', (_, source, text) => expect(styleFor(source).bold('x')).toBe(text))
})
