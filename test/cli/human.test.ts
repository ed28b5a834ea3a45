import { describe, expect, test } from 'vitest'
import { formatBytes, formatCount, formatDuration, formatNumber, formatTime } from '../../src/cli/human.ts'

describe('figures for people', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1234, '1.2 kB'],
    [9_949, '9.9 kB'],
    [9_951, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [1_230_000_000, '1.2 GB'],
    [5e15, '5.0 PB'],
    [5e18, '5000 PB'],
  ])('%i bytes', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  test.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [231083, '231,083'],
    [1234567, '1,234,567'],
  ])('count %i', (count, text) => expect(formatCount(count)).toBe(text))

  test.each([
    [0.4, '0 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [9_960, '10 s'],
    [59_600, '1 min 0 s'],
    [125_000, '2 min 5 s'],
    [12_000_000, '3 h 20 min'],
  ])('%d ms', (ms, text) => expect(formatDuration(ms)).toBe(text))

  test('one is one', () => {
    expect(formatNumber(1, 'file')).toBe('1 file')
    expect(formatNumber(0, 'file')).toBe('0 files')
    expect(formatNumber(2000, 'file')).toBe('2,000 files')
  })

  test('times are local', () => expect(formatTime(new Date(2026, 2, 9, 4, 5))).toBe('2026-03-09 04:05'))
})
