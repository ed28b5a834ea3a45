/** Copies `count` bits, least significant first as Arrow has them. Bits of the last byte past the end are left zero when `to` began on a byte. */
export function copyBits(source: Uint8Array, from: number, count: number, target: Uint8Array, to: number): void {
  if ((to & 7) === 0) {
    copyToByte(source, from, count, target, to >> 3)
    return
  }
  for (let bit = 0; bit < count; bit += 1) {
    const at = to + bit
    const mask = 1 << (at & 7)
    const set = ((source[(from + bit) >> 3] ?? 0) >> ((from + bit) & 7)) & 1
    const byte = target[at >> 3] ?? 0
    target[at >> 3] = set ? byte | mask : byte & ~mask
  }
}

function copyToByte(source: Uint8Array, from: number, count: number, target: Uint8Array, at: number): void {
  const shift = from & 7
  const start = from >> 3
  const bytes = (count + 7) >> 3
  for (let index = 0; index < bytes; index += 1) {
    const low = source[start + index] ?? 0
    target[at + index] = shift === 0 ? low : (low >> shift) | ((source[start + index + 1] ?? 0) << (8 - shift))
  }
  const rest = count & 7
  if (rest !== 0) target[at + bytes - 1] = (target[at + bytes - 1] ?? 0) & ((1 << rest) - 1)
}

/** Sets or clears bits `from` to `to`. */
export function fillBits(target: Uint8Array, from: number, to: number, set: boolean): void {
  for (let bit = from; bit < to; bit += 1) {
    if ((bit & 7) === 0 && to - bit >= 8) {
      target[bit >> 3] = set ? 0xff : 0
      bit += 7
      continue
    }
    const mask = 1 << (bit & 7)
    const byte = target[bit >> 3] ?? 0
    target[bit >> 3] = set ? byte | mask : byte & ~mask
  }
}

const ones = Uint8Array.from({ length: 256 }, (_, byte) => {
  let bits = 0
  for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1
  return bits
})

/** How many of `count` bits, from bit `from`, are set. */
export function countOnes(bits: Uint8Array, from: number, count: number): number {
  let total = 0
  const end = from + count
  for (let bit = from; bit < end; ) {
    if ((bit & 7) === 0 && end - bit >= 8) {
      total += ones[bits[bit >> 3] ?? 0] ?? 0
      bit += 8
    } else {
      total += ((bits[bit >> 3] ?? 0) >> (bit & 7)) & 1
      bit += 1
    }
  }
  return total
}
