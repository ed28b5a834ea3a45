import { UnsupportedError } from '../../errors.ts'
import { MAX_DEPTH, tooDeep } from './json-read.ts'
import { MARK } from './json-write.ts'

type NumberArray =
  | Int8ArrayConstructor
  | Uint8ClampedArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Float32ArrayConstructor
  | Float64ArrayConstructor

const numberArrays: ReadonlyMap<string, NumberArray> = new Map<string, NumberArray>([
  ['Int8Array', Int8Array],
  ['Uint8ClampedArray', Uint8ClampedArray],
  ['Int16Array', Int16Array],
  ['Uint16Array', Uint16Array],
  ['Int32Array', Int32Array],
  ['Uint32Array', Uint32Array],
  ['Float32Array', Float32Array],
  ['Float64Array', Float64Array],
])

const numbers: ReadonlyMap<unknown, number | undefined> = new Map<unknown, number | undefined>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
  ['undefined', undefined],
])

/**
 * The value a text with marks in it stands for; see `jsonCodec`. Nothing is evaluated, and `__proto__` is a key like any other.
 *
 * @throws SyntaxError, RangeError and the like, to be wrapped by the caller, when it is not as this codec writes it.
 */
export function readMarked(text: string): unknown {
  const parsed: unknown = JSON.parse(text)
  return restore(parsed, 0)
}

/** In place: what `JSON.parse` made is ours. */
function restore(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) throw tooDeep()
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const element: unknown = value[index]
      if (typeof element === 'object' && element !== null) value[index] = restore(element, depth + 1)
    }
    return value
  }
  const entries: [string, unknown][] = Object.entries(value)
  if (Object.hasOwn(value, MARK)) {
    if (entries.length !== 1) throw new RangeError(`An object with the key ${MARK} has other keys.`)
    return fromMark(entries[0]?.[1], depth)
  }
  for (const [key, element] of entries) {
    if (typeof element !== 'object' || element === null) continue
    const restored = restore(element, depth + 1)
    // Defined, not assigned: assigning to `__proto__` would set the prototype.
    if (restored !== element) {
      Object.defineProperty(value, key, { value: restored, writable: true, enumerable: true, configurable: true })
    }
  }
  return value
}

function fromMark(mark: unknown, depth: number): unknown {
  if (numbers.has(mark)) return numbers.get(mark)
  if (!Array.isArray(mark) || mark.length !== 2) throw unknown(mark)
  const [name, content]: unknown[] = mark
  switch (name) {
    case 'bigint':
      return BigInt(textOf(content))
    case 'Date':
      return dateOf(content)
    case 'Map':
      return new Map(entriesOf(content, depth))
    case 'Set':
      return new Set(listOf(content).map((element) => restore(element, depth + 3)))
    case 'object':
      return Object.fromEntries(entriesOf(content, depth).map(([key, element]) => [textOf(key), element]))
    case 'Uint8Array':
      return fromBase64(textOf(content))
    case 'ArrayBuffer':
      return fromBase64(textOf(content)).buffer
    case 'DataView':
      return new DataView(fromBase64(textOf(content)).buffer)
    case 'BigInt64Array':
      return BigInt64Array.from(listOf(content), (element) => BigInt(textOf(element)))
    case 'BigUint64Array':
      return BigUint64Array.from(listOf(content), (element) => BigInt(textOf(element)))
    case 'Float16Array':
      return float16(listOf(content).map(numberOf))
    default: {
      const type = typeof name === 'string' ? numberArrays.get(name) : undefined
      if (type === undefined) throw unknown(name)
      return type.from(listOf(content).map(numberOf))
    }
  }
}

function float16(values: readonly number[]): unknown {
  const type: unknown = Reflect.get(globalThis, 'Float16Array')
  if (typeof type !== 'function') {
    throw new UnsupportedError('This runtime has no Float16Array. Read the value with a newer one.', {
      code: 'float16-unsupported',
    })
  }
  return Reflect.construct(type, [values])
}

/** @throws DOMException when the text is not base64. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at)
  return bytes
}

function entriesOf(content: unknown, depth: number): [unknown, unknown][] {
  return listOf(content).map((entry) => {
    const [key, value, ...rest] = listOf(entry)
    if (rest.length > 0) throw unknown('entry')
    return [restore(key, depth + 4), restore(value, depth + 4)]
  })
}

function dateOf(content: unknown): Date {
  if (content === null) return new Date(Number.NaN)
  const date = new Date(textOf(content))
  if (Number.isNaN(date.getTime())) throw unknown('Date')
  return date
}

function listOf(content: unknown): unknown[] {
  if (!Array.isArray(content)) throw unknown(content)
  return content
}

function textOf(content: unknown): string {
  if (typeof content !== 'string') throw unknown(content)
  return content
}

function numberOf(content: unknown): number {
  const value = typeof content === 'number' ? content : numbers.get(content)
  if (value === undefined) throw unknown(content)
  return value
}

function unknown(what: unknown): RangeError {
  return new RangeError(
    `The text uses ${MARK} for something unknown: ${typeof what === 'string' ? what.slice(0, 40) : typeof what}.`,
  )
}
