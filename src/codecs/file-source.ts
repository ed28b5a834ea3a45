/**
 * A file, wherever it is: on disk, in a browser's hands, in memory, behind a URL. The one form in which files reach the file and zip codecs.
 */
export interface FileSource {
  /** The last segment of its path, or what its owner calls it. */
  readonly name: string
  /** Relative to the folder or pattern it was found by, `/`-separated, NFC, checked. */
  readonly path?: string
  /** Bytes, when known; a file that then gives another number of bytes has changed. */
  readonly size?: number
  readonly mediaType: string
  /** Milliseconds since 1970. */
  readonly modified?: number
  /**
   * The bytes, from the start. A piece is valid until the next one is asked for: its buffer may be used again. Leaving early frees what was
   * opened. Nothing is held open before the first piece is asked for, nor after the last.
   *
   * @throws ConflictError `file-changed`, NotFoundError `file-vanished`, PermissionError `file-unreadable`, AbortedError `aborted`
   */
  open(signal?: AbortSignal): AsyncIterable<Uint8Array>
}

/** True for what `openSource` gives, and for anything of the same form. */
export function isFileSource(value: unknown): value is FileSource {
  return (
    typeof value === 'object' &&
    value !== null &&
    'open' in value &&
    typeof value.open === 'function' &&
    'name' in value &&
    typeof value.name === 'string' &&
    'mediaType' in value &&
    typeof value.mediaType === 'string'
  )
}
