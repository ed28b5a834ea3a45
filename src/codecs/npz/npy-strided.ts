import { gather } from './npy-order.ts'
import { hasLength, invalid } from './npy-values.ts'

interface Strided {
  readonly shape: readonly number[]
  readonly strides: readonly unknown[]
  readonly offset: unknown
  /** Numbers of an element: two of a complex one. */
  readonly parts: number
}

/** The elements of an ndarray in C order: element [i, j] is `data[offset + i * strides[0] + j * strides[1]]`. */
export function fromStrided(
  data: ArrayLike<unknown>,
  { shape, strides: given, offset: start, parts }: Strided,
  name: string,
): ArrayLike<unknown> {
  if (given.length !== shape.length)
    throw invalid('npz-shape', name, `has ${shape.length} dimensions, but ${given.length} strides`)
  const [offset, ...strides] = [start, ...given].filter((step): step is number => Number.isSafeInteger(step))
  if (offset === undefined || strides.length !== given.length)
    throw invalid('npz-shape', name, 'has strides or an offset that are no whole numbers')
  const count = shape.reduce((product, size) => product * size, 1)
  const ends = shape.map((size, axis) => (size - 1) * strides[axis])
  const least = ends.reduce((sum, end) => sum + Math.min(0, end), offset)
  const most = ends.reduce((sum, end) => sum + Math.max(0, end), offset)
  if (count > 0 && (least < 0 || (most + 1) * parts > data.length)) {
    throw invalid('npz-shape', name, `reaches with its strides beyond the ${data.length} elements of its data`)
  }
  const gathered = emptyLike(data, count * parts)
  gather(data, gathered, count, { shape, strides, offset, parts })
  return gathered
}

/** An empty array of the same kind, to be filled. */
function emptyLike(data: ArrayLike<unknown>, length: number): Record<number, unknown> & ArrayLike<unknown> {
  if (Array.isArray(data)) return new Array<unknown>(length)
  // Node's Buffer is one, and has a constructor of another kind.
  if (data instanceof Uint8Array) return new Uint8Array(length)
  const maker: unknown = Reflect.get(data, 'constructor')
  const made: unknown = typeof maker === 'function' ? Reflect.construct(maker, [length]) : undefined
  return isFillable(made) ? made : new Array<unknown>(length)
}

function isFillable(value: unknown): value is Record<number, unknown> & ArrayLike<unknown> {
  return hasLength(value)
}
