/** Where the elements of an array lie: element [i, j] begins at `offset + i * strides[0] + j * strides[1]`, counted in elements of `parts` numbers each. */
interface Places {
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly offset: number
  readonly parts: number
}

/** Copies so many elements, wherever they lie, one behind another in C order. */
export function gather(
  from: ArrayLike<unknown>,
  to: Record<number, unknown>,
  count: number,
  { shape, strides, offset, parts }: Places,
): void {
  const index = new Array<number>(shape.length).fill(0)
  let position = offset
  for (let i = 0; i < count; i++) {
    for (let part = 0; part < parts; part++) to[i * parts + part] = from[position * parts + part]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += strides[axis]
      if (++index[axis] < shape[axis]) break
      position -= strides[axis] * shape[axis]
      index[axis] = 0
    }
  }
}

/** The bytes of `count` elements in Fortran order, in C order. */
export function inCOrder(
  body: Uint8Array<ArrayBuffer>,
  count: number,
  itemSize: number,
  shape: readonly number[],
): Uint8Array<ArrayBuffer> {
  const strides: number[] = []
  shape.reduce((stride, size) => {
    strides.push(stride)
    return stride * size
  }, 1)
  const turned = new Uint8Array(body.length)
  // Most elements are whole words, which are copied as such.
  const words = itemSize % 4 === 0
  const [from, to] = words ? [new Uint32Array(body.buffer), new Uint32Array(turned.buffer)] : [body, turned]
  gather(from, to, count, { shape, strides, offset: 0, parts: words ? itemSize / 4 : itemSize })
  return turned
}

/** In place, from the other byte order: the buffer is the reader's own. */
export function swapWords(bytes: Uint8Array, word: number): void {
  for (let at = 0; at < bytes.length; at += word) {
    for (let low = at, high = at + word - 1; low < high; low++, high--) {
      const byte = bytes[low]
      bytes[low] = bytes[high]
      bytes[high] = byte
    }
  }
}
