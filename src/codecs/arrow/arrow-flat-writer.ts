const FIRST_BYTES = 1024

/** A field of a table: its number, how many bytes, the value, and the one that is left out. An offset is a position, which 0 leaves out. */
export type FlatSlot =
  | readonly [field: number, bytes: 1 | 2 | 4 | 8, value: number, left?: number]
  | readonly [field: number, bytes: 'offset', at: number]

/**
 * Writes flatbuffers, last things first, as Google's builder does: the same calls give the same bytes, so that what earlier versions of Tidemark stored has the same digests. Positions are counted from the end.
 */
export class FlatWriter {
  #bytes = new Uint8Array(FIRST_BYTES)
  #used = 0
  #widest = 1
  readonly #vtables: number[] = []

  /** Fields in the order in which they are to lie, last first. */
  table(slots: readonly FlatSlot[]): number {
    const start = this.#used
    const places: number[] = []
    for (const [field, bytes, value, left = 0] of slots) {
      if (value === left) continue
      if (bytes === 'offset') this.#offset(value)
      else this.#add(bytes, value)
      places[field] = this.#used
    }
    this.#add(4, 0)
    const table = this.#used
    for (let field = places.length - 1; field >= 0; field -= 1)
      this.#add(2, places[field] === undefined ? 0 : table - places[field])
    this.#add(2, table - start)
    this.#add(2, (places.length + 2) * 2)
    const vtable = this.#shared()
    if (vtable === this.#used) this.#vtables.push(vtable)
    else this.#used = table
    this.#view().setInt32(this.#bytes.byteLength - table, vtable - table, true)
    return table
  }

  text(value: string): number {
    const bytes = new TextEncoder().encode(value)
    this.#add(1, 0)
    this.#prepare(4, bytes.byteLength)
    this.#used += bytes.byteLength
    this.#bytes.set(bytes, this.#bytes.byteLength - this.#used)
    return this.#add(4, bytes.byteLength)
  }

  offsets(positions: readonly number[]): number {
    this.#prepare(4, positions.length * 4)
    for (const at of positions.toReversed()) this.#offset(at)
    return this.#add(4, positions.length)
  }

  int32s(values: readonly number[]): number {
    this.#prepare(4, values.length * 4)
    for (const value of values.toReversed()) this.#add(4, value)
    return this.#add(4, values.length)
  }

  finish(root: number): Uint8Array {
    this.#prepare(this.#widest, 4)
    this.#offset(root)
    return this.#bytes.subarray(this.#bytes.byteLength - this.#used)
  }

  #offset(at: number): void {
    this.#prepare(4)
    this.#add(4, this.#used - at + 4)
  }

  #add(bytes: 1 | 2 | 4 | 8, value: number): number {
    this.#prepare(bytes)
    this.#used += bytes
    const at = this.#bytes.byteLength - this.#used
    const view = this.#view()
    if (bytes === 1) view.setInt8(at, value)
    else if (bytes === 2) view.setInt16(at, value, true)
    else if (bytes === 4) view.setInt32(at, value, true)
    else view.setBigInt64(at, BigInt(value), true)
    return this.#used
  }

  /** Fills up with zeros, so that what is `bytes` wide lies on its width after `more` bytes; and has room for both. */
  #prepare(bytes: number, more = 0): void {
    this.#widest = Math.max(this.#widest, bytes)
    const filling = -(this.#used + more) & (bytes - 1)
    const size = this.#bytes.byteLength
    const needed = this.#used + filling + more + bytes
    if (needed > size) {
      const larger = new Uint8Array(Math.max(needed, size * 2))
      larger.set(this.#bytes, larger.byteLength - size)
      this.#bytes = larger
    }
    const end = this.#bytes.byteLength - this.#used
    this.#bytes.fill(0, end - filling, end)
    this.#used += filling
  }

  /** The first vtable that is like the one just written. */
  #shared(): number {
    const written = this.#bytes.subarray(this.#bytes.byteLength - this.#used)
    const size = written[0] + 256 * written[1]
    const isLike = (vtable: number) => {
      const at = this.#bytes.byteLength - vtable
      return this.#bytes.subarray(at, at + size).every((byte, index) => byte === written[index])
    }
    return this.#vtables.find(isLike) ?? this.#used
  }

  #view(): DataView {
    return new DataView(this.#bytes.buffer)
  }
}
