import { CorruptionError, UnsupportedError } from '../../errors.ts'
import { dtypeOfCode, LAYOUTS, NATIVE_ORDER, type NumericDtype } from './npy-dtype.ts'

/** What the header of a `.npy` file says. */
export interface NpyHeader {
  readonly dtype: NumericDtype | 'string'
  /** Bytes per element. */
  readonly itemSize: number
  /** UTF-32 code units, or bytes, of a string dtype. */
  readonly text?: 'utf32' | 'bytes'
  /** The elements' bytes are in the other order than this machine's. */
  readonly swapped: boolean
  readonly fortran: boolean
  readonly shape: readonly number[]
  /** Elements: the product of the shape. */
  readonly count: number
  /** Bytes before the data. */
  readonly length: number
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
/** numpy pads so that the data can be mapped into memory by any vector instruction. */
const ALIGNMENT = 64
/** numpy's own limit (`max_header_size`): an array of 64 dimensions needs an eighth of it. */
const MAX_HEADER = 10_000

/** Elements that take no bytes: a number no file size confirms. */
const MAX_HOLLOW = 65_536

/** The header of a C-ordered array, version 1.0. `descr` as numpy writes it, `<f4`. */
export function buildNpyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`
  const start = 10
  const length = Math.ceil((start + text.length + 1) / ALIGNMENT) * ALIGNMENT
  const bytes = new Uint8Array(length).fill(0x20)
  bytes.set(MAGIC)
  bytes[6] = 1
  bytes[7] = 0
  new DataView(bytes.buffer).setUint16(8, length - start, true)
  for (let i = 0; i < text.length; i++) bytes[start + i] = text.charCodeAt(i)
  bytes[length - 1] = 0x0a
  return bytes
}

/** numpy's name of a numeric dtype in this machine's byte order. */
export function descrOf(dtype: NumericDtype): string {
  return `${LAYOUTS[dtype].word === 1 ? '|' : NATIVE_ORDER}${LAYOUTS[dtype].code}`
}

/** Bytes of header that are needed: 12 to know, then what they say. `undefined` when `bytes` are too few to know. */
export function npyHeaderLength(bytes: Uint8Array, name: string): number | undefined {
  if (bytes.length < 12) return undefined
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw damagedNpy(name, 'it does not start as .npy files do')
  const version = bytes[6]
  if (version < 1 || version > 3 || bytes[7] !== 0) {
    throw new UnsupportedError(
      `The array '${name}' is in version ${version}.${bytes[7]} of the .npy format; 1.0, 2.0 and 3.0 can be read. Save it again with numpy's default.`,
      { code: 'npy-version', fields: { name } },
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = version === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true)
  if (length > MAX_HEADER + 12) throw damagedNpy(name, 'its header is longer than any array needs')
  return length
}

/** @throws CorruptionError `npy-damaged`; UnsupportedError `npz-object-dtype`, `npy-dtype`. Never evaluates. */
export function parseNpyHeader(bytes: Uint8Array, length: number, name: string): NpyHeader {
  const start = bytes[6] === 1 ? 10 : 12
  const text = decodeText(bytes.subarray(start, length), bytes[6] === 3 ? 'utf-8' : 'latin1', name)
  const dict = /^\{(.*)\}$/s.exec(text.trim())
  if (!dict) throw damagedNpy(name, 'its header is no dictionary')
  const fields = new Map<string, string>()
  let rest = dict[1].trim()
  while (rest !== '') {
    const field = /^'(descr|fortran_order|shape)'\s*:\s*('[^'\\]*'|True|False|\([\d,\s]*\)|\[.*\])\s*(?:,\s*|$)/s.exec(
      rest,
    )
    if (!field || fields.has(field[1])) throw damagedNpy(name, 'its header cannot be understood')
    fields.set(field[1], field[2])
    rest = rest.slice(field[0].length)
  }
  const order = fields.get('fortran_order')
  if (order !== 'True' && order !== 'False') throw damagedNpy(name, 'its header does not say the order of the elements')
  const shape = parseShape(fields.get('shape'), name)
  const element = parseDescr(fields.get('descr'), name)
  const count = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1)
  const hollow = element.itemSize === 0 && count > MAX_HOLLOW
  if (hollow || !Number.isSafeInteger(count * element.itemSize)) throw damagedNpy(name, 'its shape is beyond any file')
  return { ...element, fortran: order === 'True', shape, count, length }
}

function parseShape(text: string | undefined, name: string): number[] {
  const inner = text === undefined ? undefined : /^\(\s*((?:\d+\s*,\s*)*(?:\d+)?)\s*\)$/.exec(text)?.[1]
  if (inner === undefined || /^\d+$/.test(inner)) throw damagedNpy(name, 'its shape is no tuple')
  const shape = inner
    .split(',')
    .map((size) => size.trim())
    .filter((size) => size !== '')
    .map(Number)
  if (!shape.every(Number.isSafeInteger)) throw damagedNpy(name, 'its shape is beyond any file')
  return shape
}

type Element = Pick<NpyHeader, 'dtype' | 'itemSize' | 'text' | 'swapped'>

function parseDescr(text: string | undefined, name: string): Element {
  const descr = /^'([<>|=]?)([a-zA-Z])(\d*)((?:\[.*\])?)'$/.exec(text ?? '')
  if (text === undefined || !(descr || /^['[]/.test(text)))
    throw damagedNpy(name, 'its header does not say the type of the elements')
  if (!descr) throw unsupportedDtype(name, text)
  const [, order, letter, digits, unit] = descr
  if (letter === 'O') {
    throw new UnsupportedError(
      `The array '${name}' holds Python objects, which are pickled code and never loaded. Save it as numbers or fixed strings, or as JSON.`,
      { code: 'npz-object-dtype', fields: { name } },
    )
  }
  const swapped = (order === '<' || order === '>') && order !== NATIVE_ORDER
  if (unit === '' && (letter === 'U' || letter === 'S') && digits !== '') {
    const units = Number(digits)
    return letter === 'U'
      ? { dtype: 'string', itemSize: units * 4, text: 'utf32', swapped }
      : { dtype: 'string', itemSize: units, text: 'bytes', swapped: false }
  }
  const dtype = unit === '' ? dtypeOfCode(letter + digits) : undefined
  if (!dtype) throw unsupportedDtype(name, text)
  return { dtype, itemSize: LAYOUTS[dtype].size, swapped: swapped && LAYOUTS[dtype].word > 1 }
}

function unsupportedDtype(name: string, descr: string): UnsupportedError {
  return new UnsupportedError(
    `The array '${name}' has elements of type ${descr.slice(0, 80)}, which has no counterpart here. Save its fields as arrays of their own, or convert it to numbers.`,
    { code: 'npy-dtype', fields: { name } },
  )
}

function decodeText(bytes: Uint8Array, encoding: string, name: string): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (cause) {
    throw damagedNpy(name, 'its header is no text', cause)
  }
}

export function damagedNpy(name: string, why: string, cause?: unknown): CorruptionError {
  return new CorruptionError(`The array '${name}' is damaged: ${why}. Take it from its source again.`, {
    code: 'npy-damaged',
    fields: { name },
    cause,
  })
}
