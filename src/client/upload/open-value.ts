import type { AssetKind } from '../../codecs/codec.ts'
import { detect } from '../../codecs/detect.ts'
import { fileContent } from '../../codecs/file-content.ts'
import type { FileSource } from '../../codecs/file-source.ts'
import { readingValue } from '../../codecs/reading-value.ts'
import { isWrapped, unwrap } from '../../codecs/values.ts'
import type { Opened } from '../../sources/open.ts'

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
  const { openSource } = await import('../../sources/open.ts')
  const opened = await openSource(found, options)
  if (opened.kind === 'text') return { kind: 'text', value: opened.text }
  if (opened.kind === 'file') return { kind: 'file', value: opened.file, file: opened.file }
  return { kind: 'zip', value: opened, folder: opened }
}

function heldFile(value: unknown): OpenedValue {
  const { value: content, options } = isWrapped(value) ? unwrap(value) : { value, options: {} }
  const file = fileContent(content, options)
  return { kind: 'file', value: file, file }
}
