import { type Table, tableFromIPC } from 'apache-arrow'
import type { AssetReader, Encoded, EncodeOptions } from '../../src/codecs/codec.ts'
import { tableCodec } from '../../src/codecs/table.ts'

/** The pieces of an encoding, copied: a piece is only valid until the next. */
export async function piecesOf(encoded: Encoded): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = []
  for await (const piece of encoded.body) pieces.push(piece.slice())
  return pieces
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.byteLength
  }
  return bytes
}

export async function encodeTable(value: unknown, options?: EncodeOptions) {
  const encoded = await tableCodec.encode(value, options)
  const pieces = await piecesOf(encoded)
  return { encoded, pieces, bytes: joined(pieces), preview: encoded.preview(), info: encoded.info?.() }
}

export function readerOf(bytes: Uint8Array): AssetReader {
  return {
    path: 'train.arrow',
    mediaType: 'application/octet-stream',
    size: bytes.byteLength,
    range: async (start, end) => bytes.subarray(start, end),
    bytes: async () => bytes,
    async *stream() {
      yield bytes
    },
  }
}

export async function decodeTable(bytes: Uint8Array): Promise<Table> {
  const table = await tableCodec.decode(readerOf(bytes))
  if (!isTable(table)) throw new Error('not a table')
  return table
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && 'schema' in value && 'batches' in value
}

/** Every value of a table as plain JavaScript. */
export function valuesOf(table: Table): Record<string, unknown[]> {
  const result: Record<string, unknown[]> = Object.create(null)
  for (const [index, { name }] of table.schema.fields.entries()) {
    const vector = table.getChildAt(index)
    result[name] = Array.from({ length: table.numRows }, (_, row) => plain(vector?.get(row)))
  }
  return result
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array || value instanceof Date) return value
  if (ArrayBuffer.isView(value)) return value
  if ('toJSON' in value && typeof value.toJSON === 'function' && !(Symbol.iterator in value && 'length' in value)) {
    return plainEntries(value.toJSON())
  }
  if (Symbol.iterator in value) return [...asIterable(value)].map(plain)
  return plainEntries(value)
}

function plainEntries(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]))
}

function asIterable(value: object): Iterable<unknown> {
  return { [Symbol.iterator]: () => Reflect.get(value, Symbol.iterator).call(value) }
}

/** The whole stream read by apache-arrow alone. */
export function byArrow(bytes: Uint8Array): Table {
  return tableFromIPC(bytes)
}

/** Rows as a small generator makes them: the same for the same seed. */
export function makeRows(count: number, seed = 1): Record<string, unknown>[] {
  let state = seed
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const words = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta', 'iota', 'kappa']
  const word = () => words[Math.floor(random() * words.length)]
  return Array.from({ length: count }, (_, id) => ({
    id,
    score: random() * 100,
    label: word(),
    text: `${word()} ${word()} ${word()} ${Math.floor(random() * 1e6)}`,
    ok: random() < 0.5,
    at: new Date(1.6e12 + id * 1000),
  }))
}

/** Much faster on megabytes than a deep comparison. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at])
}
