const floats = new Float32Array(1)
const bits = new Uint32Array(floats.buffer)

/** Half-precision bits as numbers: every one of them, payloads of NaN included, is exact as float32. */
export function float16ToFloat32(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const result = new Float32Array(halves.length)
  const words = new Uint32Array(result.buffer)
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]
    const sign = (half & 0x8000) << 16
    const exponent = (half >> 10) & 31
    const fraction = half & 0x3ff
    if (exponent === 31) words[i] = sign | 0x7f800000 | (fraction << 13)
    else if (exponent > 0) words[i] = sign | ((exponent + 112) << 23) | (fraction << 13)
    else {
      floats[0] = fraction * 2 ** -24
      words[i] = sign | bits[0]
    }
  }
  return result
}

/** Numbers as half-precision bits, rounded to the nearest, ties to even; beyond 65,519.99 they become infinite. */
export function float32ToFloat16(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const result = new Uint16Array(values.length)
  const words =
    values instanceof Float32Array && values.byteOffset % 4 === 0
      ? new Uint32Array(values.buffer, values.byteOffset, values.length)
      : undefined
  for (let i = 0; i < values.length; i++) {
    if (!words) floats[0] = values[i]
    result[i] = half(words ? words[i] : bits[0])
  }
  return result
}

function half(word: number): number {
  const sign = (word >>> 16) & 0x8000
  const magnitude = word & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7c00 | ((magnitude >> 13) & 0x3ff || 0x200)
  // 65,520 and more round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude < 0x38800000) {
    // Subnormal: the fraction with its hidden bit, shifted to units of 2^-24.
    const shift = 126 - (magnitude >>> 23)
    if (shift > 24) return sign
    const fraction = (magnitude & 0x7fffff) | 0x800000
    return sign | roundedShift(fraction, shift)
  }
  return sign | roundedShift(magnitude - (112 << 23), 13)
}

function roundedShift(value: number, shift: number): number {
  const floor = value >>> shift
  const rest = value - floor * 2 ** shift
  const tie = 2 ** (shift - 1)
  return floor + (rest > tie || (rest === tie && floor % 2 === 1) ? 1 : 0)
}
