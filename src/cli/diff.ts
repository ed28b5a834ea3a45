import {
  type DiffChange,
  InvalidInputError,
  type TableDiff,
  type TableDiffOptions,
  type VersionDiff,
} from '../index.ts'
import { printable } from './cells.ts'
import type { Command, Context } from './command.ts'
import { exactJson } from './exact-json.ts'
import { differsExit } from './failure.ts'
import { formatBytes, formatCount } from './human.ts'
import { tableDiffLines } from './table-diff.ts'
import type { Values } from './values.ts'
import { versionFacts, versionTitle } from './version-facts.ts'

// A screen's worth; all are counted.
const defaultLimit = 20

// Tables are read to be compared: of more than these, only the sizes are told.
const tablesShown = 20

export const diff: Command = {
  name: 'diff',
  summary: 'show how one version becomes another, path by path, and what changed in tables',
  operands: { usage: 'NAME[:VERSION] NAME[:VERSION]', least: 2, most: 2 },
  about: [
    'The second may leave the name out: tidemark diff flowers:v0 :v1. Lines begin with + for added, - for removed and ~ for changed.',
    'Of tables the columns and rows that differ are shown. Rows are matched by a key, if you give one or the table was registered with one, else by\n' +
      'position: a row that is inserted does not change the rows behind it. They are counted from 0. With --json, what JSON numbers cannot hold is\n' +
      'text, times are ISO 8601, and bytes are base64.',
  ],
  options: {
    key: { type: 'text', value: 'COLUMN', about: 'match rows of tables by this column; may be given more than once' },
    'by-position': { type: 'flag', about: 'match rows of tables by position, also where they have a key' },
    limit: { type: 'text', value: 'N', about: `show so many rows of each table, or all (default: ${defaultLimit})` },
    'exit-code': { type: 'flag', about: `exit with ${differsExit} when they differ (default: 0, different or not)` },
  },
  examples: [
    'tidemark diff flowers:v0 flowers:v1',
    'tidemark diff train:v3 :v4 --key id --limit 100',
    'tidemark diff flowers:v0 :latest --exit-code',
  ],
  run: runDiff,
}

async function runDiff({ values, out, signal, connect }: Context): Promise<number> {
  const [from, second] = values.operands
  const to = second.startsWith(':') ? `${from.split(':', 1)[0]}${second}` : second
  const options = { ...tableOptions(values), signal }
  const tidemark = await connect()
  const before = await tidemark.getArtifact(from, { signal })
  const after = await tidemark.getArtifact(to, { signal })
  const found = await before.diff(after, { signal })
  const { added, removed, changed } = found
  const differ = added.length + removed.length + changed.length > 0
  const exit = differ && values.flag('exit-code') ? differsExit : 0
  if (out.json) {
    const changes: unknown[] = []
    for (const change of changed) {
      const table = await tableOf(change, options)
      changes.push({
        path: change.path,
        before: change.before,
        after: change.after,
        ...(table && { table: exactJson(table) }),
      })
    }
    out.document({ before: versionFacts(before), after: versionFacts(after), added, removed, changed: changes })
    return exit
  }
  const { style } = out
  const title = `${style.bold(versionTitle(before))} → ${style.bold(versionTitle(after))}`
  if (!differ) {
    out.line(`${title}: no difference in content`)
    return exit
  }
  out.line(title)
  let tables = 0
  for (const { mark, path, what, change } of lines(found)) {
    const colour = mark === '+' ? style.green : mark === '-' ? style.red : style.yellow
    const table = tables < tablesShown ? await tableOf(change, options) : undefined
    if (table) tables++
    out.line(`${colour(`${mark} ${printable(path)}`)}  ${style.dim(what)}`)
    if (table) for (const line of tableDiffLines(table, { style, width: out.width })) out.line(line)
  }
  out.line(
    `${formatCount(added.length)} added, ${formatCount(removed.length)} removed, ${formatCount(changed.length)} changed`,
  )
  return exit
}

function tableOptions(values: Values): TableDiffOptions {
  const keys = values.texts('key')
  const text = values.text('limit') ?? String(defaultLimit)
  if (text !== 'all' && !/^\d{1,9}$/.test(text))
    throw new InvalidInputError(`--limit is a number of rows or all, not ${JSON.stringify(text)}.`, {
      code: 'invalid-option',
      fields: { option: 'limit' },
    })
  if (values.flag('by-position') && keys.length > 0)
    throw new InvalidInputError('--key and --by-position say opposite things. Leave one out.', {
      code: 'invalid-option',
      fields: { option: 'by-position' },
    })
  const limit = text === 'all' ? Number.POSITIVE_INFINITY : Number(text)
  if (values.flag('by-position')) return { key: null, limit }
  return keys.length > 0 ? { key: keys, limit } : { limit }
}

interface Line {
  readonly mark: string
  readonly path: string
  readonly what: string
  readonly change?: DiffChange
}

function lines({ added, removed, changed }: VersionDiff): Line[] {
  return [
    ...added.map(({ path, size }) => ({ mark: '+', path, what: formatBytes(size) })),
    ...removed.map(({ path, size }) => ({ mark: '-', path, what: formatBytes(size) })),
    ...changed.map((change) => ({ mark: '~', path: change.path, what: sizes(change), change })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1))
}

function sizes({ before, after }: DiffChange): string {
  if (before.digest === after.digest) return 'metadata'
  if (before.size === after.size) return formatBytes(after.size)
  return `${formatBytes(before.size)} → ${formatBytes(after.size)}`
}

/** Undefined for what is no table, and where only metadata changed. */
async function tableOf(change: DiffChange | undefined, options: TableDiffOptions): Promise<TableDiff | undefined> {
  return change && change.before.digest !== change.after.digest ? change.table(options) : undefined
}
