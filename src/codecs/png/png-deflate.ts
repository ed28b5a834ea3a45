import { codeLengths, reversedCodes } from './png-huffman.ts'

/** Bytes of input in one deflate block, which has a Huffman code of its own. */
export const BLOCK = 128 * 1024

/** Two literals and the bits left over fit 31 bits, so that they are written at once. */
const LITERAL_LIMIT = 12
const MIN_RUN = 3
const MAX_RUN = 258
const END_OF_BLOCK = 256
const LENGTH_BASES = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
]
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
/** The order in which deflate states the lengths of the code-length code (RFC 1951, 3.2.7). */
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/** A literal byte, or 256 + (length - 3) for a run of the byte before. */
const TOKENS = 512

/**
 * Deflates filtered image rows into a zlib stream with Huffman codes and runs only: no look for repeats, as zlib's Z_RLE. Filtered rows have
 * few repeats, so that this costs some percent in size and a third of zlib's time; and it is the same bytes on every runtime, which zlib and
 * fflate are not.
 */
export function createRunDeflate() {
  const tokens = new Uint16Array(BLOCK)
  const counts = new Uint32Array(4 * TOKENS)
  // 12 bits a literal at most, and the header of a block.
  const output = new Uint8Array(BLOCK * 2)
  const view = new DataView(output.buffer)
  const table = new Uint32Array(TOKENS)
  let at = 0
  let pending = 0
  let pendingBits = 0
  let a = 1
  let b = 0

  const put = (value: number, bits: number) => {
    pending |= value << pendingBits
    pendingBits += bits
    view.setUint32(at, pending, true)
    at += pendingBits >> 3
    pending >>>= pendingBits & ~7
    pendingBits &= 7
  }

  const putTokens = (count: number) => {
    let position = at
    let held = pending
    let bits = pendingBits
    let i = 0
    while (i < count) {
      const first = table[tokens[i++]]
      held |= (first >>> 5) << bits
      bits += first & 31
      if (bits <= 19 && i < count) {
        const second = tokens[i]
        if (second < 256) {
          i++
          held |= (table[second] >>> 5) << bits
          bits += table[second] & 31
        }
      }
      view.setUint32(position, held, true)
      position += bits >> 3
      held >>>= bits & ~7
      bits &= 7
    }
    at = position
    pending = held
    pendingBits = bits
  }

  /** The next block: valid until the next call. */
  const block = (bytes: Uint8Array, last: boolean): Uint8Array => {
    const first = at === 0 && a === 1 && b === 0
    at = 0
    if (first) {
      // 32 KiB window, no dictionary, fastest.
      output[0] = 0x78
      output[1] = 0x01
      at = 2
    }
    ;[a, b] = adler32(bytes, a, b)
    counts.fill(0)
    const count = tokenise(bytes, tokens, counts)
    const symbols = new Uint32Array(286)
    symbols.set(counts.subarray(0, 256))
    symbols[END_OF_BLOCK] = 1
    for (let run = 256; run < TOKENS; run++)
      if (counts[run] > 0) symbols[lengthSymbol(run - 256 + MIN_RUN)] += counts[run]
    const lengths = codeLengths(symbols, LITERAL_LIMIT)
    const codes = reversedCodes(lengths)
    put(last ? 1 : 0, 1)
    put(2, 2)
    putCode(put, lengths)
    for (let byte = 0; byte < 256; byte++) table[byte] = (codes[byte] << 5) | lengths[byte]
    for (let run = 256; run < TOKENS; run++) {
      if (counts[run] === 0) continue
      const length = run - 256 + MIN_RUN
      const symbol = lengthSymbol(length)
      const extra = length - LENGTH_BASES[symbol - 257]
      const bits = lengths[symbol]
      // Behind it the only distance, 1: one bit, 0.
      table[run] = ((codes[symbol] | (extra << bits)) << 5) | (bits + LENGTH_BITS[symbol - 257] + 1)
    }
    putTokens(count)
    put(codes[END_OF_BLOCK], lengths[END_OF_BLOCK])
    if (last) {
      put(0, (8 - pendingBits) & 7)
      view.setUint32(at, ((b << 16) | a) >>> 0, false)
      at += 4
    }
    return output.subarray(0, at)
  }

  return { block }
}

