const FIRST_BYTES = 64

/** Which rows are null, as Arrow's bitmap has it (a set bit is a value). Costs nothing until the first null. */
export class NullMask {
  #bits: Uint8Array | undefined

  add(row: number): void {
    const byte = row >> 3
    let bits = this.#bits
    if (bits === undefined || byte >= bits.byteLength) {
      const grown = new Uint8Array(Math.max(FIRST_BYTES, byte + 1, 2 * (bits?.byteLength ?? 0))).fill(0xff)
      if (bits) grown.set(bits)
      this.#bits = grown
      bits = grown
    }
    bits[byte] = (bits[byte] ?? 0) & ~(1 << (row & 7))
  }

  /** For `rows` rows; `undefined` when none is null. */
  bitmap(rows: number): Uint8Array | undefined {
    if (this.#bits === undefined) return undefined
    const length = (rows + 7) >> 3
    if (this.#bits.byteLength >= length) return this.#bits.subarray(0, length)
    const grown = new Uint8Array(length).fill(0xff)
    grown.set(this.#bits)
    return grown
  }
}
