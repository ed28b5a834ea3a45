import { InvalidInputError } from '../../errors.ts'
import { describe, hasMethods, isTensorLike } from '../capabilities.ts'
import { inThisRealm } from '../realms.ts'
import { isNumericDtype, type NumericData, type NumericDtype } from './npy-dtype.ts'
import { float32ToFloat16 } from './npy-float16.ts'

/** Elements in C order, ready to be written. */
export type NpyArray = NumericArray | TextArray

interface NumericArray {
  readonly dtype: NumericDtype
  readonly shape: readonly number[]
  /** float16 as its bits, bool as 0 and 1, complex numbers as pairs; often the very data of the value. */
  readonly data: NumericData
}

interface TextArray {
  readonly dtype: 'string'
  readonly shape: readonly number[]
  /** UTF-32. */
  readonly data: NumericData
  /** numpy's name of the type, which has the length of the strings: `<U5`. */
  readonly descr: string
}

/** numpy's own limit (NPY_MAXDIMS). */
export const MAX_DIMENSIONS = 64

const TYPED: Readonly<Record<string, { dtype: NumericDtype; fits: readonly NumericDtype[] }>> = {
  Int8Array: { dtype: 'int8', fits: ['int8', 'bool'] },
  Uint8Array: { dtype: 'uint8', fits: ['uint8', 'bool'] },
  Uint8ClampedArray: { dtype: 'uint8', fits: ['uint8', 'bool'] },
  Int16Array: { dtype: 'int16', fits: ['int16'] },
  Uint16Array: { dtype: 'uint16', fits: ['uint16', 'float16'] },
  Int32Array: { dtype: 'int32', fits: ['int32'] },
  Uint32Array: { dtype: 'uint32', fits: ['uint32'] },
  BigInt64Array: { dtype: 'int64', fits: ['int64'] },
  BigUint64Array: { dtype: 'uint64', fits: ['uint64'] },
  Float16Array: { dtype: 'float16', fits: ['float16'] },
  Float32Array: { dtype: 'float32', fits: ['float32', 'complex64', 'float16'] },
  Float64Array: { dtype: 'float64', fits: ['float64', 'complex128', 'float16'] },
}

interface Tensor {
  readonly data?: unknown
  readonly shape?: unknown
  readonly dims?: unknown
  readonly dtype?: unknown
  readonly type?: unknown
  readonly stride?: unknown
  readonly strides?: unknown
  readonly offset?: unknown
}

/** What libraries call the type of a JavaScript array: ndarray, TF.js, stdlib. */
const ALIASES: ReadonlyMap<unknown, NumericDtype | undefined> = new Map<unknown, NumericDtype | undefined>([
  ['generic', undefined],
  ['array', undefined],
  ['buffer', 'uint8'],
  ['uint8_clamped', 'uint8'],
  ['uint8c', 'uint8'],
  ['bigint64', 'int64'],
  ['biguint64', 'uint64'],
])

function isTensor(value: unknown): value is Tensor {
  return isTensorLike(value)
}

/**
 * A value as an array: typed arrays, tensors, nested arrays of numbers, booleans, bigints or strings, and single ones of these.
 *
 * @throws InvalidInputError naming the array and the index: `npz-value`, `npz-shape`, `npz-dtype`
 */
export async function npyArrayOf(value: unknown, name: string): Promise<NpyArray> {
  if (isTensor(value)) return fromTensor(value, name)
  if (typedName(value)) return convert(value, [lengthOf(value)], undefined, name)
  if (isScalar(value)) return (await nested()).fromElements([value], [], undefined, name)
  if (Array.isArray(value)) return (await nested()).fromNested(value, name)
  throw invalid(
    'npz-value',
    name,
    `is ${describe(value)}; give a typed array, a tensor { data, shape }, or nested arrays of numbers`,
  )
}

async function fromTensor(tensor: Tensor, name: string): Promise<NpyArray> {
  const shape = numbers(tensor.shape ?? tensor.dims) ?? []
  const said = tensor.dtype ?? tensor.type
  const stated = ALIASES.has(said) ? ALIASES.get(said) : said
  const data = await tensorData(tensor)
  const count = shape.reduce((product, size) => product * size, 1)
  const strides = stridesOf(tensor, shape.length)
  const parts = stated === 'complex64' || stated === 'complex128' ? 2 : 1
  if (!hasLength(data))
    throw invalid('npz-value', name, `has data that is ${describe(data)}; give a typed array or an array`)
  if (strides) {
    const { fromStrided } = await import('./npy-strided.ts')
    return convert(fromStrided(data, { shape, strides, offset: tensor.offset ?? 0, parts }, name), shape, stated, name)
  }
  if (data.length !== count * parts) {
    throw invalid(
      'npz-shape',
      name,
      `has the shape [${shape.join(', ')}], which is ${count * parts} elements, but ${data.length} in its data`,
    )
  }
  return convert(data, shape, stated, name)
}

