import type { AssetKind } from '../codecs/codec.ts'
import { detect } from '../codecs/detect.ts'
import { fileContent } from '../codecs/file-content.ts'
import type { FileSource } from '../codecs/file-source.ts'
import { isWrapped, unwrap } from '../codecs/values.ts'
import { type Opened, openSource } from '../sources/open.ts'

/** What a value turned out to be: ready for the codec of its kind. */
export interface OpenedValue {
  readonly kind: AssetKind
  readonly value: unknown
  /** For kind `file`. */
  readonly file?: FileSource
  /** For the files of a folder or pattern. */
  readonly folder?: Opened & { readonly kind: 'folder' }
}

/** @throws InvalidInputError `unsupported-value`, and what looking for files throws */
export async function openValue(
  value: unknown,
  options: { ignore?: string | readonly string[]; signal?: AbortSignal },
): Promise<OpenedValue> {
  const { kind, value: found, source } = detect(value)
  if (!source && kind !== 'string') return kind === 'file' ? heldFile(found) : { kind, value: found }
  const opened = await openSource(found, options)
  if (opened.kind === 'text') return { kind: 'text', value: opened.text }
  if (opened.kind === 'file') return { kind: 'file', value: opened.file, file: opened.file }
  return { kind: 'zip', value: opened, folder: opened }
}

function heldFile(value: unknown): OpenedValue {
  const file = isWrapped(value) ? fileContent(unwrap(value).value, unwrap(value).options) : fileContent(value)
  return { kind: 'file', value: file, file }
}
