import { InvalidInputError } from '../errors.ts'
import { describe, hasMethods, isTensorLike } from './capabilities.ts'
import { type Dtype, isNumericDtype, LAYOUTS, type NumericData, type NumericDtype } from './npy-dtype.ts'
import { float32ToFloat16 } from './npy-float16.ts'
import { inThisRealm } from './realms.ts'

/** Elements in C order, ready to be written. */
export interface NpyArray {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** float16 as its bits, bool as 0 and 1, complex numbers as pairs; often the very data of the value. */
  readonly data: NumericData | readonly string[]
}

/** numpy's own limit (NPY_MAXDIMS). */
const MAX_DIMENSIONS = 64

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
  readonly offset?: unknown
}

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
  if (isScalar(value)) return fromNested([value], [], name)
  if (Array.isArray(value)) {
    const flat: unknown[] = []
    const shape: number[] = []
    flatten(value, 0, shape, flat, name, '')
    return fromNested(flat, shape, name)
  }
  throw invalid(
    'npz-value',
    name,
    `is ${describe(value)}; give a typed array, a tensor { data, shape }, or nested arrays of numbers`,
  )
}

async function fromTensor(tensor: Tensor, name: string): Promise<NpyArray> {
  const shape = numbers(tensor.shape ?? tensor.dims) ?? []
  const stated = tensor.dtype ?? tensor.type
  const data = await tensorData(tensor)
  const count = shape.reduce((product, size) => product * size, 1)
  const stride = numbers(tensor.stride)
  if (stride) return fromStrided(data, shape, stride, tensor.offset, stated, name)
  const parts = stated === 'complex64' || stated === 'complex128' ? 2 : 1
  if (!hasLength(data))
    throw invalid('npz-value', name, `has data that is ${describe(data)}; give a typed array or an array`)
  if (data.length !== count * parts) {
    throw invalid(
      'npz-shape',
      name,
      `has the shape [${shape.join(', ')}], which is ${count * parts} elements, but ${data.length} in its data`,
    )
  }
  return convert(data, shape, stated, name)
}

async function tensorData(tensor: Tensor): Promise<unknown> {
  // ONNX Runtime's `data` throws while the tensor is on the GPU; its getData, and TF.js's data, fetch it from there.
  if (hasMethods(tensor, 'getData')) return tensor.getData()
  if (hasMethods(tensor, 'data')) return tensor.data()
  if (hasMethods(tensor, 'dataSync')) return tensor.dataSync()
  return tensor.data
}

/** ndarray: element [i, j] is `data[offset + i * stride[0] + j * stride[1]]`. */
function fromStrided(
  data: unknown,
  shape: number[],
  stride: readonly number[],
  start: unknown,
  stated: unknown,
  name: string,
): NpyArray {
  const offset = typeof start === 'number' ? start : 0
  if (!hasLength(data))
    throw invalid('npz-value', name, `has data that is ${describe(data)}; give a typed array or an array`)
  if (stride.length !== shape.length)
    throw invalid('npz-shape', name, `has ${shape.length} dimensions, but ${stride.length} strides`)
  const count = shape.reduce((product, size) => product * size, 1)
  const ends = shape.map((size, axis) => (size - 1) * stride[axis])
  const least = ends.reduce((sum, end) => sum + Math.min(0, end), offset)
  const most = ends.reduce((sum, end) => sum + Math.max(0, end), offset)
  if (count > 0 && (least < 0 || most >= data.length)) {
    throw invalid('npz-shape', name, `reaches with its strides beyond the ${data.length} elements of its data`)
  }
  const gathered = emptyLike(data, count)
  const index = new Array<number>(shape.length).fill(0)
  let position = offset
  for (let i = 0; i < count; i++) {
    gathered[i] = data[position]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += stride[axis]
      if (++index[axis] < shape[axis]) break
      position -= stride[axis] * shape[axis]
      index[axis] = 0
    }
  }
  return convert(gathered, shape, stated, name)
}

