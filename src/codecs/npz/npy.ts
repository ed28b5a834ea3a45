import { UnsupportedError } from '../../errors.ts'
import { type Dtype, LAYOUTS, type NumericData } from './npy-dtype.ts'
import { float16ToFloat32 } from './npy-float16.ts'
import { buildNpyHeader, damagedNpy, descrOf, type NpyHeader, npyHeaderLength, parseNpyHeader } from './npy-header.ts'
import type { NpyArray } from './npy-values.ts'

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

/** Header (version 1.0, C order) and data of a `.npy` file; the data is a view of the array's own memory. */
export function npyParts(array: NpyArray): [header: Uint8Array, data: Uint8Array] {
  const { shape, data } = array
  const header = buildNpyHeader(array.dtype === 'string' ? array.descr : descrOf(array.dtype), shape)
  return [header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]
}

/** Reads a `.npy` file of a known size piece by piece, straight into the array it becomes: versions 1.0 to 3.0, either byte order, C or Fortran order. */
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
    /**
     * @throws CorruptionError `npy-damaged`
     * @throws UnsupportedError `npz-object-dtype` (pickled objects are code, and never loaded), `npy-dtype`, `npy-version`, `npy-too-large`
     */
    async finish(): Promise<DecodedArray> {
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

/** Text, and what was written in another order than ours, is read by modules of their own: few arrays are such. */
async function decodeElements(header: NpyHeader, read: Uint8Array<ArrayBuffer>, name: string): Promise<DecodedArray> {
  const { dtype, shape, count, itemSize } = header
  const turned = header.fortran && shape.length > 1
  const body = turned ? (await import('./npy-order.ts')).inCOrder(read, count, itemSize, shape) : read
  if (dtype === 'string') {
    const { decodeStrings } = await import('./npy-decode-strings.ts')
    return { data: decodeStrings(header, body, name), shape, dtype }
  }
  const layout = LAYOUTS[dtype]
  if (header.swapped) (await import('./npy-order.ts')).swapWords(body, layout.word)
  const stored = layout.create(body.buffer)
  return {
    data: dtype === 'float16' && stored instanceof Uint16Array ? float16ToFloat32(stored) : stored,
    shape,
    dtype,
  }
}
