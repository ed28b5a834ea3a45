import { InvalidInputError, UnsupportedError } from '../errors.ts'
import { type Dtype, LAYOUTS, NATIVE_ORDER, type NumericData } from './npy-dtype.ts'
import { float16ToFloat32 } from './npy-float16.ts'
import { buildNpyHeader, damagedNpy, descrOf, type NpyHeader, npyHeaderLength, parseNpyHeader } from './npy-header.ts'
import { type NpyArray, npyArrayOf } from './npy-values.ts'

/** An array read back, in C order. */
export interface DecodedArray {
  /**
   * The elements: bool as 0 and 1 in a Uint8Array, float16 as float32 (which holds each of them exactly), complex numbers as pairs of floats,
   * int64 and uint64 as bigints, strings as strings, all others as their own typed array.
   */
  readonly data: NumericData | string[]
  readonly shape: readonly number[]
  readonly dtype: Dtype
}

/**
 * An array as the bytes of a `.npy` file (version 1.0, C order).
 *
 * @throws InvalidInputError as `npzCodec.encode`
 */
export async function encodeNpy(value: unknown): Promise<Uint8Array> {
  const parts = npyParts(await npyArrayOf(value, 'array'), 'array')
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Header and data of a `.npy` file; the data is a view of the array's own memory. */
export function npyParts({ dtype, shape, data }: NpyArray, name: string): [header: Uint8Array, data: Uint8Array] {
  if (ArrayBuffer.isView(data)) {
    if (dtype === 'string') throw new TypeError('A string array holds strings.')
    return [buildNpyHeader(descrOf(dtype), shape), new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]
  }
  const { units, longest } = utf32(data, name)
  // numpy has no strings of no length: it makes them one unit long.
  const descr = `${NATIVE_ORDER}U${Math.max(1, longest)}`
  return [buildNpyHeader(descr, shape), new Uint8Array(units.buffer)]
}

/** Strings as numpy holds them: UTF-32, padded with zeros to the longest. */
function utf32(strings: readonly string[], name: string): { units: Uint32Array<ArrayBuffer>; longest: number } {
  const points = strings.map((text, i) => {
    const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0)
    if (codes.at(-1) === 0 || codes.some((code) => code >= 0xd800 && code < 0xe000)) {
      throw new InvalidInputError(
        `The string at ${i} of the array '${name}' ends in a NUL or has half a surrogate pair, which numpy cannot hold. Store it as JSON.`,
        { code: 'npz-string', fields: { name } },
      )
    }
    return codes
  })
  const longest = points.reduce((most, codes) => Math.max(most, codes.length), 0)
  const units = new Uint32Array(strings.length * Math.max(1, longest))
  for (const [i, codes] of points.entries()) units.set(codes, i * Math.max(1, longest))
  return { units, longest }
}

/**
 * Reads the bytes of a `.npy` file, versions 1.0 to 3.0, either byte order, C or Fortran order.
 *
 * @throws CorruptionError `npy-damaged`
 * @throws UnsupportedError `npz-object-dtype` (pickled objects are code, and never loaded), `npy-dtype`, `npy-version`, `npy-too-large`
 */
export function decodeNpy(bytes: Uint8Array, name = 'array'): DecodedArray {
  const reader = createNpyReader(bytes.length, name)
  reader.push(bytes)
  return reader.finish()
}

/** Reads a `.npy` file of a known size piece by piece, straight into the array it becomes. */
export function createNpyReader(size: number, name: string) {
  let head = new Uint8Array(0)
  let header: NpyHeader | undefined
  let body = new Uint8Array(0)
  let filled = 0

  const begin = (piece: Uint8Array): Uint8Array => {
    const joined = new Uint8Array(head.length + piece.length)
    joined.set(head)
    joined.set(piece, head.length)
    head = joined
    const length = npyHeaderLength(head, name)
    if (length === undefined || head.length < length) return head.subarray(head.length)
    header = parseNpyHeader(head, length, name)
    const expected = header.count * header.itemSize
    if (size - length !== expected) {
      throw damagedNpy(
        name,
        `its shape [${header.shape.join(', ')}] needs ${expected} bytes, but it has ${size - length}`,
      )
    }
    body = allocate(expected, name)
    return head.subarray(length)
  }

  return {
    push(piece: Uint8Array): void {
      const data = header ? piece : begin(piece)
      body.set(data, filled)
      filled += data.length
    },
    finish(): DecodedArray {
      if (!header || filled !== body.length) throw damagedNpy(name, 'it ends too early')
      return decodeElements(header, body, name)
    },
  }
}

