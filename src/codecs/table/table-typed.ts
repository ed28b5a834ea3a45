import { InvalidInputError } from '../../errors.ts'
import {
  type DataType,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
} from '../arrow/arrow.ts'
import { tagOf } from '../tag-of.ts'

const types: Record<string, { readonly width: number; readonly make: () => DataType }> = {
  Int8Array: { width: 1, make: () => new Int8() },
  Uint8Array: { width: 1, make: () => new Uint8() },
  Uint8ClampedArray: { width: 1, make: () => new Uint8() },
  Int16Array: { width: 2, make: () => new Int16() },
  Uint16Array: { width: 2, make: () => new Uint16() },
  Int32Array: { width: 4, make: () => new Int32() },
  Uint32Array: { width: 4, make: () => new Uint32() },
  BigInt64Array: { width: 8, make: () => new Int64() },
  BigUint64Array: { width: 8, make: () => new Uint64() },
  Float16Array: { width: 2, make: () => new Float16() },
  Float32Array: { width: 4, make: () => new Float32() },
  Float64Array: { width: 8, make: () => new Float64() },
}

/** The Arrow type of a typed array's elements. A DataView has none. */
export function typedArrayType(view: ArrayBufferView): { type: DataType; width: number } {
  const name = tagOf(view)
  const found = types[name]
  if (found !== undefined) return { type: found.make(), width: found.width }
  throw new InvalidInputError(
    `A ${name} cannot be a table's column. Wrap its buffer in a typed array of the right type.`,
    {
      code: 'unsupported-value',
      fields: { type: name },
    },
  )
}
