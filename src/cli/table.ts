import { displayWidth, printable, shorten } from './cells.ts'
import { plainStyle, type Style } from './style.ts'

export interface Column {
  readonly title: string
  /** Numbers stand on the right. */
  readonly align?: 'left' | 'right'
  /** May lose its middle when the terminal is too narrow. */
  readonly shrink?: boolean
  readonly style?: (text: string) => string
}

export interface TableOptions {
  /** Columns of the terminal; unlimited when left out, as for a file or a pipe. */
  readonly width?: number
  readonly style?: Style
}

const gap = '  '
// Narrower than this, a path says nothing.
const narrowest = 12

/** An aligned table with a line of titles. A column in which every cell is empty is left out. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width, style = plainStyle }: TableOptions = {},
): string {
  const cells = rows.map((row) => row.map(printable))
  const shown = columns.map((column, at) => ({ column, at })).filter(({ at }) => cells.some((row) => row[at] !== ''))
  const widths = shown.map(({ column, at }) =>
    cells.reduce((most, row) => Math.max(most, displayWidth(row[at])), displayWidth(column.title)),
  )
  if (width !== undefined) shrink(widths, shown, width)
  const line = (texts: readonly string[], styleOf: (column: Column) => (text: string) => string) =>
    shown
      .map(({ column }, i) => {
        const text = shorten(texts[i], widths[i])
        const space = ' '.repeat(widths[i] - displayWidth(text))
        const styled = styleOf(column)(text)
        if (column.align === 'right') return space + styled
        return i === shown.length - 1 ? styled : styled + space
      })
      .join(gap)
      .trimEnd()
  const titles = shown.map(({ column }) => column.title)
  const lines = [line(titles, () => style.dim)]
  for (const row of cells)
    lines.push(
      line(
        shown.map(({ at }) => row[at]),
        (column) => column.style ?? ((text) => text),
      ),
    )
  return lines.join('\n')
}

function shrink(widths: number[], shown: readonly { readonly column: Column }[], width: number): void {
  const total = widths.reduce((sum, one) => sum + one, gap.length * (widths.length - 1))
  let over = total - width
  for (let i = 0; i < widths.length && over > 0; i++) {
    if (!shown[i].column.shrink) continue
    const taken = Math.max(0, Math.min(over, widths[i] - narrowest))
    widths[i] -= taken
    over -= taken
  }
}
