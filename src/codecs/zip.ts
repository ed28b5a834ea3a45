import { CorruptionError, InvalidInputError, isTidemarkError } from '../errors.ts'
import { checkLogicalPath, comparePaths } from '../paths.ts'
import { describe, isAsyncIterable, isObject } from './capabilities.ts'
import type { AssetReader, Codec, Encoded, JsonObject } from './codec.ts'
import { type FileSource, isFileSource } from './file-source.ts'
import { openZip } from './zip/zip-reader.ts'
import { writeZip, type ZipSource } from './zip/zip-writer.ts'

/** Entries listed in a preview: a screenful or two, about 6 kB. */
const PREVIEW_ENTRIES = 100

/**
 * Folders as zip archives: the same files give the same bytes. The value is the files of a folder, each with its `path`, sorted by path in code point
 * order, as `openSource` gives them (or `{ files }`, its whole answer). `get` gives a `Map` of path to bytes.
 *
 * @throws InvalidInputError `unsorted-files`, `zip-duplicate-path`, `invalid-path`; whatever reading a file throws.
 */
export const zipCodec: Codec = {
  kind: 'zip',

  encode(value, { signal } = {}): Encoded {
    const files = filesOf(value)
    const entries: JsonObject[] = []
    let count = 0
    let size = 0

    async function* sources(): AsyncGenerator<ZipSource> {
      let previous: string | undefined
      for await (const file of files) {
        const path = entryPath(file, previous)
        previous = path
        const entry = { path, size: 0 }
        if (count++ < PREVIEW_ENTRIES) entries.push(entry)
        // Always as a stream: how a zip tells the sizes must not depend on where the bytes were.
        const onSize = (bytes: number) => {
          entry.size = bytes
          size += bytes
        }
        yield { path, ...(file.size === undefined ? undefined : { size: file.size }), body: file.open(signal), onSize }
      }
    }

    return {
      kind: 'zip',
      extension: '.zip',
      mediaType: 'application/zip',
      cuts: 'content',
      body: writeZip(sources()),
      preview: () => ({ kind: 'zip', count, size, entries }),
    }
  },

  async decode(asset: AssetReader): Promise<Map<string, Uint8Array>> {
    const zip = await openZip(asset)
    const files = new Map<string, Uint8Array>()
    for (const entry of zip.entries) {
      // A folder of its own, as other writers store them.
      if (entry.path.endsWith('/') && entry.size === 0) continue
      const path = safePath(entry.path, asset.path)
      if (files.has(path)) throw damaged(asset.path, `it has '${path}' twice`)
      files.set(path, await zip.bytes(entry))
    }
    return files
  },
}

type Files = AsyncIterable<FileSource> | Iterable<FileSource>

function filesOf(value: unknown): Files {
  const files = isObject(value) && 'files' in value ? value.files : value
  if (isFiles(files)) return files
  throw new InvalidInputError(
    `A zip is made of the files of a folder; this is ${describe(value)}. Name the folder with folder(...).`,
    {
      code: 'unsupported-value',
    },
  )
}

function isFiles(value: unknown): value is Files {
  return isAsyncIterable(value) || (Array.isArray(value) && value.every(isFileSource))
}

function entryPath(file: FileSource, previous: string | undefined): string {
  const path = checkLogicalPath(file.path ?? file.name)
  if (previous !== undefined && comparePaths(previous, path) > 0) {
    throw new InvalidInputError(`The files of a zip come sorted by path: '${path}' came after '${previous}'.`, {
      code: 'unsorted-files',
      fields: { path },
    })
  }
  return path
}

function safePath(path: string, archive: string): string {
  try {
    return checkLogicalPath(path)
  } catch (error) {
    if (!isTidemarkError(error)) throw error
    throw damaged(archive, error.message, error)
  }
}

function damaged(path: string, why: string, cause?: unknown): CorruptionError {
  return new CorruptionError(`The zip '${path}' is damaged: ${why}.`, { code: 'zip-damaged', fields: { path }, cause })
}
