import { describe } from '../capabilities.ts'
import { type Dtype, LAYOUTS } from './npy-dtype.ts'
import { encodeStrings } from './npy-encode-strings.ts'
import { float32ToFloat16 } from './npy-float16.ts'
import {
  hasLength,
  invalid,
  isScalar,
  MAX_DIMENSIONS,
  type NpyArray,
  tooManyDimensions,
  typedName,
} from './npy-values.ts'

/** Nested arrays of numbers, booleans, bigints or strings; errors as `npyArrayOf`. */
export function fromNested(value: readonly unknown[], name: string): NpyArray {
  const flat: unknown[] = []
  const shape: number[] = []
  flatten(value, 0, shape, flat, name, '')
  return fromElements(flat, shape, undefined, name)
}

/** Elements of a plain array as the dtype stated, or as their own: float64, bool, int64 (uint64 where needed), string. */
export function fromElements(
  flat: readonly unknown[],
  shape: readonly number[],
  stated: Dtype | undefined,
  name: string,
): NpyArray {
  const own = ownArray(flat, shape, name)
  return stated === undefined || stated === own.dtype ? own : cast(own, stated, name)
}

function ownArray(flat: readonly unknown[], shape: readonly number[], name: string): NpyArray {
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
  if (flat.every((value) => typeof value === 'string')) return encodeStrings(flat, shape, name)
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
        if (!float && (target[i] !== data[i] || (stated === 'bool' && data[i] > 1))) {
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
  if (own.shape.includes(0) && stated === 'string') return encodeStrings([], shape, name)
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
  if (depth >= MAX_DIMENSIONS) throw tooManyDimensions(name)
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