function allocate(size: number, name: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(size)
  } catch (cause) {
    throw new UnsupportedError(
      `The array '${name}' takes ${size} bytes, more than this runtime can hold. Read it in parts elsewhere.`,
      {
        code: 'npy-too-large',
        fields: { name, size },
        cause,
      },
    )
  }
}

function decodeElements(header: NpyHeader, body: Uint8Array<ArrayBuffer>, name: string): DecodedArray {
  const { dtype, shape } = header
  if (dtype === 'string') {
    const strings = decodeStrings(header, body, name)
    return {
      data: header.fortran ? cOrder(strings, shape, 1, new Array<string>(strings.length)) : strings,
      shape,
      dtype,
    }
  }
  const layout = LAYOUTS[dtype]
  if (header.swapped) swapWords(body, layout.word)
  const stored = layout.create(body.buffer)
  const data = dtype === 'float16' && stored instanceof Uint16Array ? float16ToFloat32(stored) : stored
  const turned = header.fortran && shape.length > 1
  return { data: turned ? turn(data, shape, layout.size / layout.word) : data, shape, dtype }
}

/** A typed array in Fortran order, in C order. */
function turn(data: NumericData, shape: readonly number[], parts: number): NumericData {
  if (data instanceof BigInt64Array) return cOrder(data, shape, parts, new BigInt64Array(data.length))
  if (data instanceof BigUint64Array) return cOrder(data, shape, parts, new BigUint64Array(data.length))
  return cOrder<number, Exclude<NumericData, BigInt64Array | BigUint64Array>>(data, shape, parts, data.slice())
}

/** Copies Fortran-ordered elements of `parts` numbers each to `to` in C order. */
function cOrder<Element, To extends { [index: number]: Element }>(
  from: ArrayLike<Element>,
  shape: readonly number[],
  parts: number,
  to: To,
): To {
  const count = from.length / parts
  const strides: number[] = []
  shape.reduce((stride, size) => {
    strides.push(stride)
    return stride * size
  }, 1)
  const index = new Array<number>(shape.length).fill(0)
  let position = 0
  for (let i = 0; i < count; i++) {
    for (let part = 0; part < parts; part++) to[i * parts + part] = from[position * parts + part]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += strides[axis]
      if (++index[axis] < shape[axis]) break
      position -= strides[axis] * shape[axis]
      index[axis] = 0
    }
  }
  return to
}

/** The buffer is the reader's own. */
function swapWords(bytes: Uint8Array, word: number): void {
  for (let at = 0; at < bytes.length; at += word) {
    for (let low = at, high = at + word - 1; low < high; low++, high--) {
      const byte = bytes[low]
      bytes[low] = bytes[high]
      bytes[high] = byte
    }
  }
}

function decodeStrings(header: NpyHeader, body: Uint8Array, name: string): string[] {
  const { count, itemSize } = header
  const strings: string[] = []
  if (header.text === 'bytes') {
    const latin1 = new TextDecoder('latin1')
    for (let i = 0; i < count; i++)
      strings.push(trimEnd(latin1.decode(body.subarray(i * itemSize, (i + 1) * itemSize))))
    return strings
  }
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const littleEndian = (NATIVE_ORDER === '<') !== header.swapped
  for (let i = 0; i < count; i++) {
    let text = ''
    for (let at = i * itemSize; at < (i + 1) * itemSize; at += 4) {
      const code = view.getUint32(at, littleEndian)
      if (code > 0x10ffff) throw damagedNpy(name, `it has no character ${code}`)
      text += String.fromCodePoint(code)
    }
    strings.push(trimEnd(text))
  }
  return strings
}

function trimEnd(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--
  return text.slice(0, end)
}
