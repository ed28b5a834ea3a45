import { isPlainObject } from '../codecs/capabilities.ts'
import { asTable, isArrow } from '../codecs/table/table-frame.ts'
import { TableMemory } from '../codecs/table/table-memory.ts'
import { readTable } from '../codecs/table/table-source.ts'
import { tableCodec } from '../codecs/table.ts'
import type { ColumnSummaries } from './column-summaries.ts'
import { Fingerprint, hashOf } from './fingerprint.ts'
import type { Hasher } from './hasher.ts'
import { lookAtTable } from './look-at-table.ts'
import type { Steps } from './snapshots.ts'

/** An Arrow table, or a data frame, which is asked for one; the hash of an Arrow table is remembered in `known`. */
export async function lookAtFrame(
  value: object,
  hasher: Hasher,
  known: WeakMap<object, string>,
  summaries: ColumnSummaries,
): Promise<Steps> {
  const frame = await asTable(value)
  // DuckDB's results give an object of columns, made for this look alone.
  if (isPlainObject(frame)) return lookAtTable(frame, hasher, { keep: true, memory: new TableMemory(), summaries })
  const { columns, rows, metadata } = await readTable(frame, { plain: new Set(), dictionaries: [] })
  return (function* () {
    const hashes: string[] = []
    for (const { chunks } of columns) {
      for (const data of chunks) {
        hashes.push(yield* hashOf([data], hasher))
        yield
      }
      hashes.push('')
    }
    const fingerprint = new Fingerprint(hasher)
    fingerprint.text(hashes.join(' '))
    fingerprint.numbers(rows, columns.length)
    for (const { field } of columns) {
      fingerprint.text(field.name ?? '')
      fingerprint.text(String(field.type))
      fingerprint.text(JSON.stringify([field.nullable, ...field.metadata]))
    }
    fingerprint.text(JSON.stringify([...metadata]))
    const hash = fingerprint.end()
    if (isArrow(value)) known.set(value, hash)
    return {
      hash,
      kind: 'table',
      columns: columns.map(({ name }) => name),
      rows,
      encode: async (options) => tableCodec.encode(frame, options),
    }
  })()
}
