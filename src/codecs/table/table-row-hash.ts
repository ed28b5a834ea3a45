import { bytesOf, isValid } from '../arrow/arrow-data.ts'
import { type ColumnData, decoded } from './table-exact.ts'
import { bitAt, cellBytes, child, extent, holdsNaN, wordAt } from './table-same.ts'

/** Any two numbers that differ. */
const SEED_LOW = 0x811c9dc5
const SEED_HIGH = 0x2f0b4a27
const NULL_MARK = 0x9e3779b9
const NAN_MARK = 0x7ff80000
/** Multipliers and rotations of MurmurHash3 (public domain, Austin Appleby): x86_32, and the second lane of x86_128. */
const LOW = { first: 0xcc9e2d51, second: 0x1b873593, add: 0xe6546b64 }
const HIGH = { first: 0x239b961b, second: 0xab0e9789, add: 0x0bcaa747 }

/**
 * 64 bits for each row, over any number of columns: equal rows have equal hashes, and different rows the same by chance once in 2^64 (comparing every row of a
 * million with every row of another million is wrong once in twenty million times). It is no defence against rows made to collide.
 */
export class RowHashes {
  readonly low: Int32Array
  readonly high: Int32Array
  #low = 0
  #high = 0

  constructor(rows: number) {
    this.low = new Int32Array(rows).fill(SEED_LOW)
    this.high = new Int32Array(rows).fill(SEED_HIGH)
  }

  /** Adds rows `from` to before `to` of a column to those from `at` on. */
  add(column: ColumnData, from: number, to: number, at: number): void {
    for (let row = from; row < to; row += 1) {
      const target = at + row - from
      this.#low = this.low[target]
      this.#high = this.high[target]
      this.#cell(column, row)
      this.low[target] = this.#low
      this.high[target] = this.#high
    }
  }

  /** The first 53 bits, as a number that is a good key of a Map. */
  key(row: number): number {
    return (this.low[row] >>> 0) * 0x200000 + (this.high[row] >>> 11)
  }

  equal(row: number, other: RowHashes, otherRow: number): boolean {
    return this.low[row] === other.low[otherRow] && this.high[row] === other.high[otherRow]
  }

  #word(word: number): void {
    let low = Math.imul(word, LOW.first)
    low = Math.imul((low << 15) | (low >>> 17), LOW.second) ^ this.#low
    this.#low = (Math.imul((low << 13) | (low >>> 19), 5) + LOW.add) | 0
    let high = Math.imul(word, HIGH.first)
    high = Math.imul((high << 16) | (high >>> 16), HIGH.second) ^ this.#high
    this.#high = (Math.imul((high << 17) | (high >>> 15), 5) + HIGH.add) | 0
  }

  #bytes(bytes: Uint8Array, from: number, to: number): void {
    let at = from
    for (; at + 4 <= to; at += 4) this.#word(wordAt(bytes, at))
    let rest = 0
    for (; at < to; at += 1) rest = (rest << 8) | bytes[at]
    this.#word(rest)
    this.#word(to - from)
  }

  #cell(column: ColumnData, row: number): void {
    const { type, layout, data } = column
    if (!isValid(data, row)) {
      this.#word(NULL_MARK)
      return
    }
    switch (layout.kind) {
      case 'null':
        this.#word(NULL_MARK)
        return
      case 'bool':
        this.#word(bitAt(data, row))
        return
      case 'fixed': {
        const bytes = bytesOf(data.values)
        const at = row * layout.width
        if (holdsNaN(type, bytes, at)) this.#word(NAN_MARK)
        else this.#bytes(bytes, at, at + layout.width)
        return
      }
      case 'bytes':
      case 'view': {
        const bytes = cellBytes(column, row)
        this.#bytes(bytes, 0, bytes.byteLength)
        return
      }
      case 'list': {
        const [from, to] = extent(data, row)
        this.#elements(child(column, layout.child, 0), from, to)
        return
      }
      case 'fixed-list':
        this.#elements(child(column, layout.child, 0), row * layout.size, (row + 1) * layout.size)
        return
      case 'struct':
        layout.children.forEach((inner, index) => {
          this.#cell(child(column, inner, index), row)
        })
        return
      case 'union': {
        const index = layout.typeIds.indexOf(data.typeIds?.[row] ?? 0)
        this.#word(index)
        const at = layout.dense ? Number(data.valueOffsets?.[row] ?? 0) : row
        if (index !== -1) this.#cell(child(column, layout.children[index], index), at)
        return
      }
      case 'dictionary': {
        const found = decoded(type, layout, data, row)
        if (found) this.#cell(found.column, found.row)
        else this.#word(NULL_MARK)
      }
    }
  }

  #elements(column: ColumnData, from: number, to: number): void {
    this.#word(to - from)
    for (let row = from; row < to; row += 1) this.#cell(column, row)
  }
}
