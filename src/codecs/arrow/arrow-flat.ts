/** Reads flatbuffers without trusting them: every position is checked before it is read, and the whole costs no more than its length. */
export class FlatReader {
  readonly #view: DataView
  #visits: number

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    // Tables can be shared, so a few bytes could describe a tree without end.
    this.#visits = bytes.byteLength
  }

  root(): number {
    return this.table(0)
  }

  /** The table an offset at `at` leads to. */
  table(at: number): number {
    this.#visits -= 1
    if (this.#visits < 0) throw new RangeError('Metadata refers to itself.')
    const table = at + this.uint32(at)
    const vtable = table - this.#view.getInt32(this.#within(table, 4), true)
    const size = this.uint16(vtable)
    if (size < 4) throw new RangeError('Metadata has a table without fields.')
    this.#within(vtable, size)
    this.#within(table, this.uint16(vtable + 2))
    return table
  }

  /** Where a field of a table lies, or 0 when it is left out. */
  field(table: number, index: number): number {
    const vtable = table - this.#view.getInt32(table, true)
    const slot = 4 + index * 2
    const offset = slot < this.uint16(vtable) ? this.uint16(vtable + slot) : 0
    return offset === 0 ? 0 : this.#within(table + offset, 1)
  }

  required(table: number, index: number): number {
    const at = this.field(table, index)
    if (at === 0) throw new RangeError('Metadata lacks a field.')
    return at
  }

  /** A field of one byte; 0 when it is left out. */
  byte(table: number, index: number): number {
    const at = this.field(table, index)
    return at === 0 ? 0 : this.uint8(at)
  }

  /** A field of 64 bits that counts; 0 when it is left out. */
  count(table: number, index: number): number {
    const at = this.field(table, index)
    return at === 0 ? 0 : this.long(at)
  }

  /** Start and count of the vector an offset at `at` leads to; none when `at` is 0. */
  vector(at: number, elementBytes: number): { start: number; count: number } {
    if (at === 0) return { start: 0, count: 0 }
    const vector = at + this.uint32(at)
    const count = this.uint32(vector)
    this.#within(vector + 4, count * elementBytes)
    return { start: vector + 4, count }
  }

  uint8(at: number): number {
    return this.#view.getUint8(this.#within(at, 1))
  }

  uint16(at: number): number {
    return this.#view.getUint16(this.#within(at, 2), true)
  }

  uint32(at: number): number {
    return this.#view.getUint32(this.#within(at, 4), true)
  }

  int32(at: number): number {
    return this.#view.getInt32(this.#within(at, 4), true)
  }

  /** UTF-8; empty when `at` is 0. */
  text(at: number): string {
    const { start, count } = this.vector(at, 1)
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
      new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, count),
    )
  }

  /** A 64-bit count; never below `least`, never beyond what a number holds exactly. */
  long(at: number, least = 0n): number {
    const value = this.#view.getBigInt64(this.#within(at, 8), true)
    if (value < least || value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new RangeError('Metadata has a count out of range.')
    return Number(value)
  }

  #within(at: number, bytes: number): number {
    if (at < 0 || at + bytes > this.#view.byteLength) throw new RangeError('Metadata points outside of itself.')
    return at
  }
}
