/** Element types of arrays, in the words of TF.js, ONNX Runtime and numpy. */
export type Dtype =
  | 'bool'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'complex64'
  | 'complex128'
  | 'string'

/** What the elements of an array are held in. */
export type NumericData =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array

export type NumericDtype = Exclude<Dtype, 'string'>

interface Layout {
  /** numpy's letter and bytes per element. */
  readonly code: string
  /** Bytes per element. */
  readonly size: number
  /** Bytes that are swapped as one between byte orders: a part of a complex number. */
  readonly word: number
  /** As stored; float16 is its bits here. */
  create(buffer: ArrayBuffer): NumericData
}

/** Every numeric dtype, as `.npy` stores it. */
export const LAYOUTS: Readonly<Record<NumericDtype, Layout>> = {
  bool: { code: 'b1', size: 1, word: 1, create: (buffer) => new Uint8Array(buffer) },
  int8: { code: 'i1', size: 1, word: 1, create: (buffer) => new Int8Array(buffer) },
  uint8: { code: 'u1', size: 1, word: 1, create: (buffer) => new Uint8Array(buffer) },
  int16: { code: 'i2', size: 2, word: 2, create: (buffer) => new Int16Array(buffer) },
  uint16: { code: 'u2', size: 2, word: 2, create: (buffer) => new Uint16Array(buffer) },
  int32: { code: 'i4', size: 4, word: 4, create: (buffer) => new Int32Array(buffer) },
  uint32: { code: 'u4', size: 4, word: 4, create: (buffer) => new Uint32Array(buffer) },
  int64: { code: 'i8', size: 8, word: 8, create: (buffer) => new BigInt64Array(buffer) },
  uint64: { code: 'u8', size: 8, word: 8, create: (buffer) => new BigUint64Array(buffer) },
  float16: { code: 'f2', size: 2, word: 2, create: (buffer) => new Uint16Array(buffer) },
  float32: { code: 'f4', size: 4, word: 4, create: (buffer) => new Float32Array(buffer) },
  float64: { code: 'f8', size: 8, word: 8, create: (buffer) => new Float64Array(buffer) },
  complex64: { code: 'c8', size: 8, word: 4, create: (buffer) => new Float32Array(buffer) },
  complex128: { code: 'c16', size: 16, word: 8, create: (buffer) => new Float64Array(buffer) },
}

const byCode = new Map<string, NumericDtype>()
for (const name of Object.keys(LAYOUTS)) if (isNumericDtype(name)) byCode.set(LAYOUTS[name].code, name)

/** The dtype of numpy's letter and size, `f4`. */
export function dtypeOfCode(code: string): NumericDtype | undefined {
  return byCode.get(code)
}

export function isNumericDtype(word: unknown): word is NumericDtype {
  return typeof word === 'string' && Object.hasOwn(LAYOUTS, word)
}

/** The machine's own order, in which typed arrays lie in memory and are written: little-endian on all that matter. */
export const NATIVE_ORDER = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? '<' : '>'
