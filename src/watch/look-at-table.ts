import type { PlainObject } from '../codecs/capabilities.ts'
import { type ReadColumn, readBlocks } from '../codecs/table/table-blocks.ts'
import type { TableMemory } from '../codecs/table/table-memory.ts'
import type { TableRecall } from '../codecs/table/table-recall.ts'
import { RememberedPieces } from '../codecs/table/table-remembered-pieces.ts'
import { tableCodec } from '../codecs/table.ts'
import type { ColumnSummaries } from './column-summaries.ts'
import { Fingerprint, hashOf } from './fingerprint.ts'
import type { Hasher } from './hasher.ts'
import type { Steps } from './snapshots.ts'

export interface TableLook {
  /** A copy is kept, to make a version of. */
  readonly keep: boolean
  readonly memory: TableMemory
  readonly recall?: TableRecall
  readonly summaries: ColumnSummaries
}

/** Records or columns, read as the table codec reads them: what is hashed is what would be stored. */
export function* lookAtTable(
  value: readonly unknown[] | PlainObject,
  hasher: Hasher,
  { keep, memory, recall, summaries }: TableLook,
): Steps {
  const pieces = new Map<string, RememberedPieces>()
  const piecesOf = (name: string) => {
    const own = new RememberedPieces(memory.column(name), { keep, hash: (chunks) => hashOf(chunks, hasher) })
    pieces.set(name, own)
    return own
  }
  const { columns, rows } = yield* readBlocks(value, { piecesOf })
  memory.keepOnly(pieces.keys())
  const fingerprint = new Fingerprint(hasher)
  fingerprint.numbers(rows, columns.length)
  const own = new Map<string, string>()
  for (const { name, type } of columns) {
    const hash = pieces.get(name)?.hash ?? ''
    fingerprint.text(name)
    fingerprint.text(String(type))
    fingerprint.text(hash)
    own.set(name, `${type} ${rows} ${hash}`)
  }
  return {
    hash: fingerprint.end(),
    kind: 'table',
    columns: columns.map(({ name }) => name),
    rows,
    encode: async (options) =>
      tableCodec.encode(vectors(columns, rows), { ...options, recall, summaries: summaries.of(own) }),
  }
}

/** As an object of Arrow vectors, which the codec takes as they are. */
function vectors(columns: readonly ReadColumn[], length: number): PlainObject {
  // Without a prototype every name is an own property, '__proto__' included.
  const object: PlainObject = Object.create(null)
  for (const { name, type, chunks } of columns) object[name] = { type, data: chunks, length }
  return object
}
