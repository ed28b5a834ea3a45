/** A table of columns, and what was done to the text it came from. */
export interface Cleaned {
  readonly columns: Record<string, (string | number | Date | null)[]>
  readonly rows: number
  readonly notes: readonly string[]
}

/**
 * A table from CSV (RFC 4180, the first line names the columns). Cells are trimmed and empty ones are missing; a column of numbers or of dates becomes one; rows that
 * are there twice stay once.
 */
export function tableOfCsv(text: string): Cleaned {
  const [header = [], ...lines] = parseCsv(text)
  const names = header.map((name, at) => name.trim() || `column ${at + 1}`)
  const cells = lines.map((line) => names.map((_, at) => line[at]?.trim() || null))
  const rows = [...new Map(cells.map((row) => [JSON.stringify(row), row])).values()]
  const notes = [`${lines.length - rows.length} rows were there twice`]
  const columns: Cleaned['columns'] = {}
  for (const [at, name] of names.entries()) {
    const column = rows.map((row) => row[at])
    const missing = column.filter((cell) => cell === null).length
    const [kind, values] = typed(column)
    columns[name] = values
    notes.push(`${name}: ${kind}${missing > 0 ? `, ${missing} missing` : ''}`)
  }
  return { columns, rows: rows.length, notes }
}

function typed(column: (string | null)[]): [kind: string, values: (string | number | Date | null)[]] {
  const known = column.filter((cell) => cell !== null)
  if (known.length > 0 && known.every((cell) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell)))
    return ['numbers', column.map((cell) => (cell === null ? null : Number(cell)))]
  if (known.length > 0 && known.every((cell) => /^\d{4}-\d\d-\d\d/.test(cell) && !Number.isNaN(Date.parse(cell))))
    return ['dates', column.map((cell) => (cell === null ? null : new Date(cell)))]
  return ['text', column]
}

function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  // A cell, in quotes (where two of them stand for one) or as it is, and what ends it.
  for (const [whole, quoted, plain, end] of text
    .replace(/^\uFEFF/, '')
    .matchAll(/(?:[ \t]*"((?:[^"]|"")*)"[ \t]*|([^",\r\n]*))(,|\r?\n|$)/g)) {
    if (whole === '' && row.length === 0) break
    row.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
  }
  return rows
}