/** ndarray calls them `stride`, stdlib `strides`. Those of TF.js are one fewer than the dimensions, and its data lies in C order. */
function stridesOf({ stride, strides }: Tensor, dimensions: number): readonly unknown[] | undefined {
  if (hasLength(stride)) return Array.from(stride)
  return hasLength(strides) && strides.length === dimensions ? Array.from(strides) : undefined
}

async function tensorData(tensor: Tensor): Promise<unknown> {
  // ONNX Runtime's `data` throws while the tensor is on the GPU; its getData, and TF.js's data, fetch it from there.
  if (hasMethods(tensor, 'getData')) return tensor.getData()
  if (hasMethods(tensor, 'data')) return tensor.data()
  if (hasMethods(tensor, 'dataSync')) return tensor.dataSync()
  return tensor.data
}

/** Data as the stated dtype, or as its own; copied only where the form changes. */
async function convert(given: unknown, shape: readonly number[], stated: unknown, name: string): Promise<NpyArray> {
  const data = ArrayBuffer.isView(given) ? inThisRealm(given) : given
  if (shape.length > MAX_DIMENSIONS) throw tooManyDimensions(name)
  const known = isNumericDtype(stated) || stated === 'string'
  const typed = typedName(data)
  if (!typed) {
    if (!Array.isArray(data))
      throw invalid('npz-value', name, `has data that is ${describe(data)}; give a typed array or an array`)
    return (await nested()).fromElements(data, shape, known ? stated : undefined, name)
  }
  const { dtype, fits } = TYPED[typed]
  if (!known) {
    if (stated !== undefined)
      throw invalid(
        'npz-dtype',
        name,
        `has the dtype ${typeof stated === 'string' ? stated.slice(0, 40) : describe(stated)}, which .npy cannot hold`,
      )
  }
  const wanted = isNumericDtype(stated) ? stated : dtype
  if (stated === 'string' || !fits.includes(wanted)) {
    throw invalid('npz-dtype', name, `says it is ${String(stated)}, but its data is a ${typed}`)
  }
  if (typed === 'Float16Array' && ArrayBuffer.isView(data)) {
    return { dtype: wanted, shape, data: new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) }
  }
  if (!isNumericData(data)) throw invalid('npz-value', name, 'has data of an unknown kind')
  if (wanted === 'float16' && (data instanceof Float32Array || data instanceof Float64Array)) {
    return { dtype: wanted, shape, data: float32ToFloat16(data) }
  }
  if (wanted === 'bool' && !isBinary(data))
    throw invalid('npz-dtype', name, 'says it is bool, but has values other than 0 and 1')
  return { dtype: wanted, shape, data }
}

/** Plain arrays are read element by element: loaded with the first of them. */
function nested() {
  return import('./npy-nested.ts')
}

function isBinary(data: NumericData): boolean {
  for (const value of data) if (value !== 0 && value !== 1) return false
  return true
}

export function typedName(value: unknown): string | undefined {
  if (!ArrayBuffer.isView(value) || value instanceof DataView) return undefined
  // Buffer and other subclasses go by the kind they extend.
  const tag = Reflect.get(value, Symbol.toStringTag)
  return typeof tag === 'string' && Object.hasOwn(TYPED, tag) ? tag : undefined
}

function isNumericData(value: unknown): value is NumericData {
  return ArrayBuffer.isView(value) && !(value instanceof DataView)
}

export function isScalar(value: unknown): boolean {
  return (
    typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'string'
  )
}

export function hasLength(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || typedName(value) !== undefined
}

function lengthOf(value: unknown): number {
  return hasLength(value) ? value.length : 0
}

/** An array or typed array of whole numbers as an array. */
function numbers(value: unknown): number[] | undefined {
  if (!hasLength(value)) return undefined
  const list = Array.from(value)
  return list.every((item): item is number => Number.isSafeInteger(item)) ? list : undefined
}

export function invalid(code: string, name: string, why: string): InvalidInputError {
  return new InvalidInputError(`The array '${name}' ${why}.`, { code, fields: { name } })
}

export function tooManyDimensions(name: string): InvalidInputError {
  return invalid('npz-shape', name, `has more than the ${MAX_DIMENSIONS} dimensions numpy can read`)
}
