import type { PlainObject } from '../codecs/capabilities.ts'
import { tableCodec } from '../codecs/table.ts'
import { type ReadColumn, readBlocks } from '../codecs/table-blocks.ts'
import { Fingerprint } from './fingerprint.ts'
import type { Hasher } from './hasher.ts'
import type { Steps } from './snapshots.ts'

/** Records or columns, read as the table codec reads them: what is hashed is what would be stored. */
export function* lookAtTable(value: readonly unknown[] | PlainObject, hasher: Hasher, keep: boolean): Steps {
  const fingerprint = new Fingerprint(hasher)
  const { columns, rows } = yield* readBlocks(value, {
    keep,
    piece: (column, data) => fingerprint.piece(column, data),
  })
  fingerprint.numbers(rows, columns.length)
  for (const { name, type } of columns) {
    fingerprint.text(name)
    fingerprint.text(String(type))
  }
  return {
    hash: fingerprint.end(),
    kind: 'table',
    columns: columns.map(({ name }) => name),
    rows,
    encode: async (options) => tableCodec.encode(vectors(columns, rows), options),
  }
}

/** As an object of Arrow vectors, which the codec takes as they are. */
function vectors(columns: readonly ReadColumn[], length: number): PlainObject {
  // Without a prototype every name is an own property, '__proto__' included.
  const object: PlainObject = Object.create(null)
  for (const { name, type, chunks } of columns) object[name] = { type, data: chunks, length }
  return object
}
