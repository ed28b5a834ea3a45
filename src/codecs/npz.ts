import { InvalidInputError, throwIfAborted, UnsupportedError } from '../errors.ts'
import { isPlainObject, isTensorLike } from './capabilities.ts'
import type { Codec, Encoded, EncodeOptions, JsonObject } from './codec.ts'
import { createNpyReader, type DecodedArray, npyParts } from './npz/npy.ts'
import { type NpyArray, npyArrayOf } from './npz/npy-values.ts'
import { summariseArray } from './npz/npz-preview.ts'
import { openZip } from './zip/zip-reader.ts'
import { writeZip, type ZipSource } from './zip/zip-writer.ts'

/** The preview of an archive of thousands of arrays stays a few kB. */
const PREVIEWED = 100

/**
 * Arrays as numpy's `.npz`: one array, or a record (or Map) of them, each a typed array, a tensor of TF.js, ONNX Runtime, Transformers.js or
 * ndarray, `{ data, shape, dtype }`, nested arrays of numbers, booleans, bigints or strings, or a single one of these. Without a name an array
 * is `arr_0`, as numpy has it. Decoded to `{ name: { data, shape, dtype } }`.
 *
 * Plain numbers are float64, bigints int64 (uint64 where one needs it), booleans bool, strings fixed UTF-32 strings. The data of typed arrays
 * is read while the body is: change it meanwhile and the body fails with `zip-bytes-changed`.
 *
 * @example
 * ```ts
 * import { open } from 'node:fs/promises'
 *
 * const file = await open('arrays.npz', 'w')
 * const encoded = await npzCodec.encode({ weights: new Float32Array(9), bias: { data: new Float32Array(6), shape: [2, 3] } })
 * for await (const piece of encoded.body) await file.write(piece) // numpy.load('arrays.npz') reads it
 * await file.close()
 * ```
 */
export const npzCodec: Codec = {
  kind: 'npz',

  async encode(value, options): Promise<Encoded> {
    return encodeArrays(await readArrays(value, options), options)
  },

  /**
   * @throws CorruptionError `zip-damaged`, `npy-damaged`
   * @throws UnsupportedError `npz-object-dtype`, `npz-member`, `npy-dtype`, `npy-version`, `npy-too-large`
   */
  async decode(asset): Promise<Record<string, DecodedArray>> {
    const zip = await openZip(asset)
    const arrays: [string, DecodedArray][] = []
    for (const entry of zip.entries) {
      if (!entry.path.endsWith('.npy')) {
        throw new UnsupportedError(`'${entry.path}' in '${asset.path}' is no .npy array. Read the archive as a zip.`, {
          code: 'npz-member',
          fields: { path: asset.path, entry: entry.path },
        })
      }
      const name = entry.path.slice(0, -'.npy'.length)
      const reader = createNpyReader(entry.size, name)
      for await (const piece of zip.open(entry)) reader.push(piece)
      arrays.push([name, await reader.finish()])
    }
    // Makes own properties of every name, '__proto__' included.
    return Object.fromEntries(arrays)
  },
}

/** An array and what it is called in the archive. */
export interface NamedArray {
  readonly name: string
  readonly array: NpyArray
}

/** What `arrays(...)` takes, as arrays ready to be written; their data is often the very data of the value. */
export async function readArrays(value: unknown, { signal }: EncodeOptions = {}): Promise<NamedArray[]> {
  const read: NamedArray[] = []
  for (const [name, source] of namedArrays(value)) {
    throwIfAborted(signal)
    read.push({ name, array: await npyArrayOf(source, name) })
  }
  return read
}

export function encodeArrays(arrays: readonly NamedArray[], { signal }: EncodeOptions = {}): Encoded {
  const members = arrays.map(({ name, array }) => ({ name, array, parts: npyParts(array) }))
  const summaries: JsonObject[] = []

  async function* sources(): AsyncGenerator<ZipSource> {
    for (const { name, array, parts } of members) {
      throwIfAborted(signal)
      if (summaries.length < PREVIEWED) summaries.push(await summariseArray(name, array))
      yield { path: `${name}.npy`, body: parts }
    }
  }

  return {
    kind: 'npz',
    extension: '.npz',
    mediaType: 'application/x-npz',
    size: members.reduce(
      (sum, { name, parts }) => sum + parts[0].length + parts[1].length + zipOverhead(name),
      END_SIZE,
    ),
    cuts: 'content',
    body: writeZip(sources()),
    preview: () => ({ kind: 'npz', count: members.length, arrays: summaries }),
  }
}

const END_SIZE = 22

/** Local and central header, for progress only: zip64 is not counted. */
function zipOverhead(name: string): number {
  return 30 + 46 + 2 * (new TextEncoder().encode(name).length + '.npy'.length)
}

function namedArrays(value: unknown): [string, unknown][] {
  if (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((item) => ArrayBuffer.isView(item) || isTensorLike(item))
  ) {
    return value.map((item, i) => [`arr_${i}`, item])
  }
  const isRecord = value instanceof Map || (isPlainObject(value) && !isTensorLike(value))
  if (!isRecord) return [['arr_0', value]]
  const entries: [unknown, unknown][] = value instanceof Map ? [...value] : Object.entries(value)
  const seen = new Map<string, string>()
  return entries.map(([key, item]) => {
    const name = checkedName(key)
    const same = seen.get(name)
    if (same !== undefined)
      throw invalidName(`Two arrays are called '${name}'; one is spelled with other code points.`, name)
    seen.set(name, name)
    return [name, item]
  })
}

/** As one spelling, so that what looks equal is equal. */
function checkedName(key: unknown): string {
  if (typeof key !== 'string')
    throw invalidName(`The name of an array is ${String(key)}, which is no string.`, String(key))
  const name = key.normalize('NFC')
  // Variables of TF.js are called 'dense/kernel', and numpy has such names; none leads out of a folder it is unpacked in.
  const isPlace = name.split('/').every((part) => !['', '.', '..'].includes(part))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (!isPlace || /[\\\u0000-\u001f\u007f]/.test(name) || /\p{Cs}/u.test(name)) {
    throw invalidName(
      `'${name}' cannot be the name of an array: it is empty, leads elsewhere ('/a', 'a//b', '..'), or has '\\', control characters or half characters.`,
      name,
    )
  }
  return name
}

function invalidName(message: string, name: string): InvalidInputError {
  return new InvalidInputError(`${message} Rename it.`, { code: 'npz-name', fields: { name } })
}
