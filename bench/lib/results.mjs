import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const path = fileURLToPath(new URL('../RESULTS.md', import.meta.url))

const head = ['bench', 'job', 'ours', 'against', 'theirs', 'ratio', 'at most', '', 'processor', 'measured']

/** A figure against a rival of the same run: `ours` and `theirs` in ms. `elsewhere`: the rival works in another process, whose processor time is not seen. */
export function timeRow(job, { ours, against, theirs, bar, elsewhere }) {
  const ratio = ours.median / theirs.median
  return {
    job,
    ours: timeText(ours),
    against,
    theirs: timeText(theirs),
    ratio: `${ratio.toFixed(2)} x`,
    bar: bar === undefined ? '' : `${bar} x`,
    cpu: elsewhere ? '' : `${(ours.cpu / theirs.cpu).toFixed(2)} x`,
    ...(bar !== undefined && { pass: ratio <= bar }),
  }
}

/** A figure by itself: bytes or a count. */
export function countRow(job, { value, bar, unit }) {
  return {
    job,
    ours: `${value} ${unit}`,
    against: '',
    theirs: '',
    ratio: '',
    bar: `${bar} ${unit}`,
    pass: value <= bar,
  }
}

export function megabytes(bytes) {
  return Math.round(bytes / 1e6)
}

/** All rows as lines of text for a terminal. */
export function renderRows(measured) {
  const rows = [...measured].flatMap(([bench, list]) => list.map((row) => cellsOf(bench, row, '')))
  const lines = [head, ...rows].map((cells) => cells.slice(1, -1))
  const widths = lines[0].map((_, i) => Math.max(...lines.map((cells) => cells[i].length)))
  return lines.map((cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  )
}

/** Rewrites the rows of the benches that ran; rows of the others stay as they were measured. */
export function saveRows(measured, order) {
  const date = new Date().toISOString().slice(0, 10)
  const kept = readRows().filter(([bench]) => order.includes(bench) && !measured.has(bench))
  for (const [bench, rows] of measured) for (const row of rows) kept.push(cellsOf(bench, row, date))
  kept.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
  const table = [head, head.map(() => '---'), ...kept].map((cells) => `| ${cells.join(' | ')} |`)
  writeFileSync(
    path,
    [
      '# Measured',
      '',
      'Written by `npm run bench`. Times are medians, taken in turn with what they are compared with, each in a warm process of its own; in brackets the fastest and the slowest. Compare',
      'ratios: the times belong to one machine, and its disk to one afternoon. `processor` is the ratio of processor time, all threads together: steadier when others use the machine too.',
      '',
      `Last run: ${date}, Node ${process.versions.node}, ${availableParallelism()} cores.`,
      '',
      ...table,
      '',
    ].join('\n'),
  )
  return path
}

function readRows() {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
  return lines.slice(2).map((line) => line.slice(2, -2).split(' | '))
}

function cellsOf(bench, { job, ours, against, theirs, ratio, bar, pass, cpu = '' }, date) {
  return [
    bench,
    job,
    ours,
    against,
    theirs,
    ratio,
    bar,
    pass === undefined ? '' : pass ? 'ok' : '**missed**',
    cpu,
    date,
  ]
}

function timeText({ median, low, high }) {
  const seconds = median >= 10_000
  const show = (ms) => (seconds ? (ms / 1000).toFixed(1) : Math.round(ms).toString())
  const range = low === undefined ? '' : ` (${show(low)}..${show(high)})`
  return `${show(median)} ${seconds ? 's' : 'ms'}${range}`
}
