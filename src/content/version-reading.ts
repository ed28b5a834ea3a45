import type { Metadata } from '../protocol/shapes.ts'
import type { Entry } from './entry.ts'

export interface ReadOptions {
  /** First byte; default 0. */
  readonly start?: number
  /** Just past the last byte; default the size. Clamped. */
  readonly end?: number
  readonly signal?: AbortSignal
}

/** One version that can be read, however it is stored: its assets, and their bytes. */
export interface VersionReading {
  /** `flowers:v3`, for messages. */
  readonly what: string
  /** All assets, sorted by path; `prefix` keeps those whose path begins with it. */
  entries(options?: { prefix?: string; signal?: AbortSignal }): AsyncGenerator<Entry>
  entry(path: string, signal?: AbortSignal): Promise<Entry | undefined>
  /** The bytes of an asset, piece by piece, checked as far as its digest is known. */
  read(entry: Entry, options?: ReadOptions): AsyncGenerator<Uint8Array>
  /** Many assets one after another. Each body must be read (or left) before the next asset is asked for. */
  readMany(
    entries: AsyncIterable<Entry> | Iterable<Entry>,
    options?: { signal?: AbortSignal },
  ): AsyncGenerator<{ entry: Entry; body: AsyncGenerator<Uint8Array> }>
  /** What a list shows of an asset without reading it. */
  preview(entry: Entry, signal?: AbortSignal): Promise<Metadata | undefined>
}