/** Data as the stated dtype, or as its own; copied only where the form changes. */
function convert(given: unknown, shape: readonly number[], stated: unknown, name: string): NpyArray {
  const data = ArrayBuffer.isView(given) ? inThisRealm(given) : given
  if (shape.length > MAX_DIMENSIONS)
    throw invalid('npz-shape', name, `has more than the ${MAX_DIMENSIONS} dimensions numpy can read`)
  const known = isNumericDtype(stated) || stated === 'string'
  const typed = typedName(data)
  if (!typed) {
    if (!Array.isArray(data))
      throw invalid('npz-value', name, `has data that is ${describe(data)}; give a typed array or an array`)
    const own = fromNested(data, shape, name)
    return known && stated !== own.dtype ? cast(own, stated, name) : own
  }
  const { dtype, fits } = TYPED[typed]
  if (!known) {
    const stateless = stated === undefined || stated === 'generic' || stated === 'array' || stated === 'uint8_clamped'
    if (!stateless)
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

function isBinary(data: NumericData): boolean {
  for (const value of data) if (value !== 0 && value !== 1) return false
  return true
}

/** Numbers, booleans, bigints or strings in a plain array: float64, bool, int64 (uint64 where needed), string. */
function fromNested(flat: readonly unknown[], shape: readonly number[], name: string): NpyArray {
  const first = flat.length > 0 ? typeof flat[0] : 'number'
  const odd = flat.findIndex((value) => typeof value !== first)
  if (odd >= 0) {
    throw invalid(
      'npz-value',
      name,
      `mixes kinds: ${describe(flat[0])} first, and ${describe(flat[odd])} at ${indexOf(odd, shape)}`,
    )
  }
  if (flat.every((value) => typeof value === 'number'))
    return { dtype: 'float64', shape, data: Float64Array.from(flat) }
  if (flat.every((value) => typeof value === 'boolean'))
    return { dtype: 'bool', shape, data: Uint8Array.from(flat, Number) }
  if (flat.every((value) => typeof value === 'string')) return { dtype: 'string', shape, data: flat }
  if (flat.every((value) => typeof value === 'bigint')) return fromBigints(flat, shape, name)
  throw invalid(
    'npz-value',
    name,
    `has ${describe(flat[0])} as an element; numbers, booleans, bigints and strings can be stored`,
  )
}

function fromBigints(flat: readonly bigint[], shape: readonly number[], name: string): NpyArray {
  const unsigned = flat.some((value) => value > 0x7fffffffffffffffn)
  const wrong = flat.findIndex(
    (value) => BigInt.asIntN(64, value) !== value && (!unsigned || BigInt.asUintN(64, value) !== value),
  )
  const negative = unsigned ? flat.findIndex((value) => value < 0n) : -1
  if (wrong >= 0 || negative >= 0) {
    throw invalid(
      'npz-value',
      name,
      `has at ${indexOf(wrong >= 0 ? wrong : negative, shape)} an integer that does not fit 64 bits with the others`,
    )
  }
  return unsigned
    ? { dtype: 'uint64', shape, data: BigUint64Array.from(flat) }
    : { dtype: 'int64', shape, data: BigInt64Array.from(flat) }
}

/** A plain array with a dtype stated: only where no value changes, floats aside. */
function cast(own: NpyArray, stated: Dtype, name: string): NpyArray {
  const { data, shape } = own
  if (own.dtype === 'float64' && stated !== 'string' && data instanceof Float64Array) {
    if (stated === 'float16') return { dtype: stated, shape, data: float32ToFloat16(data) }
    const target = LAYOUTS[stated].create(new ArrayBuffer(data.length * LAYOUTS[stated].word))
    const float = stated === 'float32' || stated === 'complex64' || stated === 'complex128'
    if (!(target instanceof BigInt64Array || target instanceof BigUint64Array)) {
      for (let i = 0; i < data.length; i++) {
        target[i] = data[i]
        if (!float && target[i] !== data[i]) {
          throw invalid('npz-dtype', name, `says it is ${stated}, but has ${data[i]} at ${indexOf(i, shape)}`)
        }
      }
      return { dtype: stated, shape, data: target }
    }
    const whole = data.findIndex((value) => !Number.isSafeInteger(value))
    if (whole >= 0)
      throw invalid('npz-dtype', name, `says it is ${stated}, but has ${data[whole]} at ${indexOf(whole, shape)}`)
    return cast(fromBigints(Array.from(data, BigInt), shape, name), stated, name)
  }
  if (stated === 'uint64' && data instanceof BigInt64Array && data.every((value) => value >= 0n)) {
    return { dtype: stated, shape, data: new BigUint64Array(data.buffer) }
  }
  if (stated === own.dtype) return own
  if (own.shape.includes(0) && stated === 'string') return { dtype: 'string', shape, data: [] }
  throw invalid('npz-dtype', name, `says it is ${stated}, but its data is ${own.dtype}`)
}

function flatten(
  value: readonly unknown[],
  depth: number,
  shape: number[],
  flat: unknown[],
  name: string,
  path: string,
): void {
  if (depth >= MAX_DIMENSIONS)
    throw invalid('npz-shape', name, `has more than the ${MAX_DIMENSIONS} dimensions numpy can read`)
  if (shape.length === depth) shape.push(value.length)
  if (shape[depth] !== value.length) {
    throw invalid(
      'npz-shape',
      name,
      `is not regular: ${value.length} elements at [${path}], ${shape[depth]} in the ones before`,
    )
  }
  for (let i = 0; i < value.length; i++) {
    const element = value[i]
    const here = path === '' ? `${i}` : `${path}, ${i}`
    const nested = Array.isArray(element) || (typedName(element) !== undefined && hasLength(element))
    if (nested) {
      if (flat.length > 0 && shape.length === depth + 1)
        throw invalid('npz-shape', name, `is not regular: an array at [${here}] among elements`)
      flatten(Array.isArray(element) ? element : Array.from(element), depth + 1, shape, flat, name, here)
    } else {
      if (shape.length > depth + 1)
        throw invalid('npz-shape', name, `is not regular: an element at [${here}] among arrays`)
      if (!isScalar(element)) {
        throw invalid(
          'npz-value',
          name,
          `has ${describe(element)} at [${here}]; numbers, booleans, bigints and strings can be stored`,
        )
      }
      flat.push(element)
    }
  }
}

function indexOf(position: number, shape: readonly number[]): string {
  const index: number[] = []
  for (let axis = shape.length - 1, rest = position; axis >= 0; axis--) {
    index.unshift(rest % shape[axis])
    rest = Math.floor(rest / shape[axis])
  }
  return `[${index.join(', ')}]`
}

function typedName(value: unknown): string | undefined {
  if (!ArrayBuffer.isView(value) || value instanceof DataView) return undefined
  // Buffer and other subclasses go by the kind they extend.
  const tag = Reflect.get(value, Symbol.toStringTag)
  return typeof tag === 'string' && Object.hasOwn(TYPED, tag) ? tag : undefined
}

function isNumericData(value: unknown): value is NumericData {
  return ArrayBuffer.isView(value) && !(value instanceof DataView)
}

function isScalar(value: unknown): boolean {
  return (
    typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'string'
  )
}

function hasLength(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || typedName(value) !== undefined
}

function lengthOf(value: unknown): number {
  return hasLength(value) ? value.length : 0
}

/** An empty array of the same kind, to be filled. */
function emptyLike(data: ArrayLike<unknown>, length: number): Record<number, unknown> & ArrayLike<unknown> {
  if (Array.isArray(data)) return new Array<unknown>(length)
  const maker: unknown = Reflect.get(data, 'constructor')
  const made: unknown = typeof maker === 'function' ? Reflect.construct(maker, [length]) : undefined
  return isFillable(made) ? made : new Array<unknown>(length)
}

function isFillable(value: unknown): value is Record<number, unknown> & ArrayLike<unknown> {
  return hasLength(value)
}

/** An array or typed array of whole numbers as an array. */
function numbers(value: unknown): number[] | undefined {
  if (!hasLength(value)) return undefined
  const list = Array.from(value)
  return list.every((item): item is number => Number.isSafeInteger(item)) ? list : undefined
}

function invalid(code: string, name: string, why: string): InvalidInputError {
  return new InvalidInputError(`The array '${name}' ${why}.`, { code, fields: { name } })
}
