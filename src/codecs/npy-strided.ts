import { gather } from './npy-order.ts'
import { hasLength, invalid } from './npy-values.ts'

/** The elements of an ndarray in C order: element [i, j] is `data[offset + i * stride[0] + j * stride[1]]`. */
export function fromStrided(
  data: ArrayLike<unknown>,
  shape: readonly number[],
  stride: readonly number[],
  start: unknown,
  name: string,
): ArrayLike<unknown> {
  const offset = typeof start === 'number' ? start : 0
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
  gather(data, gathered, count, { shape, strides: stride, offset, parts: 1 })
  return gathered
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
