// MurmurHash3_x86_128 (public domain, Austin Appleby): four lanes of 32 bits, which is what JavaScript multiplies fast.
const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93
const BLOCK = 16
// Bytes that do not begin on a word are moved here first, so many at a time.
const STAGE = 16 * 1024

/** MurmurHash3_x86_128 of bytes that come in any number of parts. */
export class Murmur3 {
  #h1 = 0
  #h2 = 0
  #h3 = 0
  #h4 = 0
  #length = 0
  readonly #stage = new Uint8Array(STAGE)
  readonly #words = new Int32Array(this.#stage.buffer)
  #staged = 0

  update(bytes: Uint8Array): void {
    this.#length += bytes.length
    let at = 0
    while (at < bytes.length) {
      const count = Math.min(STAGE - this.#staged, bytes.length - at)
      this.#stage.set(bytes.subarray(at, at + count), this.#staged)
      this.#staged += count
      at += count
      if (this.#staged === STAGE) {
        this.#mix(STAGE / BLOCK)
        this.#staged = 0
      }
    }
  }

  /** 32 hexadecimal digits. Call once. */
  end(): string {
    const blocks = Math.floor(this.#staged / BLOCK)
    this.#mix(blocks)
    this.#tail(blocks * BLOCK)
    const length = this.#length | 0
    let [h1, h2, h3, h4] = [this.#h1 ^ length, this.#h2 ^ length, this.#h3 ^ length, this.#h4 ^ length]
    h1 = (h1 + h2 + h3 + h4) | 0
    h2 = (h2 + h1) | 0
    h3 = (h3 + h1) | 0
    h4 = (h4 + h1) | 0
    h1 = finalMix(h1)
    h2 = finalMix(h2)
    h3 = finalMix(h3)
    h4 = finalMix(h4)
    h1 = (h1 + h2 + h3 + h4) | 0
    return [h1, h2 + h1, h3 + h1, h4 + h1].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  }

  #mix(blocks: number): void {
    const words = this.#words
    let h1 = this.#h1
    let h2 = this.#h2
    let h3 = this.#h3
    let h4 = this.#h4
    for (let at = 0; at < blocks * 4; at += 4) {
      h1 ^= Math.imul(rotate(Math.imul(words[at], C1), 15), C2)
      h1 = (Math.imul((rotate(h1, 19) + h2) | 0, 5) + 0x561ccd1b) | 0
      h2 ^= Math.imul(rotate(Math.imul(words[at + 1], C2), 16), C3)
      h2 = (Math.imul((rotate(h2, 17) + h3) | 0, 5) + 0x0bcaa747) | 0
      h3 ^= Math.imul(rotate(Math.imul(words[at + 2], C3), 17), C4)
      h3 = (Math.imul((rotate(h3, 15) + h4) | 0, 5) + 0x96cd1c35) | 0
      h4 ^= Math.imul(rotate(Math.imul(words[at + 3], C4), 18), C1)
      h4 = (Math.imul((rotate(h4, 13) + h1) | 0, 5) + 0x32ac3b17) | 0
    }
    this.#h1 = h1
    this.#h2 = h2
    this.#h3 = h3
    this.#h4 = h4
  }

  #tail(from: number): void {
    const rest = new Uint8Array(BLOCK)
    rest.set(this.#stage.subarray(from, this.#staged))
    const view = new DataView(rest.buffer)
    const word = (index: number) => view.getInt32(index * 4, true)
    this.#h4 ^= Math.imul(rotate(Math.imul(word(3), C4), 18), C1)
    this.#h3 ^= Math.imul(rotate(Math.imul(word(2), C3), 17), C4)
    this.#h2 ^= Math.imul(rotate(Math.imul(word(1), C2), 16), C3)
    this.#h1 ^= Math.imul(rotate(Math.imul(word(0), C1), 15), C2)
  }
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

function finalMix(word: number): number {
  let mixed = word
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