/**
 * Looks at four bytes at once, all literals unless all equal the byte before: a test per byte is mispredicted on noise. A run so loses up to
 * three bytes at its start. Each of the four counts by itself, as one counter cannot be read again at once after it was written.
 */
function tokenise(bytes: Uint8Array, tokens: Uint16Array, counts: Uint32Array): number {
  const end = bytes.length
  const groups = end - 3
  let count = 0
  let before = -1
  let i = 0
  while (i < groups) {
    const b0 = bytes[i]
    const b1 = bytes[i + 1]
    const b2 = bytes[i + 2]
    const b3 = bytes[i + 3]
    if (((b0 ^ before) | (b1 ^ before) | (b2 ^ before) | (b3 ^ before)) === 0) {
      const limit = Math.min(end, i + MAX_RUN)
      let stop = i + 4
      while (stop < limit && bytes[stop] === before) stop++
      const token = 256 + stop - i - MIN_RUN
      tokens[count++] = token
      counts[token]++
      i = stop
    } else {
      tokens[count] = b0
      tokens[count + 1] = b1
      tokens[count + 2] = b2
      tokens[count + 3] = b3
      counts[b0]++
      counts[TOKENS + b1]++
      counts[2 * TOKENS + b2]++
      counts[3 * TOKENS + b3]++
      count += 4
      before = b3
      i += 4
    }
  }
  for (; i < end; i++) {
    tokens[count++] = bytes[i]
    counts[bytes[i]]++
  }
  for (let token = 0; token < 256; token++) {
    counts[token] += counts[TOKENS + token] + counts[2 * TOKENS + token] + counts[3 * TOKENS + token]
  }
  return count
}

function lengthSymbol(length: number): number {
  let symbol = 28
  while (LENGTH_BASES[symbol] > length) symbol--
  return 257 + symbol
}

/** The code of the block, itself coded: lengths of 286 symbols and one distance, runs of zeros and repeats shortened. */
function putCode(put: (value: number, bits: number) => void, lengths: Uint8Array): void {
  const all = new Uint8Array(287)
  all.set(lengths)
  all[286] = 1
  const steps: [symbol: number, extra: number, bits: number][] = []
  for (let i = 0; i < all.length; ) {
    let stop = i + 1
    while (stop < all.length && all[stop] === all[i]) stop++
    let left = stop - i
    if (all[i] !== 0) {
      steps.push([all[i], 0, 0])
      left--
      for (; left >= 3; left -= Math.min(left, 6)) steps.push([16, Math.min(left, 6) - 3, 2])
    } else {
      for (; left >= 11; left -= Math.min(left, 138)) steps.push([18, Math.min(left, 138) - 11, 7])
      if (left >= 3) {
        steps.push([17, left - 3, 3])
        left = 0
      }
    }
    for (; left > 0; left--) steps.push([all[i], 0, 0])
    i = stop
  }
  const frequencies = new Uint32Array(19)
  for (const [symbol] of steps) frequencies[symbol]++
  const codeLength = codeLengths(frequencies, 7)
  const codes = reversedCodes(codeLength)
  let stated = 19
  while (stated > 4 && codeLength[CODE_ORDER[stated - 1]] === 0) stated--
  put(286 - 257, 5)
  put(0, 5)
  put(stated - 4, 4)
  for (let i = 0; i < stated; i++) put(codeLength[CODE_ORDER[i]], 3)
  for (const [symbol, extra, bits] of steps) {
    put(codes[symbol], codeLength[symbol])
    if (bits > 0) put(extra, bits)
  }
}

/** Sums of this many bytes stay below 2^32 before they are reduced (RFC 1950's NMAX). */
const ADLER_STEP = 5552

function adler32(bytes: Uint8Array, a: number, b: number): [number, number] {
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(at + ADLER_STEP, bytes.length)
    while (at < end) {
      a += bytes[at++]
      b += a
    }
    a %= 65521
    b %= 65521
  }
  return [a, b]
}
