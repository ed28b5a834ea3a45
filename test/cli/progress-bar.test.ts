import { describe, expect, test } from 'vitest'
import { displayWidth } from '../../src/cli/cells.ts'
import { ProgressBar, progressLine } from '../../src/cli/progress-bar.ts'
import type { Progress } from '../../src/index.ts'

const half: Progress = {
  phase: 'logging',
  bytes: 50_000_000,
  totalBytes: 100_000_000,
  files: 3,
  totalFiles: 10,
  stored: 1000,
}

const clearLine = '\r\u001b[K'

/** A terminal that shows what a person would see: the text since the line was last cleared. */
function screen(columns?: number) {
  let line = ''
  const writes: string[] = []
  return {
    columns,
    write(text: string) {
      writes.push(text)
      const cleared = text.lastIndexOf(clearLine)
      line = cleared === -1 ? line + text : text.slice(cleared + clearLine.length)
    },
    get line() {
      return line
    },
    writes,
  }
}

describe('the line of a progress bar', () => {
  test('says what, how far, how much, how fast and how long', () => {
    expect(progressLine(half, { columns: 200, elapsed: 2000 })).toBe(
      'Logging      ████████████░░░░░░░░░░░░  50%  50 MB of 100 MB  3 of 10 files  25 MB/s  2.0 s left',
    )
  })

  test('guesses no rate at once', () => {
    expect(progressLine(half, { columns: 200, elapsed: 100 })).toBe(
      'Logging      ████████████░░░░░░░░░░░░  50%  50 MB of 100 MB  3 of 10 files',
    )
  })

  test('without a known end there is no bar', () => {
    const { phase, bytes, files, stored } = half
    expect(progressLine({ phase, bytes, files, stored }, { columns: 80, elapsed: 0 })).toBe('Logging      50 MB')
  })

  test.each([200, 100, 79, 60, 40, 20, 8])('never is wider than %i columns', (columns) => {
    expect(displayWidth(progressLine(half, { columns, elapsed: 2000 }))).toBeLessThanOrEqual(columns)
  })

  test('more bytes than announced stay at the end of the bar', () => {
    expect(progressLine({ ...half, bytes: 110_000_000 }, { columns: 60, elapsed: 0 })).toContain('100%')
  })
})

describe('a progress bar', () => {
  test('is redrawn in place, follows the width, and leaves nothing behind', () => {
    const terminal = screen(60)
    const bar = new ProgressBar(terminal, undefined, () => 0)
    bar.update(half)
    expect(terminal.line).toContain('50%')
    bar.update({ ...half, bytes: 75_000_000 })
    expect(terminal.line).toContain('75%')
    expect(terminal.line).not.toContain('50%')
    terminal.columns = 20
    bar.update(half)
    expect(terminal.line.length).toBeLessThan(20)
    bar.update({ ...half, phase: 'done' })
    expect(terminal.line).toBe('')
    expect(terminal.writes.join('')).not.toContain('\n')
  })

  test('that never drew clears nothing', () => {
    const terminal = screen()
    new ProgressBar(terminal).clear()
    expect(terminal.writes).toEqual([])
  })
})
