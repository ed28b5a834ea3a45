import type { Column } from '../arrow/arrow-column.ts'
import { type ArrowData, bytesOf, indexAt, isValid, lastAtOrBefore, startsOf } from '../arrow/arrow-data.ts'
import type { Layout } from '../arrow/arrow-type.ts'
import type { Steps } from '../steps.ts'

/** Odd constants of MurmurHash3's 32-bit finalizer (public domain, Austin Appleby): every input bit reaches every output bit. */
const MIX_1 = 0x85ebca6b
const MIX_2 = 0xc2b2ae35
const NULL_HASH = 0x9e3779b9
const SEED = 0x811c9dc5
/** Of a long value only so many bytes count, with its length: it says enough about where a row begins. */
const HASHED_BYTES = 64

function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), MIX_1)
  hash = Math.imul(hash ^ (hash >>> 13), MIX_2)
  return hash ^ (hash >>> 16)
}

/** One 32-bit hash per row that depends on the row's value alone, wherever it stands and however the column came in pieces. */
export function* hashRows(column: Column, rows: number): Steps<Int32Array> {
  const hashes = new Int32Array(rows)
  let at = 0
  for (const data of column.chunks) {
    hashPiece(column.layout, data, 0, data.length, hashes, at)
    at += data.length
    yield
  }
  return hashes
}

/** The hashes of a few rows. */
export function hashSample(column: Column, rows: readonly number[]): Int32Array {
  const hashes = new Int32Array(rows.length)
  rows.forEach((row, index) => {
    const chunk = lastAtOrBefore(column.starts, row)
    const data = column.chunks[chunk]
    const local = row - (column.starts[chunk] ?? 0)
    if (data) hashPiece(column.layout, data, local, local + 1, hashes, index)
  })
  return hashes
}

function hashPiece(layout: Layout, data: ArrowData, from: number, to: number, target: Int32Array, at: number): void {
  if (layout.kind === 'fixed' && layout.width % 4 === 0) hashWords(layout.width / 4, data, from, to, target, at)
  else if (layout.kind === 'dictionary') hashCodes(layout.values, data, from, to, target, at)
  else for (let row = from; row < to; row += 1) target[at + row - from] = hashCell(layout, data, row)
  if (data.nullBitmap && data.nullBitmap.byteLength > 0) {
    for (let row = from; row < to; row += 1) if (!isValid(data, row)) target[at + row - from] = NULL_HASH
  }
}

function hashWords(words: number, data: ArrowData, from: number, to: number, target: Int32Array, at: number): void {
  const bytes = bytesOf(data.values)
  if (bytes.byteOffset % 4 !== 0) {
    const layout = { kind: 'fixed', width: words * 4 } as const
    for (let row = from; row < to; row += 1) target[at + row - from] = hashCell(layout, data, row)
    return
  }
  const source = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)
  for (let row = from; row < to; row += 1) {
    let hash = SEED
    for (let word = row * words; word < (row + 1) * words; word += 1)
      hash = Math.imul(hash, 31) ^ mix(source[word] ?? 0)
    target[at + row - from] = mix(hash)
  }
}

/** By the values a dictionary's indices stand for: the same value has another index in another dictionary. */
function hashCodes(values: Layout, data: ArrowData, from: number, to: number, target: Int32Array, at: number): void {
  const chunks = data.dictionary?.data ?? []
  if (to - from === 1) {
    const starts = startsOf(chunks)
    const code = indexAt(data, from)
    const chunk = lastAtOrBefore(starts, code)
    const piece = chunks[chunk]
    if (piece) hashPiece(values, piece, code - (starts[chunk] ?? 0), code - (starts[chunk] ?? 0) + 1, target, at)
    return
  }
  const known = new Int32Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let start = 0
  for (const chunk of chunks) {
    hashPiece(values, chunk, 0, chunk.length, known, start)
    start += chunk.length
  }
  for (let row = from; row < to; row += 1) target[at + row - from] = known[indexAt(data, row)] ?? 0
}

function hashCell(layout: Layout, data: ArrowData, row: number): number {
  if (!isValid(data, row)) return NULL_HASH
  switch (layout.kind) {
    case 'null':
      return NULL_HASH
    case 'bool': {
      const bit = data.offset + row
      return mix(((bytesOf(data.values)[bit >> 3] ?? 0) >> (bit & 7)) & 1)
    }
    case 'fixed':
      return hashBytes(bytesOf(data.values), row * layout.width, (row + 1) * layout.width)
    case 'bytes':
      return hashBytes(
        bytesOf(data.values),
        Number(data.valueOffsets?.[row] ?? 0),
        Number(data.valueOffsets?.[row + 1] ?? 0),
      )
    case 'view': {
      const bytes = bytesOf(data.values)
      // Length and the first four bytes: they lie in the view itself, long or short.
      return hashBytes(bytes, row * 16, row * 16 + 8)
    }
    case 'list': {
      const from = Number(data.valueOffsets?.[row] ?? 0)
      return hashElements(layout.child, data.children[0], from, Number(data.valueOffsets?.[row + 1] ?? from))
    }
    case 'fixed-list':
      return hashElements(layout.child, data.children[0], row * layout.size, (row + 1) * layout.size)
    case 'struct': {
      let hash = SEED
      layout.children.forEach((child, index) => {
        const piece = data.children[index]
        if (piece) hash = Math.imul(hash, 31) ^ hashCell(child, piece, row)
      })
      return mix(hash)
    }
    case 'dictionary': {
      const target = new Int32Array(1)
      hashCodes(layout.values, data, row, row + 1, target, 0)
      return target[0] ?? 0
    }
    case 'union':
      return mix(data.typeIds?.[row] ?? 0)
  }
}

function hashElements(layout: Layout, data: ArrowData | undefined, from: number, to: number): number {
  let hash = to - from
  if (data) {
    const end = Math.min(to, from + HASHED_BYTES)
    for (let row = from; row < end; row += 1) hash = Math.imul(hash, 31) ^ hashCell(layout, data, row)
  }
  return mix(hash)
}

function hashBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = SEED ^ (to - from)
  const end = Math.min(to, from + HASHED_BYTES)
  for (let at = from; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193)
  return mix(hash)
}
