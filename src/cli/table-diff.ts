import type { RowChange, TableDiff } from '../index.ts'
import { cellText, changedTexts, cutEnd, cutTogether } from './cell-text.ts'
import { displayWidth, printable } from './cells.ts'
import { formatCount, formatNumber } from './human.ts'
import type { Style } from './style.ts'

export interface TableDiffView {
  readonly style: Style
  /** Columns of the terminal; unlimited when left out. */
  readonly width: number | undefined
}

const indent = '  '
const gap = '  '
const arrow = ' → '

// A cell is cut to this, so that one long text does not push the others off the screen.
const widestCell = 32

// Less than this of a last column says nothing.
const narrowestCell = 8

/** What changed in a table, as lines: how much, which columns, and the rows that are listed. */
export function tableDiffLines(diff: TableDiff, view: TableDiffView): string[] {
  const lines = [countsLine(diff, view.style), ...columnLines(diff, view)]
  if (diff.rows.length > 0) lines.push(...rowLines(diff, view))
  const more = diff.added + diff.removed + diff.changed - diff.rows.length
  if (more > 0) lines.push(view.style.dim(`… ${formatNumber(more, 'more row')}: --limit says how many are shown`))
  return lines.map((line) => (indent + line).trimEnd())
}

function countsLine(diff: TableDiff, { green, red, yellow, dim }: Style): string {
  const { added, removed, changed, cells, rowsBefore, rowsAfter, key } = diff
  const columns = Object.keys(diff.cellsByColumn).length
  const found = [
    added > 0 ? green(`+${formatNumber(added, 'row')}`) : '+0 rows',
    removed > 0 ? red(`-${formatCount(removed)}`) : '-0',
    changed > 0 ? yellow(`~${formatNumber(cells, 'cell')} in ${formatNumber(columns, 'column')}`) : '~0 cells',
  ].join(', ')
  const rows =
    rowsBefore === rowsAfter
      ? formatNumber(rowsAfter, 'row')
      : `${formatCount(rowsBefore)} → ${formatNumber(rowsAfter, 'row')}`
  return `${found}  ${dim(`${rows}, matched by ${key ? key.map(printable).join(', ') : 'position'}`)}`
}

function columnLines({ columns }: TableDiff, { style }: TableDiffView): string[] {
  const { added, removed, renamed, retyped, reordered } = columns
  const typed = (mark: string, { name, type }: { name: string; type: string }) =>
    `${mark} column ${printable(name)} ${type}`
  return [
    ...added.map((column) => style.green(typed('+', column))),
    ...removed.map((column) => style.red(typed('-', column))),
    ...renamed.map(({ from, to, type }) =>
      style.yellow(`~ column ${printable(from)}${arrow}${printable(to)} (renamed, ${type})`),
    ),
    ...retyped.map(({ name, before, after }) => style.yellow(`~ column ${printable(name)}: ${before}${arrow}${after}`)),
    ...(reordered ? [style.yellow('~ columns are in another order')] : []),
  ]
}

/** A cell is one text, or two that stand for before and after. */
type Cell = readonly [string] | readonly [string, string] | undefined

interface ShownColumn {
  readonly title: string
  readonly cells: readonly Cell[]
}

function rowLines(diff: TableDiff, { style, width }: TableDiffView): string[] {
  const { rows } = diff
  const numbers = rows.map(rowNumber)
  const numberWidth = numbers.reduce((most, text) => Math.max(most, displayWidth(text)), 'ROW'.length)
  const columns = shownColumns(diff)
  const room = width === undefined ? Number.POSITIVE_INFINITY : width - indent.length - 2 - numberWidth
  const widths = columnWidths(columns, room)
  const shown = columns.slice(0, widths.length)
  const titles = shown.map(({ title }, at) => pad(cutEnd(title, widths[at]), widths[at]))
  const lines = [style.dim([`  ${'ROW'.padStart(numberWidth)}`, ...titles].join(gap).trimEnd())]
  for (const [index, { change }] of rows.entries()) {
    const colour = change === 'added' ? style.green : change === 'removed' ? style.red : (text: string) => text
    const mark = change === 'added' ? '+' : change === 'removed' ? '-' : '~'
    const cells = shown.map(({ cells }, at) => renderCell(cells[index], widths[at], style, colour))
    const number = ' '.repeat(numberWidth - displayWidth(numbers[index])) + numbers[index]
    lines.push([`${change === 'changed' ? style.yellow(mark) : colour(mark)} ${style.dim(number)}`, ...cells].join(gap))
  }
  const hidden = columns.length - shown.length
  if (hidden > 0) lines.push(style.dim(`… ${formatNumber(hidden, 'more column')}: a wider terminal shows more`))
  return lines
}

function rowNumber(row: RowChange): string {
  if (row.change === 'added') return String(row.after)
  if (row.change === 'removed' || row.before === row.after) return String(row.before)
  return `${row.before}${arrow}${row.after}`
}

/** The key first, then columns in which something changed, then the others of rows that are new or gone. */
function shownColumns({ rows, key, cellsByColumn }: TableDiff): ShownColumn[] {
  const names = new Set([...(key ?? []), ...Object.keys(cellsByColumn)])
  for (const row of rows) if (row.change !== 'changed') for (const name of Object.keys(row.values)) names.add(name)
  const columns = Array.from(names, (name) => ({
    title: printable(name),
    cells: rows.map((row) => cellOf(row, name)),
  }))
  return columns.filter(({ cells }) => cells.some((cell) => cell !== undefined))
}

function cellOf(row: RowChange, name: string): Cell {
  if (row.change !== 'changed') return Object.hasOwn(row.values, name) ? [cellText(row.values[name])] : undefined
  if (Object.hasOwn(row.cells, name)) return changedTexts(row.cells[name].before, row.cells[name].after)
  return row.key && Object.hasOwn(row.key, name) ? [cellText(row.key[name])] : undefined
}

function columnWidths(columns: readonly ShownColumn[], room: number): number[] {
  const widths: number[] = []
  let left = room
  for (const { title, cells } of columns) {
    const wanted = cells.reduce(
      (most, cell) => Math.max(most, cellWidth(cell)),
      Math.min(displayWidth(title), widestCell),
    )
    left -= gap.length
    if (left < Math.min(wanted, narrowestCell)) break
    widths.push(Math.min(wanted, left))
    left -= Math.min(wanted, left)
  }
  return widths
}

function cellWidth(cell: Cell): number {
  if (cell === undefined) return 0
  return cell.reduce((sum, text) => sum + Math.min(displayWidth(text), widestCell), (cell.length - 1) * arrow.length)
}

function renderCell(cell: Cell, width: number, style: Style, colour: (text: string) => string): string {
  if (cell === undefined) return ' '.repeat(width)
  if (cell.length === 1) {
    const text = cutEnd(cell[0], width)
    return colour(text) + ' '.repeat(width - displayWidth(text))
  }
  const half = (width - arrow.length) / 2
  // What one side does not need, the other may have.
  const [one, two] = cell.map(displayWidth)
  const most = Math.max(1, Math.floor(Math.max(half, width - arrow.length - Math.min(one, two, half))))
  const [before, after] = cutTogether(cell[0], cell[1], Math.min(most, widestCell))
  const used = displayWidth(before) + arrow.length + displayWidth(after)
  return `${style.red(before)}${style.dim(arrow)}${style.green(after)}${' '.repeat(Math.max(0, width - used))}`
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)))
}
