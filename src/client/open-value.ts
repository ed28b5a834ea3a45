import { isBlob, isBytes } from '../codecs/capabilities.ts'
import type { AssetKind } from '../codecs/codec.ts'
import { detect } from '../codecs/detect.ts'
import { fileContent } from '../codecs/file-content.ts'
import { type FileSource, isFileSource } from '../codecs/file-source.ts'
import { readingValue } from '../codecs/reading-value.ts'
import { isWrapped, unwrap } from '../codecs/values.ts'
import { InvalidInputError } from '../errors.ts'
import type { Opened } from '../sources/open.ts'

/** What a value turned out to be: ready for the codec of its kind. */
export interface OpenedValue {
  readonly kind: AssetKind
  readonly value: unknown
  /** See `Detected`. */
  readonly assumed?: boolean
  /** For kind `file`. */
  readonly file?: FileSource
  /** For the files of a folder or pattern. */
  readonly folder?: Opened & { readonly kind: 'folder' }
}

/** @throws InvalidInputError `unsupported-value`, `value-unreadable`, and what looking for files throws */
export function openValue(
  value: unknown,
  options: { ignore?: string | readonly string[]; signal?: AbortSignal },
): Promise<OpenedValue> {
  return readingValue(() => open(value, options), options.signal)
}

async function open(value: unknown, options: Parameters<typeof openValue>[1]): Promise<OpenedValue> {
  const { kind, value: found, source, assumed } = detect(value)
  if (!source && kind !== 'string') return kind === 'file' ? heldFile(found) : { kind, value: found, assumed }
  // Loaded with the first that is a path, a folder, a handle or a URL: values in memory are none.
  const { openSource } = await import('../sources/open.ts')
  const opened = await openSource(found, options)
  if (opened.kind === 'text') return { kind: 'text', value: opened.text }
  if (opened.kind === 'file') {
    // Files on disk and of handles can be looked at anew; an answer from the network is read as it comes.
    const file = 'prepare' in opened.file ? opened.file : readableOnce(opened.file)
    return { kind: 'file', value: file, file }
  }
  return { kind: 'zip', value: opened, folder: opened }
}

function heldFile(value: unknown): OpenedValue {
  const { value: content, options } = isWrapped(value) ? unwrap(value) : { value, options: {} }
  const opened = fileContent(content, options)
  const again = isBytes(content) || isBlob(content) || isFileSource(content)
  const file = again ? opened : readableOnce(opened)
  return { kind: 'file', value: file, file }
}

/** A stream that has been read gives nothing the second time, and says nothing: that must not be logged as an empty file. */
function readableOnce(file: FileSource): FileSource {
  let opened = false
  return {
    ...file,
    open(signal) {
      if (opened)
        throw new InvalidInputError(
          `${file.name === '' ? 'A stream' : `The stream '${file.name}'`} was read already, and cannot be read again. Add a fresh one, or bytes.`,
          { code: 'stream-used' },
        )
      opened = true
      return file.open(signal)
    },
  }
}
