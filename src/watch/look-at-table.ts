import type { Arena } from '../codecs/arena.ts'
import type { PlainObject } from '../codecs/capabilities.ts'
import { tableCodec } from '../codecs/table.ts'
import { type ReadColumn, readBlocks } from '../codecs/table-blocks.ts'
import type { ColumnSummaries } from './column-summaries.ts'
import { Fingerprint } from './fingerprint.ts'
import type { Hasher } from './hasher.ts'
import type { Steps } from './snapshots.ts'

/** Records or columns, read as the table codec reads them: what is hashed is what would be stored. */
export function* lookAtTable(
  value: readonly unknown[] | PlainObject,
  hasher: Hasher,
  keep: Arena | undefined,
  summaries: ColumnSummaries,
): Steps {
  const fingerprint = new Fingerprint(hasher)
  const { columns, rows } = yield* readBlocks(value, {
    keep,
    piece: (column, data) => fingerprint.piece(column, data),
  })
  fingerprint.numbers(rows, columns.length)
  const own = new Map<string, string>()
  for (const [index, { name, type }] of columns.entries()) {
    fingerprint.text(name)
    fingerprint.text(String(type))
    own.set(name, `${type} ${rows} ${fingerprint.column(index)}`)
  }
  return {
    hash: fingerprint.end(),
    kind: 'table',
    columns: columns.map(({ name }) => name),
    rows,
    encode: async (options) => tableCodec.encode(vectors(columns, rows), { ...options, summaries: summaries.of(own) }),
  }
}

/** As an object of Arrow vectors, which the codec takes as they are. */
function vectors(columns: readonly ReadColumn[], length: number): PlainObject {
  // Without a prototype every name is an own property, '__proto__' included.
  const object: PlainObject = Object.create(null)
  for (const { name, type, chunks } of columns) object[name] = { type, data: chunks, length }
  return object
}
